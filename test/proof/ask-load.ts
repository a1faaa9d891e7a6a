/**
 * The load generator of `no-deadlock`, a process of its own: a closed loop of calls along random paths.
 * Usage: forked with an `AskPlan` as its only argument, ordered by IPC (`ask-messages.ts`).
 */
import { connect, type Client } from "latticework/client";
import { seededRandom } from "../../src/platform/seeded-random.ts";
import { monotonicMs } from "../support/monotonic.ts";
import { RecordFile } from "../support/record-file.ts";
import { Recorder } from "../support/recorder.ts";
import { askerKey, type AskOrder, type AskPlan, type AskReport, type Way } from "./ask-messages.ts";
import type { Functions } from "./functions/askers.ts";

class AskLoad {
  readonly #plan: AskPlan;
  readonly #client: Client<Functions>;
  readonly #recorder: Recorder;
  readonly #random = seededRandom(1, "paths");
  #made = 0;

  constructor(plan: AskPlan, client: Client<Functions>, recorder: Recorder) {
    this.#plan = plan;
    this.#client = client;
    this.#recorder = recorder;
  }

  async run(way: Way, lengthMs: number): Promise<AskReport> {
    const madeBefore = this.#made;
    const startedAt = monotonicMs();
    const caller = async (): Promise<void> => {
      while (monotonicMs() < startedAt + lengthMs) await this.#call(way);
    };
    await Promise.all(Array.from({ length: this.#plan.inFlight }, caller));
    return { type: "ran", made: this.#made - madeBefore, tookMs: monotonicMs() - startedAt };
  }

  async #call(way: Way): Promise<void> {
    this.#made += 1;
    const { timeoutMs } = this.#plan;
    const [key = "", ...path] = this.#path();
    const call = { call: `c${String(this.#made)}`, functionName: "asker", key, input: path };
    const handle = this.#client.get("asker", key).with({ timeoutMs, reply: "full" });
    await this.#recorder.make({ ...call, operation: way, from: way }, () => handle[way](path));
  }

  /** Different entities, at random: a chain must not come back to one that it holds. */
  #path(): readonly string[] {
    const { entities, asksMax } = this.#plan;
    const length = 2 + this.#below(asksMax);
    const path = new Set<string>();
    while (path.size < length) path.add(askerKey(this.#below(entities)));
    return [...path];
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count);
  }
}

function report(message: AskReport): void {
  process.send?.(message);
}

const plan = JSON.parse(process.argv[2] ?? "") as AskPlan;
const record = await RecordFile.create("no-deadlock");
const client = await connect<Functions>({ nodes: plan.addresses });
const load = new AskLoad(plan, client, new Recorder(record));

async function obey(order: AskOrder): Promise<void> {
  if (order.type === "run") {
    report(await load.run(order.way, order.lengthMs));
    return;
  }
  await Promise.all([client.close(), record.close()]);
  report({ type: "stopped" });
  process.disconnect();
}

// A process that cannot go on ends, and with it its parent's wait.
process.on("message", (order: AskOrder) => void obey(order));
process.once("disconnect", () => process.exit());
report({ type: "connected", record: record.file });
