/**
 * Hybrid logical time (Kulkarni et al. 2014) packed into one number that compares as it is:
 * milliseconds since the epoch × 1024 + a counter. When 1,024 events share a millisecond the
 * counter runs over into the next one. Stays below 2^53 until the year 2248.
 */
export type HybridTime = number;

export const hybridTicksPerMs = 1024;

/** The stamp of a new event: later than `last` and not before the physical time. */
export function nextHybridTime(last: HybridTime, physicalMs: number): HybridTime {
  return Math.max(last + 1, Math.floor(physicalMs) * hybridTicksPerMs);
}

export function hybridTimeToMs(time: HybridTime): number {
  return Math.floor(time / hybridTicksPerMs);
}
