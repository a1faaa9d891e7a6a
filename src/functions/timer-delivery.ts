/**
 * Which timers of the entities that this node leads are due, and what becomes of those that have
 * fired. Pure: it is told the committed timers, the time and how each firing ended, and says what is
 * to be done now and when to ask again.
 *
 *     update ─▶ waits until it is due ─▶ fires ─▶ over, and out of the committed timers
 *                  ▲    back-off           ├─▶ not now, or not known: again
 *                  └───────────────────────┴─▶ refused for good: given up, in a commit of its own
 *
 * A timer leaves the entity's state in the commit of the turn that it started (`turn-draft.ts`). So to
 * fire one again that has fired does no harm, and a new primary starts from what the entities hold.
 */
import type { LatticeError } from "../model/error.ts";
import type { EntityName } from "../model/ids.ts";
import type { Random } from "../model/random.ts";
import { isSameTimer } from "../state/timers.ts";
import type { EntityTimer } from "../state/timers.ts";
import { DueQueue, notQueued } from "./due-queue.ts";
import type { QueueItem } from "./due-queue.ts";
import { backOffMs, isFinal } from "./redelivery.ts";

/** Something to be done with a timer now; tell its end to `ended`. */
export interface TimerTask {
  readonly entity: EntityName;
  readonly timer: EntityTimer;
  /** It will never be taken: not to be fired, but to be given up. */
  readonly isRefused: boolean;
}

/** Tasks under way at once. */
export const firingsMax = 256;

export class TimerDelivery {
  readonly #random: Random;
  readonly #owners = new Map<EntityName, Owner>();
  readonly #queue = new DueQueue<Pending>();
  /** Those that were due while another of their entity was under way, and whose turn has come. */
  readonly #ready: Pending[] = [];
  #underWayCount = 0;
  #count = 0;
  #updateCount = 0;
  #firedCount = 0;
  #failedCount = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Timers in the committed state of the entities that were told. */
  get count(): number {
    return this.#count;
  }

  /** Those that took effect, as far as it is known here. */
  get firedCount(): number {
    return this.#firedCount;
  }

  /** Those that were refused for good. */
  get failedCount(): number {
    return this.#failedCount;
  }

