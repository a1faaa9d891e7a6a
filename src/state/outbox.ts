/**
 * The outbox of an entity: calls that its turns sent and that are not yet known to have arrived. It
 * is part of the replicated state, so whoever is primary next goes on with what is left. An entry's
 * number is made from the dot of its commit, so numbers of one writer rise and are never used twice,
 * and the outbox merges like any dot store.
 */
import { traceparentBytes } from "../codec/traceparent-bytes.ts";
import { LatticeError } from "../model/error.ts";
import type { CausalVector } from "./causal-vector.ts";
import { FailedSends } from "./failed-sends.ts";
import type { FailedSend } from "./failed-sends.ts";
import { compareSends, isSameSend } from "./send.ts";
import type { SendId, SendRequest, TimedSend } from "./send.ts";

export const sendsMax = 1_024;
export const outboxBytesMax = 64 * 1024;
/** A commit's sends are numbered sequence × this + index: part of what crosses the network. */
export const sendsPerCommitMax = 1_024;

/** `hybridTime` is that of the commit that sent it. */
export interface OutboxEntry extends TimedSend, SendRequest {}

export class Outbox {
  /** In the order of `compareSends`; replaced, never changed, so that clones may share. */
  #entries: readonly OutboxEntry[] = [];
  #failures = FailedSends.none;
  #bytes = 0;

  /** Makes an outbox of entries in any order and failed sends. */
  static of(entries: OutboxEntry[], failures: FailedSends): Outbox {
    const outbox = new Outbox();
    outbox.#put(entries);
    outbox.#failures = failures;
    return outbox;
  }

  /** What is to be delivered, oldest first: per target entity in this order. */
  get entries(): readonly OutboxEntry[] {
    return this.#entries;
  }

  /** Finally refused calls, oldest first. */
  get failed(): readonly FailedSend[] {
    return this.#failures.shown;
  }

  /** The same with what was dropped of them. */
  get failures(): FailedSends {
    return this.#failures;
  }

  /** Estimated encoded bytes of the entries to be delivered. */
  get bytes(): number {
    return this.#bytes;
  }

  get(id: SendId): OutboxEntry | undefined {
    return this.#entries[this.#indexOf(id)];
  }

  add(entry: OutboxEntry): void {
    const last = this.#entries.at(-1);
    if (last !== undefined && compareSends(last, entry) > 0) {
      this.#put([...this.#entries, entry]);
      return;
    }
    this.#entries = [...this.#entries, entry];
    this.#bytes += sendBytes(entry);
  }

  remove(id: SendId): void {
    const index = this.#indexOf(id);
    const removed = this.#entries[index];
    if (removed === undefined) return;
    this.#entries = this.#entries.toSpliced(index, 1);
    this.#bytes -= sendBytes(removed);
  }

  fail(failed: FailedSend): void {
    this.#failures = this.#failures.with(failed);
  }

  /** Drops refusals, those that are still to come here too. */
  discard(refusals: readonly TimedSend[]): void {
    this.#failures = this.#failures.without(refusals);
  }

  /** Joins another copy: an entry that one side has seen but does not hold was confirmed there. */
  merge(vector: CausalVector, other: Outbox, otherVector: CausalVector): void {
    const missing = (entries: readonly OutboxEntry[], id: SendId): boolean =>
      !entries.some((entry) => isSameSend(entry, id));
    const mine = this.#entries.filter(
      (entry) => !missing(other.#entries, entry) || !coversSend(otherVector, entry),
    );
    const theirs = other.#entries.filter(
      (entry) => missing(this.#entries, entry) && !coversSend(vector, entry),
    );
    this.#put([...mine, ...theirs]);
    this.#failures = this.#failures.joined(other.#failures);
  }

  clone(): Outbox {
    const copy = new Outbox();
    copy.#entries = this.#entries;
    copy.#failures = this.#failures;
    copy.#bytes = this.#bytes;
    return copy;
  }

  /** −1 when it is not there. Those that arrive first stand first, as a rule. */
  #indexOf(id: SendId): number {
    return this.#entries.findIndex((entry) => isSameSend(entry, id));
  }

  #put(entries: OutboxEntry[]): void {
    this.#entries = entries.sort(compareSends);
    this.#bytes = entries.reduce((sum, entry) => sum + sendBytes(entry), 0);
  }
}

/** Whether the commit that sent the entry is covered. */
function coversSend(vector: CausalVector, id: SendId): boolean {
  return vector.covers(id.writer, sequenceOfSend(id));
}

/** Sequence of the commit that sent the entry. */
export function sequenceOfSend({ number }: SendId): number {
  return Math.floor(number / sendsPerCommitMax);
}

/** Estimated encoded bytes of one entry. */
export function sendBytes(request: SendRequest): number {
  const { functionName, key, operation, input, trace } = request;
  const names = functionName.length + key.length + operation.length;
  return 24 + names + input.length + (trace === undefined ? 0 : traceparentBytes);
}

/** @throws LatticeError `overloaded` when `count` calls and `bytes` would be waiting. */
export function checkOutboxRoom(count: number, bytes: number): void {
  if (count <= sendsMax && bytes <= outboxBytesMax) return;
  const full =
    count > sendsMax ? `${String(sendsMax)} calls` : `${String(outboxBytesMax)} bytes of calls`;
  throw new LatticeError(
    "overloaded",
    `the outbox is full: ${full} wait to be delivered; send less per turn, or wait until its targets can be reached`,
    { retryAfterMs: 1_000 },
  );
}
