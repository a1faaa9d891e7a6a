/**
 * The load generator of the proofs under load, a process of its own so that nothing else delays its
 * calls: an open loop, which calls by the clock and never waits for an answer, and counts how long a
 * call took from when it was due; or lots, which are over when so many calls are (`tally-lot.ts`).
 * Whatever was answered is in its record.
 * Usage: forked with a `LoadPlan` as its only argument, ordered by IPC (`tally-messages.ts`).
 */
import { setImmediate as turn } from "node:timers/promises";
import { connect, type Client } from "latticework/client";
import { monotonicMs } from "../support/monotonic.ts";
import { RecordFile } from "../support/record-file.ts";
import { answerOf } from "../support/recorder.ts";
import type { Functions } from "./functions/tallies.ts";
import {
  tallyEntity,
  type BurstOrder,
  type LoadOrder,
  type LoadPlan,
  type LoadReport,
  type Lot,
  type TallyRecord,
} from "./tally-messages.ts";
import { TallyLot } from "./tally-lot.ts";

/** Entities written at once before the load begins. */
const preloadConcurrency = 512;
/** So many that every node leads some of them. */
const entitiesRead = 256;
/** Steps through the entities without regard to how they are numbered. */
const stride = 7_919;
const tickMs = 1;

class TallyLoad {
  readonly #plan: LoadPlan;
  readonly #client: Client<Functions>;
  readonly #careless: Client<Functions>;
  readonly #record: RecordFile;
  readonly #underWay = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #calls = 0;
  #lot: TallyLot | undefined;
  /** Made under an idempotency key, and to be made again. */
  #toRepeat: { readonly n: number; readonly idempotencyKey: string }[] = [];
  /** Calls of lots so far, for the entities of the next ones. */
  readonly #ofLots = { calls: 0, careless: 0 };

  /** @param clients one that protects its calls, and one that does not */
  constructor(plan: LoadPlan, record: RecordFile, clients: readonly Client<Functions>[]) {
    const [client, careless] = clients as readonly [Client<Functions>, Client<Functions>];
    this.#plan = plan;
    this.#record = record;
    this.#client = client;
    this.#careless = careless;
  }

