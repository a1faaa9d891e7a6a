/** The event-loop delay that a real monitor would have shown for the stalls of a virtual node. */
import type { LoopDelay } from "../platform.ts";

/** A real monitor samples this often. */
const sampleEveryMs = 10;
/** Stalls remembered between two readings. */
const stallCountMax = 1024;

export class VirtualLoopDelay implements LoopDelay {
  readonly #now: () => number;
  #stalls: number[] = [];
  #since: number;

  constructor(now: () => number) {
    this.#now = now;
    this.#since = now();
  }

  /** Something ran `lateMs` after it was due. */
  add(lateMs: number): void {
    if (lateMs > 0 && this.#stalls.length < stallCountMax) this.#stalls.push(lateMs);
  }

  takeP99(): number {
    const elapsedMs = this.#now() - this.#since;
    const stalls = this.#stalls.sort((a, b) => b - a);
    const stalledMs = stalls.reduce((sum, stall) => sum + stall, 0);
    const calmCount = Math.max(0, elapsedMs - stalledMs) / sampleEveryMs;
    this.#stalls = [];
    this.#since = this.#now();
    return stalls[Math.floor((stalls.length + calmCount) * 0.01)] ?? 0;
  }
}
