/**
 * How well this node itself does, 0 (well) to `healthMax`. A node that misses answers, is accused
 * itself or measures long event-loop delays should doubt its own senses before it doubts others: it
 * probes more slowly and waits longer. Lifeguard's local health multiplier (Dadgar et al. 2018,
 * §4.1), fed with the loop delay that only Node can tell.
 */
import type { MembershipSettings } from "./settings.ts";

/** Points for a measured p99 event-loop delay. */
export function loopDelayPoints(
  p99Ms: number,
  settings: Pick<MembershipSettings, "loopDelayMs" | "loopDelayMsSevere">,
): number {
  if (p99Ms > settings.loopDelayMsSevere) return 3;
  return p99Ms > settings.loopDelayMs ? 1 : 0;
}

/**
 * Points for a failed probe. When every helper that was asked answered "I cannot reach it either",
 * this node hears well and the fault is the target's.
 */
export function failedProbePoints(helperCount: number, nackCount: number): number {
  return helperCount > 0 && nackCount >= helperCount ? 0 : 1;
}

export class Health {
  readonly #max: number;
  #score = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get score(): number {
    return this.#score;
  }

  change(points: number): void {
    this.#score = Math.min(this.#max, Math.max(0, this.#score + points));
  }
}
