/**
 * Callers that are sessions, and readers who want what is true now. They write, and read by any owner;
 * one hands its token on to another, which goes on from there. Judged by `session-judge.ts`.
 */
import type { Client } from "../../client/client.ts";
import type { CallOptions } from "../../definition/call-options.ts";
import type { Reply } from "../../definition/reply.ts";
import { LatticeError } from "../../model/error.ts";
import type { NodeId } from "../../model/ids.ts";
import { randomBelow, type Random } from "../../model/random.ts";
import { partitionOf } from "../../ring/partition.ts";
import { seededRandom } from "../../platform/seeded-random.ts";
import type { SimulatedCluster } from "../simulated-cluster.ts";
import { startChains } from "./chain-calls.ts";
import { NewestCalls } from "./newest-calls.ts";
import type { CallRecord, SessionName } from "./history.ts";
import type { Scenario } from "./scenario.ts";
import type { Seen } from "./simulated-functions.ts";
import type { EntityId, SimulatedClient, Workload } from "./workload.ts";

interface SeenHandle {
  with(options: CallOptions): { seen(): Promise<Reply<Seen>> };
}

const readInsideMax = 5;
const insideCall = {
  client: "inside",
  operation: "seen",
  isProtected: false,
  acks: undefined,
  readFrom: "linearizable",
  session: undefined,
  targets: [],
  removes: "",
  timer: undefined,
} as const;

/** A few entities, so that sessions come back to what they have seen. */
const sessionEntityCount = 4;

export class SessionCalls {
  readonly #cluster: SimulatedCluster;
  readonly #scenario: Scenario;
  readonly #workload: Workload;
  readonly #random: Random;
  readonly #clients: (SimulatedClient & { readonly session: SessionName })[] = [];
  constructor(cluster: SimulatedCluster, scenario: Scenario, workload: Workload) {
    this.#cluster = cluster;
    this.#scenario = scenario;
    this.#workload = workload;
    this.#random = seededRandom(scenario.seed, "session calls");
  }

  /** Arms all its calls; nothing of it changes what others draw. */
  start(): void {
    const { sessionCallCount, durationMs } = this.#scenario;
    const clients = (): SimulatedClient[] => [...this.#workload.clients, ...this.#clients];
    new NewestCalls(this.#cluster, this.#scenario, this.#workload, clients).start();
    startChains(this.#cluster, this.#scenario, this.#workload);
    if (sessionCallCount === 0) return;
    const { timers } = this.#cluster.time;
    void this.#connect("first", { session: true });
    for (let i = 0; i < sessionCallCount; i++) {
      timers.after(this.#random() * durationMs, () => {
        this.#callSomething();
      });
    }
    timers.after(durationMs * (0.2 + this.#random() * 0.6), () => {
      const first = this.#clients.find(({ session }) => session === "first");
      if (first === undefined) return;
      this.#workload.handedOnAt = this.#workload.order;
      void this.#connect("second", { token: first.client.token() });
    });
  }

  async #connect(session: SessionName, options: object): Promise<void> {
    const nodes = [...this.#cluster.lives.keys()];
    let client: Client<unknown>;
    try {
      client = await this.#cluster.connect<unknown>(nodes, options);
    } catch {
      // Cut off from everybody: there are no calls in this session then, which the counts show.
      return;
    }
    this.#clients.push({ name: `session-${session}`, isProtected: true, session, client });
  }

  /**
   * Reads from inside a node that has just gone on after a stall, what it led before: others may lead
   * that by now, and it cannot know. Such a call ends with its node, so only its answer is noted.
   */
  readonly readInside = (id: NodeId): void => {
    const { sessionCallCount, callTimeoutMs: timeoutMs } = this.#scenario;
    const { node } = this.#cluster.life(id);
    if (sessionCallCount === 0 || node === undefined) return;
    const { partitionCount } = this.#cluster;
    const led = this.#workload.entities.filter(([functionName, key]) =>
      node.parts.partitions.isPrimary(partitionOf(functionName, key, partitionCount)),
    );
    for (const [functionName, key] of led.slice(0, readInsideMax)) {
      const sentAt = this.#cluster.time.now;
      const sentOrder = this.#workload.nextOrder();
      const handle = node.get(functionName, key) as unknown as SeenHandle;
      const reading = handle.with({ readFrom: "linearizable", reply: "full", timeoutMs }).seen();
      void reading.then(
        ({ value: seen, degraded, copies, hops, node: by }) => {
          const how = { type: "ok", degraded, copies, hops, node: by, seen } as const;
          const answer = { ...how, at: this.#cluster.time.now, order: this.#workload.nextOrder() };
          const call = { ...insideCall, id: `inside-${String(sentOrder)}`, functionName, key };
          this.#workload.calls.push({ ...call, timeoutMs, sentAt, sentOrder, answer });
        },
        (error: unknown) => {
          if (!(error instanceof LatticeError)) throw error;
        },
      );
    }
  };

  #callSomething(): void {
    const { entities } = this.#workload;
    const who = this.#clients[randomBelow(this.#random, this.#clients.length)];
    const index = randomBelow(this.#random, Math.min(sessionEntityCount, entities.length));
    const draw = this.#random();
    const timeoutMs = this.#scenario.callTimeoutMs * (0.5 + this.#random());
    if (who === undefined) return;
    this.#call(who, entities[index]!, draw, timeoutMs);
  }

  #call(who: SimulatedClient, entity: EntityId, draw: number, timeoutMs: number): CallRecord {
    const call = { who, entity, timeoutMs } as const;
    if (draw < 0.35) return this.#workload.call({ ...call, operation: "put" });
    const readFrom = draw < 0.85 ? "any" : "linearizable";
    return this.#workload.call({ ...call, operation: "seen", readFrom });
  }
}
