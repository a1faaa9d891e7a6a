/**
 * The finally refused calls of an outbox: the newest 128 refusals. One that is dropped leaves its place
 * behind, without what it carried, until newer refusals push that out. So what is pushed out does not
 * depend on what was dropped before, and copies that merge in any order keep the same.
 *
 * Both sides of a split may have had the same call refused. Dropping one refusal drops the call: the
 * other is not shown either, whenever it comes.
 */
import { compareSends, isSameSend } from "./send.ts";
import type { SendId, SendRequest, TimedSend } from "./send.ts";

/** Refusals that are remembered, dropped ones too; the oldest go first. */
export const failedSendsMax = 128;

/** `hybridTime` is when the refusal was recorded. */
export interface FailedSend extends TimedSend, SendRequest {
  readonly code: string;
  readonly message: string;
}

/** Never changed, so that clones may share it. */
export class FailedSends {
  static readonly none = new FailedSends([], []);
  /** Oldest first, like `dropped`. */
  readonly kept: readonly FailedSend[];
  readonly dropped: readonly TimedSend[];

  private constructor(kept: readonly FailedSend[], dropped: readonly TimedSend[]) {
    this.kept = kept;
    this.dropped = dropped;
  }

  /** Makes it of refusals in any order. */
  static of(kept: readonly FailedSend[], dropped: readonly TimedSend[]): FailedSends {
    const gone = sortedOnce(dropped);
    const left = sortedOnce(kept).filter((send) => !gone.some((other) => isSame(other, send)));
    const excess = left.length + gone.length - failedSendsMax;
    if (excess <= 0) return new FailedSends(left, gone);
    const last = [...left, ...gone].sort(compareSends)[excess - 1]!;
    const isNewer = (refusal: TimedSend): boolean => compareSends(refusal, last) > 0;
    return new FailedSends(left.filter(isNewer), gone.filter(isNewer));
  }

  /** Those that nobody has dropped, oldest first, each call once. */
  get shown(): readonly FailedSend[] {
    const { kept, dropped } = this;
    if (kept.length === 0) return kept;
    return kept.filter(
      (send, at) =>
        !dropped.some((other) => isSameSend(other, send)) &&
        !kept.slice(0, at).some((other) => isSameSend(other, send)),
    );
  }

  /** Every refusal of a call, shown or not. */
  refusalsOf(id: SendId): readonly TimedSend[] {
    return this.kept.filter((send) => isSameSend(send, id));
  }

  with(failed: FailedSend): FailedSends {
    return FailedSends.of([...this.kept, failed], this.dropped);
  }

  without(refusals: readonly TimedSend[]): FailedSends {
    return FailedSends.of(this.kept, [...this.dropped, ...refusals]);
  }

  joined(other: FailedSends): FailedSends {
    if (other === this) return this;
    return FailedSends.of([...this.kept, ...other.kept], [...this.dropped, ...other.dropped]);
  }
}

function isSame(a: TimedSend, b: TimedSend): boolean {
  return compareSends(a, b) === 0;
}

function sortedOnce<T extends TimedSend>(refusals: readonly T[]): T[] {
  const sorted = refusals.toSorted(compareSends);
  return sorted.filter((refusal, at) => at === 0 || !isSame(refusal, sorted[at - 1]!));
}
