/**
 * Calls the cluster as the scenario says, and writes down what was asked and answered. Its own
 * processes (clients) live in the same network and may be cut off, but never crash or stall: their
 * record is what the cluster is judged by.
 */
import type { Client } from "../../client/client.ts";
import { pipe } from "../../definition/pipe.ts";
import type { CallOptions } from "../../definition/call-options.ts";
import type { Reply } from "../../definition/reply.ts";
import type { ReadFrom } from "../../model/acks.ts";
import { LatticeError } from "../../model/error.ts";
import { randomBelow, type Random } from "../../model/random.ts";
import { seededRandom } from "../../platform/seeded-random.ts";
import type { SimulatedCluster } from "../simulated-cluster.ts";
import type { CallRecord, SessionName, ShownState } from "./history.ts";
import {
  operations,
  type OperationName,
  type Scenario,
  type SlateOperationName,
} from "./scenario.ts";
import {
  slateNames,
  type Passed,
  type Seen,
  type SimulatedFunctionName,
} from "./simulated-functions.ts";
import { drawTimerCall, type TimerWish } from "./timer-calls.ts";

export type EntityId = readonly [SimulatedFunctionName, string];

interface HandleMaker {
  get(functionName: string, key: string): AnyHandle;
}

/** A handle as this file uses it. */
interface AnyHandle {
  with(options: CallOptions): AnyHandle;
  watch(): AsyncIterable<{ readonly effects: Readonly<Record<string, number>> }>;
  readonly [operation: string]: unknown;
}

export interface SimulatedClient {
  readonly name: string;
  readonly isProtected: boolean;
  readonly client: Client<unknown>;
  /** It is a session. */
  readonly session?: SessionName;
}

/** What is asked of one call. */
interface Request {
  readonly who: SimulatedClient;
  readonly entity: EntityId;
  readonly operation: CallRecord["operation"];
  readonly timeoutMs: number;
  readonly acks?: number | "all" | undefined;
  readonly targets?: readonly EntityId[];
  readonly removes?: string;
  readonly readFrom?: ReadFrom;
  readonly timer?: TimerWish;
}

export class Workload {
  readonly calls: CallRecord[] = [];
  readonly slateCalls: CallRecord[] = [];
  readonly shown: ShownState[] = [];
  readonly entities: readonly EntityId[];
  /** Those that are deleted again and again: the more there are, the longer each stays deleted. */
  readonly slates: readonly EntityId[] = ["s", "t", "u"].flatMap((key) =>
    slateNames.map((name): EntityId => [name, key]),
  );
  /** `History.handedOnAt` */
  handedOnAt: number | undefined;
  readonly #cluster: SimulatedCluster;
  readonly #scenario: Scenario;
  readonly #random: Random;
  readonly #clients: readonly SimulatedClient[];
  #order = 0;
  #unanswered = 0;
  #isOver = false;
  /** What each watcher was shown last. */
  readonly #watched = new Map<string, { entity: EntityId; ids: readonly string[] }>();

  constructor(cluster: SimulatedCluster, scenario: Scenario, clients: readonly SimulatedClient[]) {
    this.#cluster = cluster;
    this.#scenario = scenario;
    this.#clients = clients;
    this.#random = seededRandom(scenario.seed, "workload");
    this.entities = drawEntities(scenario, this.#random);
  }

  /** Calls and answers so far. */
  get order(): number {
    return this.#order;
  }

  /** The place of something that happens now. */
  nextOrder(): number {
    this.#order += 1;
    return this.#order;
  }

  get clients(): readonly SimulatedClient[] {
    return this.#clients;
  }

  get allCalls(): readonly CallRecord[] {
    return [...this.calls, ...this.slateCalls];
  }

  get protectedClient(): SimulatedClient {
    return this.#clients[0]!;
  }

  get unansweredCount(): number {
    return this.#unanswered;
  }

  get watched(): ReadonlyMap<
    string,
    { readonly entity: EntityId; readonly ids: readonly string[] }
  > {
    return this.#watched;
  }

  /** Arms all calls of the run. */
  start(): void {
    const { timers } = this.#cluster.time;
    const { callCount, slateCallCount, timerCallCount, durationMs, watcherCount } = this.#scenario;
    for (let i = 0; i < callCount; i++) {
      timers.after(this.#random() * durationMs, () => {
        this.#callSomething();
      });
    }
    const random = seededRandom(this.#scenario.seed, "slate calls");
    for (let i = 0; i < slateCallCount; i++) {
      timers.after(random() * durationMs, () => {
        this.#callSlate(random);
      });
    }
    const timerRandom = seededRandom(this.#scenario.seed, "timers");
    for (let i = 0; i < timerCallCount; i++) {
      timers.after(timerRandom() * durationMs, () => {
        this.#callTimer(timerRandom);
      });
    }
    for (let i = 0; i < watcherCount; i++) {
      timers.after(this.#random() * durationMs * 0.5, () => {
        void this.#watchSomething(i);
      });
    }
  }

  /** From now on it calls nothing of its own accord. */
  end(): void {
    this.#isOver = true;
  }

  /** So many calls of one entity within so many milliseconds. */
  burst(entity: EntityId, count: number, withinMs: number): void {
    for (let i = 0; i < count; i++) {
      this.#cluster.time.timers.after(this.#random() * withinMs, () => {
        if (!this.#isOver) this.#callSomething(entity);
      });
    }
  }

