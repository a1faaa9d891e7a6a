/**
 * Calls of a function without state, which asks one that has some and passes its answer on: any node runs
 * them, also one that is cut off or behind. They are judged by what they asked for.
 */
import type { CallOptions } from "../../definition/call-options.ts";
import { LatticeError } from "../../model/error.ts";
import { randomBelow } from "../../model/random.ts";
import { seededRandom } from "../../platform/seeded-random.ts";
import type { SimulatedCluster } from "../simulated-cluster.ts";
import type { RelayRecord } from "./history.ts";
import type { Scenario } from "./scenario.ts";
import type { Seen } from "./simulated-functions.ts";
import type { EntityId, SimulatedClient, Workload } from "./workload.ts";

interface DeskHandle {
  with(options: CallOptions): {
    relay(input: { readonly id: string; readonly to: EntityId }): Promise<Seen>;
  };
}

export class RelayCalls {
  readonly records: RelayRecord[] = [];
  readonly #cluster: SimulatedCluster;
  readonly #scenario: Scenario;
  readonly #workload: Workload;
  readonly #random;

  constructor(cluster: SimulatedCluster, scenario: Scenario, workload: Workload) {
    this.#cluster = cluster;
    this.#scenario = scenario;
    this.#workload = workload;
    this.#random = seededRandom(scenario.seed, "relays");
  }

  get unansweredCount(): number {
    return this.records.filter(({ answer }) => answer === undefined).length;
  }

  /** Arms all its calls; nothing of it changes what others draw. */
  start(clients: readonly SimulatedClient[]): void {
    const { relayCallCount, durationMs } = this.#scenario;
    for (let i = 0; i < relayCallCount; i++) {
      this.#cluster.time.timers.after(this.#random() * durationMs, () => {
        this.#call(clients[randomBelow(this.#random, clients.length)]!, `r${String(i + 1)}`);
      });
    }
  }

  #call({ client }: SimulatedClient, id: string): void {
    const { entities } = this.#workload;
    const target = entities[randomBelow(this.#random, entities.length)]!;
    const record: RelayRecord = { id, target, answer: undefined };
    this.records.push(record);
    const timeoutMs = this.#scenario.callTimeoutMs * (0.5 + this.#random());
    const key = `d${String(randomBelow(this.#random, 8))}`;
    const desk = (client as { get(f: string, k: string): unknown }).get("desk", key) as DeskHandle;
    const relaying = desk.with({ timeoutMs }).relay({ id, to: target });
    void relaying.then(
      () => {
        record.answer = "ok";
      },
      (error: unknown) => {
        if (!(error instanceof LatticeError)) throw error;
        record.answer = "failed";
      },
    );
  }
}
