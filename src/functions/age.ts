/**
 * The age of a chain of calls, for wait–die (Rosenkrantz, Stearns, Lewis 1978): when its root call
 * was first made, and that call's id to tell two of one instant apart. Kept over retries, so that
 * every chain becomes the oldest in the end.
 */
import type { HybridTime } from "../model/time.ts";

export interface Age {
  /** 0: none yet. */
  readonly ageTime: HybridTime;
  readonly ageId: string;
}

/** Whether `a` began after `b`. Two calls of one chain are of one age: neither is younger. */
export function isYounger(a: Age, b: Age): boolean {
  if (a.ageTime !== b.ageTime) return a.ageTime > b.ageTime;
  return a.ageId > b.ageId;
}
