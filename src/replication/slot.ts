/**
 * Where a copy keeps one entity. Its place stays the same until the whole copy is replaced, and says
 * who serves it: so it can be found once and then be used by every call of a reign. With ten thousand
 * keys in a thousand partitions most of what a call costs is memory that it has to reach; the way from
 * a key to its state is short, and is not walked twice.
 */
import type { WriterId } from "../model/ids.ts";
import type { Term } from "../model/term.ts";
import type { Commit } from "../wire/replication-messages.ts";

/** The reign that serves an entity, as far as its slot has to know it. */
export interface Service<E> {
  readonly isServing: boolean;
  readonly isCalm: boolean;
  readonly isFull: boolean;
  readonly writer: WriterId;
  readonly usedUp: number;
  readonly ownerCount: number;
  commitAlone(slot: Slot<E>, commit: Commit): void;
}

export class Slot<E> {
  /** The known-committed form; `undefined` until its first commit is committed. */
  committed: E | undefined = undefined;
  /** The newest form where a reign has one that is ahead of the committed one (`tips.ts`). */
  tip: E | undefined = undefined;
  /** Commits of it in the tail that the tip holds. */
  pending = 0;
  /** The newest of them is its reaping: the committed form is of an entity that is no more. */
  isGone = false;
  touchedIn: Term;
  touchedAt: number;
  #reign: Service<E> | undefined = undefined;

  constructor(touchedIn: Term, touchedAt: number) {
    this.touchedIn = touchedIn;
    this.touchedAt = touchedAt;
  }

  /** It is served by this reign from now on, while that `isServing`. */
  serveBy(reign: Service<E>): void {
    this.#reign = reign;
  }

  /** The newest form; `undefined` where it has no commit, or is reaped as far as this reign goes. */
  get newest(): E | undefined {
    return this.tip ?? (this.isGone ? undefined : this.committed);
  }

  /** Whoever found it here has to look again. */
  endService(): void {
    this.#reign = undefined;
  }

  get reign(): Service<E> {
    return this.#reign!;
  }
  /** False once the reign that it was found in is over, hands over or is degraded. */
  get isServed(): boolean {
    return this.#reign?.isServing ?? false;
  }
  /** The newest form: what handlers run on. Only while it is served. */
  get entity(): E {
    return this.tip ?? this.committed!;
  }
  get writer(): WriterId {
    return this.reign.writer;
  }
  get usedUp(): number {
    return this.reign.usedUp;
  }
  /** What is degraded has no slot: it is served from a fork. */
  get degraded(): boolean {
    return this.#reign === undefined;
  }
  get copiesMax(): number {
    return this.reign.ownerCount;
  }
  /** Takes no more commits for now. */
  get isFull(): boolean {
    return !this.reign.isCalm && this.reign.isFull;
  }

  /** Commits at once where that is all there is to do (`Reign.isCalm`); else false, and nothing done. */
  commitAlone(commit: Commit): boolean {
    const { reign } = this;
    if (!reign.isCalm) return false;
    reign.commitAlone(this, commit);
    return true;
  }
}
