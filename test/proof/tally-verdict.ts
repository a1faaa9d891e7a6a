/** The counts and figures that `kills`, `rolling-restart` and `pause` have in common. */
import { none, type Figure, type Verdict } from "./proof.ts";
import type { TallyEnd } from "./tally-run.ts";

/** The raw counts of a run: signals, calls by their end, and what the nodes counted. */
export function tallyCounts({ judgement, counters, disturbances }: TallyEnd): Verdict["counts"] {
  const { latencyMs } = judgement;
  return {
    signals: disturbances.map(({ signal, pid }) => `${signal} ${String(pid)}`).join(", "),
    "least partitions led by a disturbed node": least(disturbances.map(({ led }) => led.length)),
    "calls in flight to disturbed nodes": judgement.disturbances.reduce(
      (sum, { inFlight }) => sum + inFlight,
      0,
    ),
    ...judgement.counts,
    "retried calls that arrived": counters.retried,
    "answers from the dedupe table": counters.dedupeHits,
    "calls that a node passed on": counters.forwarded,
    takeovers: counters.takeovers,
    "degraded answers": counters.degradedReplies,
    "forked commits merged": counters.forksMerged,
    "latency of calls by the clock, p50 (ms)": rounded(latencyMs.p50),
    "the same, p99 (ms)": rounded(latencyMs.p99),
    "the same, slowest (ms)": rounded(latencyMs.max),
  };
}

/** Nothing is lost, nothing counts twice, and all owners agree. */
export function exactness({ judgement, isAtRest }: TallyEnd): Figure[] {
  return [
    ...Object.entries(judgement.faults).map(([name, value]) => none(name, value)),
    none("clusters that did not come to rest", isAtRest ? 0 : 1),
  ];
}

/** What did not happen, of which a run must have seen something. */
export function missing(happened: readonly (readonly [string, boolean])[]): string | undefined {
  return happened.find(([, hasHappened]) => !hasHappened)?.[0];
}

export function least(values: readonly number[]): number {
  return values.length === 0 ? 0 : Math.min(...values);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Infinity;
}

/** One digit behind the point. */
export function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
