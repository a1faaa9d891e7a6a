/**
 * Once everybody is well again: many calls at once of a few entities that ask each other, each along a path
 * of its own, so that turns which hold one entity and wait for another meet in rings all the time. Some have
 * to let go then, and every call is answered soon: one that waits for its deadline waits in a ring.
 */
import { randomBelow, shuffled, type Random } from "../../model/random.ts";
import { seededRandom } from "../../platform/seeded-random.ts";
import type { SimulatedCluster } from "../simulated-cluster.ts";
import type { CallRecord } from "./history.ts";
import type { Violations } from "./invariants.ts";
import type { Scenario } from "./scenario.ts";
import type { EntityId, SimulatedClient, Workload } from "./workload.ts";

/** Longest time of such a call; L2 names it. */
const timeoutMs = 10_000;
const withinMs = 2;
const entityCount = 4;
const pathMax = 3;

/** Makes the calls, waits for their answers and judges them. */
export async function askAcross(
  { time }: SimulatedCluster,
  { seed, crossingAskCount }: Scenario,
  workload: Workload,
  violations: Violations,
): Promise<void> {
  const random = seededRandom(seed, "crossing asks");
  const who = workload.protectedClient;
  const entities = shuffled(workload.entities, random).slice(0, entityCount);
  const calls: CallRecord[] = [];
  for (let i = 0; i < crossingAskCount; i++) {
    time.timers.after(random() * withinMs, () => {
      calls.push(askAlong(drawPath(entities, random), who, workload));
    });
  }
  const areAnswered = (): boolean =>
    calls.length === crossingAskCount && calls.every(({ answer }) => answer !== undefined);
  await time.run({ untilAt: time.now + withinMs + 2 * timeoutMs, condition: areAnswered });
  for (const call of calls) judgeCrossingAsk(call, violations);
}

function drawPath(entities: readonly EntityId[], random: Random): readonly EntityId[] {
  return shuffled(entities, random).slice(0, 2 + randomBelow(random, pathMax - 1));
}

function askAlong(
  [entity, ...targets]: readonly EntityId[],
  who: SimulatedClient,
  workload: Workload,
): CallRecord {
  return workload.call({ who, entity: entity!, operation: "ask", timeoutMs, targets });
}

/** L2. */
export function judgeCrossingAsk(call: CallRecord, violations: Violations): void {
  const { id, functionName, key, answer, sentAt } = call;
  violations.check("L2", answer?.type === "ok", () => {
    const how = answer?.type === "failed" ? `${answer.code}: ${answer.message}` : answer?.type;
    const tookMs = answer === undefined ? "" : ` after ${(answer.at - sentAt).toFixed(0)} ms`;
    return `call ${id} of ${functionName}/${key}, which asks others, was answered ${how ?? "not at all"}${tookMs}`;
  });
}
