/** The arithmetic of one probe. */
import type { MembershipSettings } from "./settings.ts";

type Timing = Pick<MembershipSettings, "probeIntervalMs" | "probeTimeoutMs" | "probeTimeoutMsMax">;

/** How long to wait for the direct answer: `clamp(4 × p99) × (health + 1)`. */
export function probeTimeoutMs(timing: Timing, roundTripP99Ms: number, health: number): number {
  const adapted = Math.max(timing.probeTimeoutMs, 4 * roundTripP99Ms);
  return Math.min(adapted, timing.probeTimeoutMsMax) * (health + 1);
}

/** Pause between the starts of two probes. */
export function probePeriodMs(timing: Timing, health: number): number {
  return timing.probeIntervalMs * (health + 1);
}

/** When a probe without any answer has failed: helpers get as long as the target had. */
export function probeVerdictMs(timing: Timing, timeoutMs: number, health: number): number {
  return Math.max(probePeriodMs(timing, health), 2 * timeoutMs);
}

/** How long a helper waits before it says no; early enough that the no arrives in time. */
export function relayMs(timeoutMs: number): number {
  return 0.8 * timeoutMs;
}

/** Helpers to ask: everybody but oneself and the target at most. */
export function helpersToAsk(wanted: number, memberCount: number): number {
  return Math.max(0, Math.min(wanted, memberCount - 2));
}
