/**
 * The time of the cluster, as this process has it, and the stamps made of it: a hybrid logical clock
 * (Kulkarni et al. 2014) over the monotonic clock and an offset. The wall clock is read once, at the
 * start; however it is set afterwards, no stamp knows. Pure: the time comes in.
 *
 *     wall clock at start ── the first reading of a settled clock is taken over ──▶ settled
 *       └──────────────── cluster created here, or a stamp made ─────────────────▶ settled
 *
 * It is slewed towards the median of all members, and set to it when it is too far away. A settled
 * clock minds settled ones only, so that a newcomer with a wrong wall clock moves nobody.
 *
 * Time never goes back: slewing only makes it slower or faster, and a stamp is always later than the
 * one before, also where the clock itself was set back.
 */
import type { NodeId } from "../model/ids.ts";
import {
  hybridTicksPerMs,
  hybridTimeToMs,
  nextHybridTime,
  type HybridTime,
} from "../model/time.ts";
import { ClockSamples, type ClockReading } from "./clock-samples.ts";

/** Clocks further apart than this are wrong, not merely inexact. */
export const clockSkewMsMax = 5_000;
/** How much faster or slower than real time the clock runs while it is corrected. */
export const slewMsPerMs = 0.001;
/** A slower answer says too little: its reading may be off by half of this. */
const roundTripMsMax = 2_000;
/** With two members nobody can say which of them is wrong. */
const membersToAdopt = 3;

export class ClusterClock {
  readonly #samples = new ClockSamples();
  /** This clock minus the monotonic one: at `#setAt`, and where it is slewed to. */
  #offsetMs: number;
  #targetMs: number;
  #setAt: number;
  #isSettled = false;
  #last: HybridTime = 0;

  /** @param now of the monotonic clock */
  constructor(now: number, wallNow: number) {
    this.#offsetMs = wallNow - now;
    this.#targetMs = this.#offsetMs;
    this.#setAt = now;
  }

  /** Whether it is the time of a cluster, and not just what a wall clock said. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** This process created the cluster: its time is the cluster's. */
  settle(): void {
    this.#isSettled = true;
  }

  /** Milliseconds since the epoch, fractions included. */
  read(now: number): number {
    return now + this.#offsetAt(now);
  }

  /** What others are told when they ask; never 0. */
  reading(now: number): HybridTime {
    return Math.max(1, Math.round(this.read(now) * hybridTicksPerMs));
  }

  /** The stamp of a new event here. */
  stamp(now: number): HybridTime {
    this.#isSettled = true;
    this.#last = nextHybridTime(this.#last, this.read(now));
    return this.#last;
  }

  /**
   * A stamp that came from elsewhere: later ones of this process are after it. One from too far in
   * the future is not believed: by how many milliseconds it is ahead; else 0.
   */
  observe(time: HybridTime, now: number): number {
    if (time <= this.#last) return 0;
    const aheadMs = hybridTimeToMs(time) - this.read(now);
    if (aheadMs > clockSkewMsMax) return aheadMs;
    this.#last = time;
    return 0;
  }

  /**
   * A member's clock was read.
   * @returns by how many milliseconds this clock was found to be ahead and was set back (negative:
   *   on), when that was more than `clockSkewMsMax`; else 0
   */
  sample(node: NodeId, reading: ClockReading): number {
    const { isSettled, askedAt, answeredAt: now } = reading;
    if (now - askedAt > roundTripMsMax || (this.#isSettled && !isSettled)) return 0;
    const isTakenOver = isSettled && !this.#isSettled;
    // What others said before they knew better says nothing any more.
    if (isTakenOver) this.#samples.clear();
    const theirsMs = this.#samples.add(node, reading);
    this.#isSettled = isSettled;
    const ownMs = this.#offsetAt(now);
    this.#targetMs = isTakenOver ? theirsMs : this.#samples.medianWith(ownMs);
    const aheadMs = ownMs - this.#targetMs;
    const isWrong = Math.abs(aheadMs) > clockSkewMsMax;
    const isSet = isTakenOver || (isWrong && this.#samples.count + 1 >= membersToAdopt);
    this.#offsetMs = isSet ? this.#targetMs : ownMs;
    this.#setAt = now;
    return isSet && isWrong ? aheadMs : 0;
  }

  /** Only these are members still. */
  keep(isMember: (node: NodeId) => boolean): void {
    this.#samples.keep(isMember);
  }

  #offsetAt(now: number): number {
    const leftMs = this.#targetMs - this.#offsetMs;
    if (leftMs === 0) return this.#offsetMs;
    const mostMs = Math.max(0, now - this.#setAt) * slewMsPerMs;
    return this.#offsetMs + Math.max(-mostMs, Math.min(mostMs, leftMs));
  }
}
