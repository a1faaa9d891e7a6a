/**
 * How long a suspicion lasts. It starts long and shrinks as others, on their own, suspect the same
 * member: one accuser may be the faulty one, several agree. Lifeguard (Dadgar et al. 2018, §4.2)
 * with memberlist's formula:
 *
 *     timeout(c) = max − (max − min) × log(c + 1) / log(k + 1),   at least min
 */

/** `factor × max(1, log10 n) × interval`: grows with the time gossip needs to reach everybody. */
export function suspicionMsMin(
  factor: number,
  memberCount: number,
  probeIntervalMs: number,
): number {
  return factor * Math.max(1, Math.log10(Math.max(1, memberCount))) * probeIntervalMs;
}

/** Confirmations worth waiting for: none when fewer than `wanted` others could give one. */
export function confirmationsNeeded(wanted: number, memberCount: number): number {
  return memberCount - 2 < wanted ? 0 : wanted;
}

export interface SuspicionBounds {
  readonly msMin: number;
  readonly msMax: number;
  /** k of the formula; 0 means that the least time holds at once. */
  readonly needed: number;
}

/** Milliseconds from its start that a suspicion with so many confirmations lasts. */
export function suspicionMs(bounds: SuspicionBounds, confirmations: number): number {
  const { msMin, msMax, needed } = bounds;
  if (needed < 1) return msMin;
  const shrunk = msMax - ((msMax - msMin) * Math.log(confirmations + 1)) / Math.log(needed + 1);
  return Math.max(msMin, shrunk);
}
