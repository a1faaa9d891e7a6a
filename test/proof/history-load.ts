/**
 * The load generator of `linearizable`, a process of its own: clients that call by the clock and never
 * wait for an answer, and write down what they were told. Some of them roam: they call the primary of
 * each key, as the nodes tell them, and change as much as they read. The others stay with one node,
 * whatever becomes of it, and read most of the time: when that node stops, their reads are on their way
 * to it, and it answers them when it goes on, unless it knows better.
 * Usage: forked with a `HistoryPlan` as its only argument, ordered by IPC (`history-messages.ts`).
 */
import { setImmediate as turn } from "node:timers/promises";
import type { Reply } from "latticework";
import { connect, type Client, type ConnectOptions } from "latticework/client";
import type { State } from "../support/linearizability/operation.ts";
import { monotonicMs } from "../support/monotonic.ts";
import { RecordFile } from "../support/record-file.ts";
import { answerOf } from "../support/recorder.ts";
import type { Functions } from "./functions/objects.ts";
import {
  canBeQuiet,
  lastCalls,
  objectOf,
  stayingAt,
  type HistoryOrder,
  type HistoryPlan,
  type HistoryRecord,
  type HistoryReport,
} from "./history-messages.ts";

/** What the proof asks of queries, and its control does not. */
const linearizable = { readFrom: "linearizable" } as const;

const tickMs = 5;
/** Hasty clients give up sooner than anybody can take over, and do not know what has become of it. */
const hastyTimeoutMs = 500;
/** Of the last calls, when everybody is well again. */
const lastTimeoutMs = 30_000;
/** Of the calls of a client: the share that changes something, and that which looks by a handler. */
const roaming = { changes: 0.5, looks: 0.1 };
const staying = { changes: 0.08, looks: 0.07 };

type Operation = HistoryRecord["operation"];

interface Caller {
  readonly name: string;
  readonly client: Client<Functions>;
  readonly timeoutMs: number;
  readonly habit: { readonly changes: number; readonly looks: number };
}

class HistoryLoad {
  readonly #plan: HistoryPlan;
  readonly #callers: readonly Caller[];
  readonly #record: RecordFile;
  readonly #underWay = new Set<Promise<void>>();
  /** Of these, handlers of quiet keys. */
  readonly #loud = new Set<Promise<void>>();
  readonly #quiet: readonly number[];
  #isHushed = false;
  #timer: NodeJS.Timeout | undefined;
  #calls = 0;

  constructor(plan: HistoryPlan, record: RecordFile, callers: readonly Caller[]) {
    this.#plan = plan;
    this.#record = record;
    this.#callers = callers;
    this.#quiet = [...Array(plan.keys).keys()].filter(canBeQuiet);
  }

