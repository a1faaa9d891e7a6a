/**
 * Deadlines by the hundred thousand: a hashed timing wheel (Varghese and Lauck, SOSP 1987, scheme
 * 6) over one timer. Almost every deadline is cancelled before it is due, so adding and cancelling
 * must cost nothing but a few pointers; a timer of the platform per call would cost more than the
 * call. A deadline is never early and at most two slots late. The timer wakes for slots that hold
 * something, at least once a round; it is not worth stopping it when they are emptied before.
 *
 *   slots  0 … 511, each a doubly linked list of entries due in slot mod 512; later rounds stay
 */
import type { Clock, Timer, Timers } from "./platform.ts";

const slotMsDefault = 8;
/** A power of two. */
const slotCount = 512;

/** A deadline; make one per call, or let the object that has the deadline be one. */
export interface WheelEntry {
  /** Called once when the deadline passed and it was not cancelled. */
  expire(): void;
  /** Owned by the wheel; start them as given. */
  wheelTick: number;
  wheelNext: WheelEntry | undefined;
  wheelPrevious: WheelEntry | undefined;
}

/** The value of `wheelTick` while an entry is in no wheel. */
export const notInWheel = -1;
/** The value of `wheelTick` in the list of those about to expire, which is the last "slot". */
const expiring = -2;

export class DeadlineWheel {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #slotMs: number;
  readonly #slots: (WheelEntry | undefined)[] = new Array<undefined>(slotCount + 1).fill(undefined);
  readonly #startAt: number;
  /** Slots up to and including this one have been emptied of what is due. */
  #tick = 0;
  #count = 0;
  #timer: Timer | undefined;
  /** For which slot the timer is set; Infinity: there is none. */
  #timerTick = Infinity;

  /** A deadline may be late by twice `slotMs`. @default 8 */
  constructor(clock: Clock, timers: Timers, slotMs: number = slotMsDefault) {
    this.#clock = clock;
    this.#timers = timers;
    this.#slotMs = slotMs;
    this.#startAt = clock.now();
  }

  /** Deadlines that wait. */
  get count(): number {
    return this.#count;
  }

  /**
   * Calls `entry.expire` in `delayMs`, not earlier, at most two slots later. It must not be in a wheel.
   * @param now what the clock says, for a caller that has just read it: a reading costs more than the rest
   */
  add(entry: WheelEntry, delayMs: number, now: number = this.#clock.now()): void {
    const nowMs = now - this.#startAt;
    if (this.#count === 0) this.#tick = Math.floor(nowMs / this.#slotMs);
    const due = Math.ceil((nowMs + Math.max(0, delayMs)) / this.#slotMs);
    entry.wheelTick = Math.max(due, this.#tick + 1);
    this.#link(entry);
    this.#count += 1;
    if (entry.wheelTick < this.#timerTick) this.#arm(entry.wheelTick, nowMs);
  }

  /** Does nothing for an entry that expired or was cancelled. */
  cancel(entry: WheelEntry): void {
    if (entry.wheelTick === notInWheel) return;
    this.#unlink(entry);
    this.#count -= 1;
  }

  /** Forgets all deadlines without calling them and stops the timer. */
  clear(): void {
    for (let slot = 0; slot <= slotCount; slot++) {
      for (let entry = this.#slots[slot]; entry !== undefined; entry = this.#slots[slot]) {
        this.cancel(entry);
      }
    }
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerTick = Infinity;
  }

  /** Wakes when slot `tick` is due, or a round from now if that is sooner. */
  #arm(tick: number, nowMs: number): void {
    this.#timer?.cancel();
    this.#timerTick = Math.min(tick, this.#tick + slotCount);
    this.#timer = this.#timers.after(this.#timerTick * this.#slotMs - nowMs, this.#turn);
  }

  /** The next slot that holds anything, of whatever round. */
  #nextTick(): number {
    let tick = this.#tick + 1;
    while (tick < this.#tick + slotCount && this.#slots[slotOf(tick)] === undefined) tick += 1;
    return tick;
  }

  readonly #turn = (): void => {
    this.#timer = undefined;
    this.#timerTick = Infinity;
    const nowMs = this.#clock.now() - this.#startAt;
    const nowTick = Math.floor(nowMs / this.#slotMs);
    // After a long stall every slot is visited once, not once per round that was missed.
    const firstTick = Math.max(this.#tick + 1, nowTick - slotCount + 1);
    this.#tick = nowTick;
    try {
      for (let tick = firstTick; tick <= nowTick; tick++) this.#expireSlot(tick, nowTick);
    } finally {
      const next = this.#count > 0 ? this.#nextTick() : Infinity;
      if (next < this.#timerTick) this.#arm(next, nowMs);
    }
  };

  /** Moves what is due to a list of its own first: expiring may add to, or cancel in, this slot. */
  #expireSlot(tick: number, nowTick: number): void {
    let entry = this.#slots[slotOf(tick)];
    while (entry !== undefined) {
      const next = entry.wheelNext;
      if (entry.wheelTick <= nowTick) {
        this.#unlink(entry);
        entry.wheelTick = expiring;
        this.#link(entry);
      }
      entry = next;
    }
    for (let due = this.#slots[slotCount]; due !== undefined; due = this.#slots[slotCount]) {
      this.cancel(due);
      due.expire();
    }
  }

  #link(entry: WheelEntry): void {
    const slot = slotOf(entry.wheelTick);
    const head = this.#slots[slot];
    entry.wheelPrevious = undefined;
    entry.wheelNext = head;
    if (head !== undefined) head.wheelPrevious = entry;
    this.#slots[slot] = entry;
  }

  #unlink(entry: WheelEntry): void {
    const { wheelNext, wheelPrevious } = entry;
    if (wheelPrevious === undefined) this.#slots[slotOf(entry.wheelTick)] = wheelNext;
    else wheelPrevious.wheelNext = wheelNext;
    if (wheelNext !== undefined) wheelNext.wheelPrevious = wheelPrevious;
    entry.wheelTick = notInWheel;
    entry.wheelNext = undefined;
    entry.wheelPrevious = undefined;
  }
}

function slotOf(tick: number): number {
  return tick === expiring ? slotCount : tick & (slotCount - 1);
}
