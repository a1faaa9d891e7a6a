/**
 * Reads of several owners, by everybody who calls: those of a majority are held to as much as linearizable
 * ones (C17), those in sessions to what sessions are (C14, C15). Judged by `session-judge.ts`.
 */
import type { ReaderCount } from "../../model/acks.ts";
import { randomBelow, type Random } from "../../model/random.ts";
import { seededRandom } from "../../platform/seeded-random.ts";
import type { SimulatedCluster } from "../simulated-cluster.ts";
import type { Scenario } from "./scenario.ts";
import type { SimulatedClient, Workload } from "./workload.ts";

/** Those that sessions call too, so that they change often. */
const entityCount = 4;

export class NewestCalls {
  readonly #cluster: SimulatedCluster;
  readonly #scenario: Scenario;
  readonly #workload: Workload;
  readonly #clients: () => readonly SimulatedClient[];
  readonly #random: Random;

  constructor(
    cluster: SimulatedCluster,
    scenario: Scenario,
    workload: Workload,
    clients: () => readonly SimulatedClient[],
  ) {
    this.#cluster = cluster;
    this.#scenario = scenario;
    this.#workload = workload;
    this.#clients = clients;
    this.#random = seededRandom(scenario.seed, "newest calls");
  }

  /** Arms all its calls; nothing of it changes what others draw. */
  start(): void {
    const { newestCallCount, durationMs } = this.#scenario;
    for (let i = 0; i < newestCallCount; i++) {
      this.#cluster.time.timers.after(this.#random() * durationMs, () => {
        this.#callSomething();
      });
    }
  }

  #callSomething(): void {
    const random = this.#random;
    const clients = this.#clients();
    const { entities } = this.#workload;
    const who = clients[randomBelow(random, clients.length)];
    const entity = entities[randomBelow(random, Math.min(entityCount, entities.length))]!;
    const readFrom = (2 + randomBelow(random, 3)) as ReaderCount;
    const timeoutMs = this.#scenario.callTimeoutMs * (0.5 + random());
    // Every second one has something new to show.
    if (random() < 0.5) this.#write(entity, timeoutMs);
    if (who === undefined) return;
    this.#workload.call({ who, entity, operation: "seen", readFrom, timeoutMs });
  }

  #write(entity: Workload["entities"][number], timeoutMs: number): void {
    const who = this.#clients().find(({ isProtected }) => isProtected);
    if (who !== undefined) this.#workload.call({ who, entity, operation: "put", timeoutMs });
  }
}
