/**
 * How calls are made, and what is measured of them.
 *
 * - closed loop: `concurrency` virtual callers, each awaits its answer before its next call. Gives
 *   the throughput; its latencies leave out the calls that a stall kept from being made.
 * - open loop: calls are made at a fixed rate whatever the answers do, and each latency counts from
 *   the time at which its call was due. So a stall shows in every call that it delayed: this is the
 *   correction for coordinated omission.
 */
import type { LatencySummary } from "./latencies.ts";

export interface ClosedLoad {
  readonly type: "closed";
  /** Callers at once. */
  readonly concurrency: number;
}

export interface OpenLoad {
  readonly type: "open";
  readonly callsPerS: number;
}

export type Load = ClosedLoad | OpenLoad;

export interface Timing {
  /** Before anything is recorded. */
  readonly warmUpMs: number;
  readonly measureMs: number;
}

export interface LoadResult extends LatencySummary {
  /** Answered while it was measured. */
  readonly callsPerS: number;
  /** Of the warm-up too: what the processor time is divided by. */
  readonly callsInAll: number;
}

/** The keys of all workloads: uniform over so many. */
export const keyCount = 10_000;

export function workloadKeys(): readonly string[] {
  return Array.from({ length: keyCount }, (_, index) => `account-${String(index)}`);
}