  /** When `take` has something to give; `Infinity`: not before the end of a task, or an update. */
  get nextAt(): number {
    if (this.#underWayCount >= firingsMax) return Infinity;
    return this.#ready.length > 0 ? -Infinity : (this.#queue.first?.wakeAt ?? Infinity);
  }

  /** Timers that are due and not known to have fired. Costs a pass. */
  dueCount(now: number): number {
    let count = 0;
    for (const { pending } of this.#owners.values()) {
      for (const { timer, isOver } of pending.values()) if (timer.at <= now && !isOver) count += 1;
    }
    return count;
  }

  /**
   * Tells all timers of an entity that this node leads, as far as they are committed. Call it when the
   * node begins to lead the entity and whenever its committed timers may have changed.
   */
  update(name: EntityName, timers: readonly EntityTimer[]): void {
    const owner = this.#owners.get(name) ?? this.#newOwner(name, timers.length);
    if (owner === undefined) return;
    const round = ++this.#updateCount;
    for (const timer of timers) {
      let pending = owner.pending.get(timer.id);
      if (pending === undefined || !isSameTimer(pending.timer, timer)) {
        if (pending !== undefined) this.#forget(pending);
        pending = this.#add(owner, timer);
      }
      pending.toldIn = round;
    }
    if (owner.pending.size > timers.length) {
      for (const pending of owner.pending.values()) {
        if (pending.toldIn !== round) this.#forget(pending);
      }
    }
    if (timers.length === 0) this.#owners.delete(name);
  }

  /** This node no longer leads the entity: whoever does goes on. */
  drop(name: EntityName): void {
    this.update(name, []);
  }

  /** Drops everything. */
  stop(): void {
    for (const name of [...this.#owners.keys()]) this.drop(name);
    this.#ready.length = 0;
  }

  /**
   * What is to be done now, each with an end of its own. One at a time of each entity: its handlers
   * run one after the other anyway, and so an entity that is slow does not hold up the others.
   */
  take(now: number): readonly TimerTask[] {
    const tasks: TimerTask[] = [];
    while (this.#underWayCount < firingsMax) {
      const next = this.#takeNext(now);
      if (next === undefined) break;
      next.owner.isBusy = true;
      this.#underWayCount += 1;
      tasks.push(next);
    }
    return tasks;
  }

  /**
   * A task is over. `undefined`: committed.
   * @returns whether it was refused for good just now
   */
  ended(task: TimerTask, error: LatticeError | undefined, now: number): boolean {
    const pending = task as Pending;
    this.#underWayCount -= 1;
    this.#free(pending.owner);
    if (error === undefined) {
      pending.isOver = true;
      if (!pending.isRefused) this.#firedCount += 1;
      return false;
    }
    if (pending.isGone) return false;
    if (isFinal(error) && !pending.isRefused) {
      this.#failedCount += 1;
      pending.isRefused = true;
      pending.attempts = 0;
      pending.wakeAt = now;
      this.#queue.add(pending);
      return true;
    }
    pending.attempts += 1;
    pending.wakeAt = now + (error.retryAfterMs ?? 0) + backOffMs(pending.attempts, this.#random);
    this.#queue.add(pending);
    return false;
  }

  #newOwner(name: EntityName, timerCount: number): Owner | undefined {
    if (timerCount === 0) return undefined;
    const owner = new Owner(name);
    this.#owners.set(name, owner);
    return owner;
  }

  #add(owner: Owner, timer: EntityTimer): Pending {
    const pending = pendingOf(owner, timer);
    owner.pending.set(timer.id, pending);
    this.#queue.add(pending);
    this.#count += 1;
    return pending;
  }

  #forget(pending: Pending): void {
    pending.isGone = true;
    pending.owner.pending.delete(pending.timer.id);
    this.#queue.remove(pending);
    this.#count -= 1;
  }

  #takeNext(now: number): Pending | undefined {
    for (;;) {
      const next = this.#ready.shift() ?? this.#takeDue(now);
      if (next === undefined) return undefined;
      if (next.isGone) continue;
      if (!next.owner.isBusy) return next;
      next.owner.held.push(next);
    }
  }

  #takeDue(now: number): Pending | undefined {
    const { first } = this.#queue;
    if (first === undefined || first.wakeAt > now) return undefined;
    this.#queue.remove(first);
    return first;
  }

  #free(owner: Owner): void {
    owner.isBusy = false;
    const next = owner.held.find(({ isGone }) => !isGone);
    if (next === undefined) owner.held.length = 0;
    else {
      owner.held.splice(0, owner.held.indexOf(next) + 1);
      this.#ready.push(next);
    }
  }
}

/** An entity with timers. */
class Owner {
  readonly name: EntityName;
  /** By id. */
  readonly pending = new Map<string, Pending>();
  /** Due while another one is under way, in the order in which they were. */
  readonly held: Pending[] = [];
  isBusy = false;

  constructor(name: EntityName) {
    this.name = name;
  }
}

/** One timer of it. */
interface Pending extends TimerTask, QueueItem {
  readonly owner: Owner;
  /** When it is due, or tried again. */
  wakeAt: number;
  isRefused: boolean;
  attempts: number;
  /** It took effect or was given up, and is on its way out of the committed timers. */
  isOver: boolean;
  /** It is out of them, or not this node's concern. */
  isGone: boolean;
  /** By which `update` it was told last. */
  toldIn: number;
}

function pendingOf(owner: Owner, timer: EntityTimer): Pending {
  return {
    owner,
    entity: owner.name,
    timer,
    wakeAt: timer.at,
    queueIndex: notQueued,
    isRefused: false,
    attempts: 0,
    isOver: false,
    isGone: false,
    toldIn: 0,
  };
}