  async preload(): Promise<void> {
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < this.#plan.entities) await this.#call("preload", next++, monotonicMs());
    };
    await Promise.all(Array.from({ length: preloadConcurrency }, worker));
    await this.#openLinks();
  }

  /** The careless client has a link to every node before its calls count. */
  async #openLinks(): Promise<void> {
    const read = (n: number): Promise<number> => {
      const { functionName, key } = tallyEntity(n);
      return this.#careless.get(functionName, key).read();
    };
    const some = Math.min(entitiesRead, this.#plan.entities);
    await Promise.all(Array.from({ length: some }, (_, n) => read(n)));
  }

  start(): void {
    const begunAt = monotonicMs();
    const msPerCall = 1_000 / (this.#plan.callsPerS ?? 0);
    let made = 0;
    const tick = (): void => {
      const now = monotonicMs();
      for (let dueAt = begunAt + made * msPerCall; dueAt <= now; made++) {
        this.#make("load", (made * stride) % this.#plan.entities, dueAt);
        dueAt = begunAt + (made + 1) * msPerCall;
      }
      this.#timer = setTimeout(tick, tickMs);
    };
    tick();
  }

  /**
   * Makes these calls and sends the signal: one half is on its way by then (calls leave together at
   * the end of a turn), and may be answered before the signal has its effect; the other half leaves
   * right after it, and finds the connection as the signal left it.
   * @returns when the signal was sent
   */
  async burst({ entities, isProtected, careless = [], pid, signal }: BurstOrder): Promise<number> {
    const make = (half: 0 | 1): void => {
      const now = monotonicMs();
      const from = isProtected ? "burst" : "careless";
      for (const n of entities.filter((_, index) => index % 2 === half)) this.#make(from, n, now);
      for (const n of careless.filter((_, index) => index % 2 === half))
        this.#make("careless", n, now);
    };
    make(0);
    await turn();
    make(1);
    const at = monotonicMs();
    process.kill(pid, signal);
    return at;
  }

  /** Resolves when half of it is over. */
  async beginLot(lot: Lot): Promise<void> {
    const { entities, carelessFrom = entities } = this.#plan;
    const protectedEntity = (): number => (this.#ofLots.calls++ * stride) % carelessFrom;
    this.#toRepeat = Array.from({ length: lot.repeats }, () => {
      const n = protectedEntity();
      return { n, idempotencyKey: `once-${String(this.#ofLots.calls)}` };
    });
    await this.#makeAll("load", this.#client);
    const carelessEntity = (): number =>
      carelessFrom + (this.#ofLots.careless++ % (entities - carelessFrom));
    this.#lot = new TallyLot(lot, {
      load: () => this.#call("load", protectedEntity(), monotonicMs()),
      careless: () => this.#call("careless", carelessEntity(), monotonicMs()),
      refusal: (isProtected) =>
        this.#call("refusal", isProtected ? protectedEntity() : carelessEntity(), monotonicMs()),
    });
    await this.#lot.halfOver;
  }

  async endLot(): Promise<void> {
    await this.#lot?.over;
    const restarted = await connect<Functions>({ nodes: this.#plan.addresses });
    await this.#makeAll("repeat", restarted);
    await restarted.close();
  }

  async #makeAll(from: "load" | "repeat", client: Client<Functions>): Promise<void> {
    await Promise.all(
      this.#toRepeat.map(({ n, idempotencyKey }) =>
        this.#call(from, n, monotonicMs(), { client, idempotencyKey }),
      ),
    );
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    await Promise.all(this.#underWay);
    await Promise.all([this.#client.close(), this.#careless.close(), this.#record.close()]);
  }

  #make(from: "load" | "burst" | "careless", n: number, dueAt: number): void {
    const call = this.#call(from, n, dueAt).finally(() => this.#underWay.delete(call));
    this.#underWay.add(call);
  }

  async #call(
    from: TallyRecord["from"],
    n: number,
    dueAt: number,
    by?: { readonly client: Client<Functions>; readonly idempotencyKey: string },
  ): Promise<void> {
    this.#calls += 1;
    const { functionName, key } = tallyEntity(n);
    const operation = from === "refusal" ? "addAndRefuse" : "add";
    const call = { call: `c${String(this.#calls)}`, functionName, key, operation, input: 1 };
    const { timeoutMs, entities, carelessFrom = entities } = this.#plan;
    const isCareless = from === "careless" || n >= carelessFrom;
    const ours = isCareless && from !== "preload" ? this.#careless : this.#client;
    const { client = ours, idempotencyKey } = by ?? {};
    const options = { timeoutMs, idempotencyKey, reply: "full" } as const;
    const handle = client.get(functionName, key).with(options);
    const sentAt = monotonicMs();
    const answer = await answerOf(handle[operation](1));
    const answeredAt = monotonicMs();
    const line: TallyRecord = { ...call, from, dueAt, sentAt, answeredAt, answer };
    this.#record.add(line);
  }
}

function report(message: LoadReport): void {
  process.send?.(message);
}

async function obey(load: TallyLoad, order: LoadOrder): Promise<void> {
  switch (order.type) {
    case "preload":
      await load.preload();
      report({ type: "preloaded" });
      break;
    case "start":
      load.start();
      report({ type: "started" });
      break;
    case "burst":
      report({ type: "burst", at: await load.burst(order) });
      break;
    case "begin-lot":
      await load.beginLot(order);
      report({ type: "lot-half-over" });
      break;
    case "end-lot":
      await load.endLot();
      report({ type: "lot-over" });
      break;
    case "stop":
      await load.stop();
      report({ type: "stopped" });
      process.disconnect();
  }
}

const plan = JSON.parse(process.argv[2] ?? "") as LoadPlan;
const record = await RecordFile.create("tallies");
const nodes = plan.addresses;
const clients = [
  await connect<Functions>({ nodes }),
  await connect<Functions>({ nodes, protection: false }),
];
const load = new TallyLoad(plan, record, clients);
// A process that cannot go on ends, and with it its parent's wait.
process.on("message", (order: LoadOrder) => void obey(load, order));
process.once("disconnect", () => process.exit());
report({ type: "connected", record: record.file });