  /** One plain call of every entity by a protected client. */
  callAll(timeoutMs: number): readonly CallRecord[] {
    const who = this.protectedClient;
    return this.entities.map((entity) => this.call({ who, entity, operation: "put", timeoutMs }));
  }

  #callSomething(target?: EntityId): void {
    const { callTimeoutMs, acksOneShare, acksAllShare, unprotectedShare } = this.#scenario;
    const random = this.#random;
    const isUnprotected = random() < unprotectedShare;
    const able = this.#clients.filter(({ isProtected }) => isProtected !== isUnprotected);
    const who = able[randomBelow(random, able.length)]!;
    const operation = this.#drawOperation();
    const entity = target ?? this.#drawEntity();
    const draw = random();
    const acks = draw < acksOneShare ? 1 : draw > 1 - acksAllShare ? ("all" as const) : undefined;
    const timeoutMs = callTimeoutMs * (0.5 + random());
    const targets = this.#drawTargets(operation, entity);
    const tagged = this.call({ who, entity, operation, timeoutMs, acks, targets });
    if (operation === "tag") this.#untagLater(who, tagged);
  }

  #callSlate(random: Random): void {
    const isRepeated = this.#scenario.buggify.tombstoneMs === undefined;
    const able = this.#clients.filter(({ isProtected }) => isProtected === isRepeated);
    const who = able[randomBelow(random, able.length)]!;
    const entity = this.slates[randomBelow(random, this.slates.length)]!;
    const draw = random();
    const operation = drawSlateOperation(draw);
    const timeoutMs = this.#scenario.callTimeoutMs * (0.5 + random());
    const target = this.entities[randomBelow(random, this.entities.length)]!;
    const targets = operation === "post" ? [target] : [];
    this.call({ who, entity, operation, timeoutMs, targets });
  }

  #callTimer(random: Random): void {
    const who = this.#clients[randomBelow(random, this.#clients.length)]!;
    const entity = this.entities[randomBelow(random, this.entities.length)]!;
    const timeoutMs = this.#scenario.callTimeoutMs * (0.5 + random());
    this.call({ who, entity, timeoutMs, ...drawTimerCall(random) });
  }

  /** Some of what was added and acknowledged is removed again. */
  #untagLater(who: SimulatedClient, tagged: CallRecord): void {
    if (this.#random() < 0.5) return;
    this.#cluster.time.timers.after(this.#random() * 8_000, () => {
      if (this.#isOver || tagged.answer?.type !== "ok") return;
      const { functionName, key, id, timeoutMs } = tagged;
      this.call({ who, entity: [functionName, key], operation: "untag", timeoutMs, removes: id });
    });
  }

  call(request: Request): CallRecord {
    const { who, entity, operation, timeoutMs, acks, targets = [], removes = "" } = request;
    const { readFrom, timer } = request;
    const [functionName, key] = entity;
    const isSlate = slateNames.includes(functionName);
    const calls = isSlate ? this.slateCalls : this.calls;
    const record: CallRecord = {
      id: `${isSlate ? "s" : ""}${String(calls.length + 1)}`,
      client: who.name,
      functionName,
      key,
      operation,
      isProtected: who.isProtected,
      acks,
      readFrom,
      session: who.session,
      targets,
      removes,
      timer,
      timeoutMs,
      sentAt: this.#cluster.time.now,
      sentOrder: ++this.#order,
      answer: undefined,
    };
    calls.push(record);
    this.#unanswered += 1;
    const { client } = who as { client: unknown } as { client: HandleMaker };
    const plain = client.get(functionName, key);
    const handle = plain.with({ reply: "full", timeoutMs, acks, readFrom });
    const run = handle[operation] as (input?: unknown) => Promise<Reply<Seen | undefined>>;
    const running =
      operation === "pass"
        ? chainOf(client, record)({ id: record.id })
        : run(inputOf(record, this.#random));
    running.then(
      ({ value, degraded, copies, hops, node }) => {
        const seen = value ?? [];
        this.#answered(record, { type: "ok", degraded, copies, hops, node, seen });
      },
      (error: unknown) => {
        if (!(error instanceof LatticeError)) throw error;
        const { code, indeterminate, message } = error;
        this.#answered(record, { type: "failed", code, indeterminate, message });
      },
    );
    return record;
  }

  #answered(record: CallRecord, how: AnswerBody): void {
    this.#unanswered -= 1;
    record.answer = { ...how, at: this.#cluster.time.now, order: ++this.#order };
  }

  async #watchSomething(index: number): Promise<void> {
    const entity = this.#drawEntity();
    const who = this.#clients[randomBelow(this.#random, this.#clients.length)]!;
    const [functionName, key] = entity;
    const handle = (who.client as unknown as { get(f: string, k: string): AnyHandle }).get(
      functionName,
      key,
    );
    for await (const { effects } of handle.watch()) {
      const ids = Object.keys(effects);
      this.shown.push({ functionName, key, at: this.#cluster.time.now, ids });
      this.#watched.set(String(index), { entity, ids });
    }
  }

  #drawOperation(): OperationName {
    const { weights } = this.#scenario;
    const sum = operations.reduce((total, name) => total + weights[name], 0);
    let draw = this.#random() * sum;
    return operations.find((name) => (draw -= weights[name]) < 0) ?? "put";
  }

  #drawEntity(): EntityId {
    const { hotShare } = this.#scenario;
    if (this.#random() < hotShare) return this.entities[0]!;
    return this.entities[randomBelow(this.#random, this.entities.length)]!;
  }

  #drawTargets(operation: OperationName, entity: EntityId): EntityId[] {
    if (operation !== "send" && operation !== "ask") return [];
    const targets: EntityId[] = [];
    const count = 1 + randomBelow(this.#random, 2);
    while (targets.length < count) {
      const target = this.#drawEntity();
      const isKnown = operation === "ask" && [entity, ...targets].includes(target);
      if (isKnown) break;
      targets.push(target);
    }
    return targets;
  }
}

/** What the chain answers is told as that of its first stage. */
function chainOf(
  client: HandleMaker,
  { functionName, key, targets, timeoutMs }: CallRecord,
): (input: Passed) => Promise<Reply<Seen | undefined>> {
  type Pass = (input: Passed) => Promise<Passed>;
  const passOf = (handle: AnyHandle): Pass => handle["pass"] as Pass;
  const first = passOf(client.get(functionName, key).with({ timeoutMs }));
  const [second, ...others] = targets.map((target) => passOf(client.get(...target)));
  const chain = pipe(first, second!, ...others);
  // Nobody tells whether a stage was served degraded.
  const isStrict = [functionName, ...targets.map(([name]) => name)].every(
    (name) => name === "vault",
  );
  const bare = { degraded: !isStrict, copies: 1, node: "", hops: 1 };
  return async (input) => ({ ...bare, value: (await chain(input)).seen });
}

type AnswerBody =
  | {
      readonly type: "ok";
      readonly degraded: boolean;
      readonly copies: number;
      readonly hops: number;
      readonly node: string;
      readonly seen: Seen;
    }
  | {
      readonly type: "failed";
      readonly code: LatticeError["code"];
      readonly indeterminate: boolean;
      readonly message: string;
    };

function drawSlateOperation(draw: number): SlateOperationName {
  if (draw < 0.6) return draw < 0.3 ? "mark" : "post";
  return draw < 0.9 ? "wipe" : "renew";
}

function inputOf({ id, operation, targets, removes, timer }: CallRecord, random: Random): unknown {
  switch (operation) {
    case "put":
    case "tag":
    case "decline":
    case "mark":
    case "renew":
      return { id };
    case "pass":
      return { id };
    case "untag":
      return { id, of: removes };
    case "arm":
    case "disarm":
      return { ...timer, id };
    case "send":
    case "post":
      return { id, to: targets };
    case "ask":
      return { id, path: targets };
    case "linger":
      return { id, ms: random() * 1_500 };
    case "wipe":
    case "seen":
      return undefined;
  }
}

function drawEntities(scenario: Scenario, random: Random): EntityId[] {
  return Array.from({ length: scenario.entityCount }, (_, index): EntityId => {
    const serves = random() < scenario.serveShare;
    const isNote = serves && scenario.hasText && random() < 0.5;
    return [isNote ? "note" : serves ? "ledger" : "vault", `k${String(index)}`];
  });
}
