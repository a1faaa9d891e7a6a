/** What a run did, in numbers that can be added up over runs and sent between processes. */
import type { SimulatedCluster } from "../simulated-cluster.ts";
import type { Faults } from "./faults.ts";
import type { InvariantName, Violations } from "./invariants.ts";
import type { Observer } from "./observer.ts";
import type { Scenario } from "./scenario.ts";
import type { Workload } from "./workload.ts";

export interface RunReport {
  readonly seed: number;
  readonly hash: string;
  readonly virtualMs: number;
  readonly events: number;
  readonly nodes: number;
  /** Enough happened for it to count. */
  readonly counts: boolean;
  /** By fault. */
  readonly faults: Readonly<Record<string, number>>;
  /** Calls by outcome and kind. */
  readonly calls: Readonly<Record<string, number>>;
  /** What the cluster had to do. */
  readonly mechanisms: Readonly<Record<string, number>>;
  /** How often each invariant was looked at. */
  readonly checks: Readonly<Partial<Record<InvariantName, number>>>;
}

const callsMin = 200;
const entitiesMin = 20;
/** A run lasts at least so long. */
export const virtualMsMin = 60_000;
const faultsMin = 3;

export function reportOf(run: {
  readonly scenario: Scenario;
  readonly cluster: SimulatedCluster;
  readonly violations: Violations;
  readonly lostBatches: number;
  readonly hash: string;
  readonly faults?: Faults;
  readonly workload?: Workload;
  readonly observer?: Observer;
}): RunReport {
  const { scenario, cluster, faults, workload } = run;
  const { time } = cluster;
  const called = new Set(workload?.calls.map(({ functionName, key }) => `${functionName}/${key}`));
  return {
    seed: scenario.seed,
    hash: run.hash,
    virtualMs: time.now,
    events: time.eventCount,
    nodes: scenario.nodeCount,
    counts:
      (workload?.calls.length ?? 0) >= callsMin &&
      called.size >= entitiesMin &&
      time.now >= virtualMsMin &&
      (faults?.count ?? 0) >= faultsMin,
    faults: Object.fromEntries(faults?.counts ?? []),
    calls: callTotals(workload),
    mechanisms: {
      ...mechanismTotals(cluster, run.observer),
      "batches of replication lost": run.lostBatches,
    },
    checks: Object.fromEntries(run.violations.checked),
  };
}

function callTotals(workload: Workload | undefined): Record<string, number> {
  const totals: Record<string, number> = {};
  const add = (name: string): void => {
    totals[name] = (totals[name] ?? 0) + 1;
  };
  for (const { answer, operation } of workload?.calls ?? []) {
    add(`op ${operation}`);
    if (answer === undefined) add("unanswered");
    else if (answer.type === "ok") add(answer.degraded ? "ok, degraded" : "ok");
    else add(answer.indeterminate ? `${answer.code}, may have run` : answer.code);
  }
  return totals;
}

function mechanismTotals(
  cluster: SimulatedCluster,
  observer: Observer | undefined,
): Record<string, number> {
  const totals: Record<string, number> = {
    takeovers: observer?.takeovers ?? 0,
    "owner changes": observer?.ownerChanges ?? 0,
    "entities with retired writers": observer?.retired.size ?? 0,
    "rests after restarts": observer?.rested.size ?? 0,
  };
  const add = (name: string, count: number): void => {
    totals[name] = (totals[name] ?? 0) + count;
  };
  for (const { node } of cluster.allLives) {
    if (node === undefined) continue;
    const { turns, calls, outbox, entityTimers, counts, partitions, clockWatch } = node.parts;
    add("dedupe hits", turns.dedupeHitCount);
    add("asks that let go", turns.abortedCount);
    add("degraded replies", turns.degradedReplyCount);
    add("retried calls", calls.retriedCount);
    add("forwards", calls.forwardCount);
    add("reads of several owners", calls.newestReads.count);
    add("stages passed on", calls.pipes.passedOnCount);
    add("owners told to catch up", calls.newestReads.toldCount);
    add("outbox deliveries", outbox.deliveredCount);
    add("outbox redeliveries", outbox.redeliveredCount);
    add("timers fired", entityTimers.firedCount);
    add("fork commits merged", counts.forksMerged);
    add("tombstones reaped", counts.reaped);
    add("late commits refused", counts.lateCommits);
    add("copies sent in pieces", partitions.cutImageCount);
    add("clocks told to be wrong", clockWatch.toldCount);
  }
  return totals;
}
