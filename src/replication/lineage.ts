/**
 * The streams through which a copy's history ran, newest last, so that one who stands in an older
 * one can be sent what differs instead of everything.
 */
import { sameTerm } from "../model/term.ts";
import type { Term } from "../model/term.ts";
import type { ImageBasis, StreamPosition } from "../wire/replication-messages.ts";
import { limits } from "./timing.ts";

interface Stretch {
  readonly synced: Term;
  /** From here on it is known where entities were touched. */
  readonly since: number;
  /** Last position of this stream that the next one inherited; open for the newest. */
  end: number;
  /** Positions below it are known to be committed. Of the newest, the copy itself knows. */
  committed: number;
}

export class Lineage {
  #stretches: Stretch[];

  constructor(synced: Term, since: number) {
    this.#stretches = [{ synced, since, end: Infinity, committed: 0 }];
  }

  /** The history before is not known. */
  restart(synced: Term, since: number): void {
    this.#stretches = [{ synced, since, end: Infinity, committed: 0 }];
  }

  /** A new term goes on from `end` of the newest stream, of which `committed` positions are safe. */
  begin(synced: Term, end: number, committed: number): void {
    const newest = this.#stretches[this.#stretches.length - 1]!;
    newest.end = end;
    newest.committed = committed;
    this.#stretches.push({ synced, since: 0, end: Infinity, committed: 0 });
    if (this.#stretches.length > limits.lineage) this.#stretches.shift();
  }

  /** The newest base is committed, and with it everything before. */
  inheritedIsCommitted(): void {
    for (const stretch of this.#stretches.slice(0, -1)) stretch.committed = stretch.end + 1;
  }

  /**
   * Where the history of one who stands at `at` last was this one, and how much of that stream is
   * committed; `undefined` if it cannot be sent a partial image. It may have got commits of that
   * stream which the next one did not inherit.
   */
  sharedWith(at: StreamPosition, newestCommitted: number): ImageBasis | undefined {
    const index = this.#stretches.findIndex(({ synced }) => sameTerm(synced, at.synced));
    const stretch = this.#stretches[index];
    if (stretch === undefined || at.position < stretch.since) return undefined;
    const isNewest = index === this.#stretches.length - 1;
    return {
      synced: at.synced,
      position: Math.min(at.position, stretch.end),
      committed: isNewest ? newestCommitted : stretch.committed,
    };
  }
}
