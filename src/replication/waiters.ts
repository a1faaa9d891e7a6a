/**
 * Answers that wait for their position (rule 5), in the order in which they were computed. The usual
 * case, a majority, releases from the front; those that asked for more copies wait in a second list.
 */
import type { Acks } from "../model/acks.ts";
import { majority } from "../model/acks.ts";
import type { Outlet } from "./outlet.ts";

/** An answer that is to be sent once its position is held by enough copies. */
export interface Waiter {
  /** Below a majority counts as a majority, except 1: answered before replication. */
  readonly acks: Acks;
  /** Comes back in the `release` effect. */
  readonly token: unknown;
  /** When it becomes indeterminate. */
  readonly deadlineAt: number;
}

interface Entry extends Waiter {
  readonly position: number;
}

/** How far each owner is, as the primary knows. */
export interface Progress {
  readonly ownerCount: number;
  /** Positions below it are committed. */
  readonly committed: number;
  /** Owners that hold `position`, the primary included. */
  copiesAt(position: number): number;
}

export class Waiters {
  #front: Entry[] = [];
  #head = 0;
  #greedy: Entry[] = [];
  /** Those whose position is not taken yet. */
  #held: Waiter[] = [];
  #earliestDeadlineAt = Infinity;

  get size(): number {
    return this.#front.length - this.#head + this.#greedy.length + this.#held.length;
  }

  get holdsSome(): boolean {
    return this.#held.length > 0;
  }

  /** When `expire` must run next. */
  get deadlineAt(): number {
    return this.#earliestDeadlineAt;
  }

  /** Sends the answer at once where enough owners hold its position already, else lets it wait. */
  waitFor(position: number, waiter: Waiter, progress: Progress, outlet: Outlet): void {
    const isFirst = this.#front.length === 0 && position < progress.committed;
    if (!isFirst || !releaseOne(waiter, position, progress, outlet)) this.add(position, waiter);
  }

  add(position: number, { acks, token, deadlineAt }: Waiter): void {
    this.#front.push({ position, acks, token, deadlineAt });
    if (deadlineAt < this.#earliestDeadlineAt) this.#earliestDeadlineAt = deadlineAt;
  }

  /** Keeps an answer whose position is yet to be taken. */
  hold(waiter: Waiter): void {
    this.#held.push(waiter);
    this.#earliestDeadlineAt = Math.min(this.#earliestDeadlineAt, waiter.deadlineAt);
  }

  /** The position of all that are held: the last one. */
  place(position: number): void {
    for (const waiter of this.#held) this.add(position, waiter);
    this.#held = [];
  }

  /** Sends what is held by enough owners. */
  release(progress: Progress, outlet: Outlet): void {
    const front = this.#front;
    while (this.#head < front.length) {
      const entry = front[this.#head]!;
      if (entry.position >= progress.committed) break;
      this.#head++;
      if (!releaseOne(entry, entry.position, progress, outlet)) this.#greedy.push(entry);
    }
    if (this.#head === front.length) {
      front.length = 0;
      this.#head = 0;
    } else if (this.#head > 1024) {
      front.splice(0, this.#head);
      this.#head = 0;
    }
    if (this.#greedy.length > 0) {
      this.#greedy = this.#greedy.filter(
        (entry) => !releaseOne(entry, entry.position, progress, outlet),
      );
    }
    if (this.size === 0) this.#earliestDeadlineAt = Infinity;
  }

  /** Those whose time is up may or may not stay. */
  expire(now: number, outlet: Outlet): void {
    if (now < this.#earliestDeadlineAt) return;
    let earliest = Infinity;
    const stays = (entry: Waiter): boolean => {
      if (entry.deadlineAt <= now) {
        outlet.emit({ type: "release", token: entry.token, outcome: { type: "indeterminate" } });
        return false;
      }
      earliest = Math.min(earliest, entry.deadlineAt);
      return true;
    };
    this.#front = this.#front.slice(this.#head).filter(stays);
    this.#head = 0;
    this.#greedy = this.#greedy.filter(stays);
    this.#held = this.#held.filter(stays);
    this.#earliestDeadlineAt = earliest;
  }

  /** The reign is over (rule 10). */
  abandon(outlet: Outlet): void {
    this.expire(Infinity, outlet);
  }
}

function releaseOne(entry: Waiter, position: number, progress: Progress, outlet: Outlet): boolean {
  const copies = progress.copiesAt(position);
  const owners = progress.ownerCount;
  const asked = entry.acks === "all" ? owners : Math.max(entry.acks, majority(owners));
  if (copies < Math.min(asked, owners)) return false;
  outlet.emit({
    type: "release",
    token: entry.token,
    outcome: { type: "ok", copies, degraded: false },
  });
  return true;
}