  /** Every client reads every key, which opens its links, and then calls by the clock. */
  async start(): Promise<void> {
    for (const caller of this.#callers) {
      for (let n = 0; n < this.#plan.keys; n++) this.#make(caller, n, "read");
    }
    await Promise.all(this.#underWay);
    this.#callByClock();
  }

  #callByClock(): void {
    const begunAt = monotonicMs();
    const callsPerMs = this.#plan.callsPerS / 1_000;
    let made = 0;
    const tick = (): void => {
      const due = (monotonicMs() - begunAt) * callsPerMs;
      for (; made < due; made++) this.#makeAny(this.#callers[made % this.#callers.length]!);
      this.#timer = setTimeout(tick, tickMs);
    };
    tick();
  }

  async hush(): Promise<void> {
    this.#isHushed = true;
    await Promise.all(this.#loud);
  }

  unhush(): void {
    this.#isHushed = false;
  }

  /** Resolves when the calls have left. */
  async change(): Promise<void> {
    for (const n of this.#quiet) this.#make(this.#roamer, n, changeOf(n));
    await turn();
  }

  /** Resolves when the calls have left. */
  async read(by: readonly string[]): Promise<void> {
    for (const caller of this.#callers.filter(({ name }) => by.includes(name))) {
      for (const n of this.#quiet) this.#make(caller, n, "read");
    }
    await turn();
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    await Promise.all(this.#underWay);
    const last = { ...this.#roamer, name: lastCalls, timeoutMs: lastTimeoutMs };
    // The handlers tell what there is now, whatever becomes of what was never answered.
    for (const operation of ["look", "read"] as const) {
      for (let n = 0; n < this.#plan.keys; n++) this.#make(last, n, operation);
      await Promise.all(this.#underWay);
    }
    await Promise.all(this.#callers.map(({ client }) => client.close()));
    await this.#record.close();
  }

  get #roamer(): Caller {
    return this.#callers[0]!;
  }

  #makeAny(caller: Caller): void {
    const n = Math.floor(Math.random() * this.#plan.keys);
    const { changes, looks } = caller.habit;
    const drawn = this.#isHushed && canBeQuiet(n) ? 1 : Math.random();
    const operation = drawn < changes ? changeOf(n) : drawn < changes + looks ? "look" : "read";
    this.#make(caller, n, operation);
  }

  #make(caller: Caller, n: number, operation: Operation): void {
    const call = this.#call(caller, n, operation).finally(() => {
      this.#underWay.delete(call);
      this.#loud.delete(call);
    });
    this.#underWay.add(call);
    if (operation !== "read" && canBeQuiet(n)) this.#loud.add(call);
  }

  async #call({ name, client, timeoutMs }: Caller, n: number, operation: Operation): Promise<void> {
    this.#calls += 1;
    const { functionName, key } = objectOf(n);
    const call = `c${String(this.#calls)}`;
    const input = operation === "write" ? call : operation === "add" ? 1 : undefined;
    const options = operation === "read" && this.#plan.areReadsLinearizable ? linearizable : {};
    // The operations differ between the two functions; here they are named by data.
    const handle = client
      .get(functionName, key)
      .with({ ...options, timeoutMs, reply: "full" }) as unknown as Readonly<
      Record<Operation, (input?: unknown) => Promise<Reply<State | undefined>>>
    >;
    const sentAt = monotonicMs();
    let value: State | undefined;
    const reply = handle[operation](input).then((told) => {
      value = told.value;
      return told;
    });
    const answer = await answerOf(reply);
    const line: HistoryRecord = {
      ...{ call, functionName, key, operation, input, from: name },
      ...{ sentAt, answeredAt: monotonicMs(), answer, value },
    };
    this.#record.add(line);
  }
}

function changeOf(n: number): Operation {
  return objectOf(n).functionName === "register" ? "write" : "add";
}

async function connectAll({ addresses: nodes, timeoutMs }: HistoryPlan): Promise<Caller[]> {
  const roamers: readonly (readonly [string, number, Partial<ConnectOptions>])[] = [
    ["patient 1", timeoutMs, {}],
    ["patient 2", timeoutMs, {}],
    ["hasty", hastyTimeoutMs, {}],
    ["careless", hastyTimeoutMs, { protection: false }],
  ];
  const callers: Caller[] = [];
  for (const [name, ownTimeoutMs, options] of roamers) {
    const client = await connect<Functions>({ nodes, ...options });
    callers.push({ name, client, timeoutMs: ownTimeoutMs, habit: roaming });
  }
  for (const node of nodes) {
    const client = await connect<Functions>({ nodes: [node], direct: false });
    callers.push({ name: stayingAt(node), client, timeoutMs, habit: staying });
  }
  return callers;
}

function report(message: HistoryReport): void {
  process.send?.(message);
}

async function obey(load: HistoryLoad, order: HistoryOrder): Promise<void> {
  if (order.type === "read") await load.read(order.by);
  else await load[order.type]();
  report({ type: order.type === "stop" ? "stopped" : "obeyed" });
  if (order.type === "stop") process.disconnect();
}

const plan = JSON.parse(process.argv[2] ?? "") as HistoryPlan;
const record = await RecordFile.create("linearizable");
const load = new HistoryLoad(plan, record, await connectAll(plan));
// A process that cannot go on ends, and with it its parent's wait.
process.on("message", (order: HistoryOrder) => void obey(load, order));
process.once("disconnect", () => process.exit());
report({ type: "connected", record: record.file });
