/** Chains of calls (`pipe`) over two to four entities, some of them twice. Judged by C19. */
import { randomBelow, type Random } from "../../model/random.ts";
import { seededRandom } from "../../platform/seeded-random.ts";
import type { SimulatedCluster } from "../simulated-cluster.ts";
import type { Scenario } from "./scenario.ts";
import type { EntityId, Workload } from "./workload.ts";

/** Arms all chains of the run; nothing of it changes what others draw. */
export function startChains(
  cluster: SimulatedCluster,
  scenario: Scenario,
  workload: Workload,
): void {
  const random = seededRandom(scenario.seed, "chains");
  for (let i = 0; i < scenario.chainCount; i++) {
    cluster.time.timers.after(random() * scenario.durationMs, () => {
      callChain(random, scenario, workload);
    });
  }
}

function callChain(random: Random, scenario: Scenario, workload: Workload): void {
  const { clients, entities } = workload;
  const draw = (): EntityId => entities[randomBelow(random, entities.length)]!;
  const who = clients[randomBelow(random, clients.length)]!;
  const entity = draw();
  const targets = Array.from({ length: 1 + randomBelow(random, 3) }, draw);
  const timeoutMs = scenario.callTimeoutMs * (0.5 + random());
  workload.call({ who, entity, operation: "pass", targets, timeoutMs });
}
