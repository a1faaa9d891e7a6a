/**
 * The calls of this node itself. Chooses where each attempt goes: into this node's own turns when
 * it leads the key, else over the link to whoever does.
 */
import { decodeValue, encodeValue } from "../../codec/value-bytes.ts";
import { checkStatelessCall } from "../../definition/call-options.ts";
import type { Handle, HandleCall } from "../../definition/handle.ts";
import { createHandle } from "../../definition/handle.ts";
import type { Reply } from "../../definition/reply.ts";
import type { AnyFunction } from "../../definition/function-definition.ts";
import type { AskRequest, Calls } from "../../functions/ports.ts";
import { internalOperation } from "../../functions/internal-operation.ts";
import type { Registry, RegisteredOperation } from "../../functions/registry.ts";
import type { SubmittedTurn, TurnRequest } from "../../functions/turn-request.ts";
import type { Turns } from "../../functions/turns.ts";
import type { ClusterClock } from "../../membership/cluster-clock.ts";
import { LatticeError } from "../../model/error.ts";
import { entityName, splitEntityName, type EntityName, type NodeId } from "../../model/ids.ts";
import { checkFunctionName, checkKey } from "../../model/names.ts";
import { checkOptionalValue } from "../../model/value-check.ts";
import type { Value } from "../../model/value.ts";
import { DeadlineWheel } from "../../platform/deadline-wheel.ts";
import type { Platform, Timers } from "../../platform/platform.ts";
import { tokenOf } from "../../routing/session-marks.ts";
import { RetryBudget } from "../../routing/retry-budget.ts";
import { RetryPolicy } from "../../routing/retry-policy.ts";
import type { CallMessage, FailureMessage, ReplyMessage } from "../../wire/messages.ts";
import type { Routes } from "../cluster/routes.ts";
import type { Links } from "../links/links.ts";
import type { Addresses } from "./addresses.ts";
import type { Attempt, Attempts } from "./attempts.ts";
import { CallNumbers } from "./call-numbers.ts";
import type { CallServer, Serving } from "./call-server.ts";
import { NodeCall, type NodeCallOwner } from "./node-call.ts";
import type { CallSession, NodeCallEnd, NodeCallRequest } from "./node-call-request.ts";
import type { AskIdentity } from "./ask-protection.ts";
import { CallOrder } from "./call-order.ts";
import { askedBy, numbered, unprotected, type CallProtection } from "./call-protection.ts";
import { noBytes, type CallUnderWay } from "./served-call.ts";

/** Time for a change that is the system's own; no function says how long it may take. */
const changeTimeoutMs = 10_000;

export interface NodeCallerOptions {
  readonly self: NodeId;
  readonly platform: Platform;
  readonly addresses: Addresses;
  readonly registry: Registry;
  readonly turns: () => Turns;
  readonly server: () => Pick<CallServer, "serve">;
  readonly serving: Serving;
  readonly routes: Routes;
  readonly links: Links;
  readonly attempts: Attempts;
  readonly partitionCount: number;
  readonly clusterClock: Pick<ClusterClock, "reading">;
}

export class NodeCaller implements Calls, NodeCallOwner {
  readonly policy: RetryPolicy;
  readonly self: NodeId;
  readonly timers: Timers;
  readonly #options: NodeCallerOptions;
  readonly #wheel: DeadlineWheel;
  readonly #callerId: string;
  readonly #numbers = new CallNumbers();
  readonly #open = new Set<NodeCall>();
  readonly #budget = new RetryBudget();
  readonly #inOrder = new CallOrder();
  #closed = false;

  constructor(options: NodeCallerOptions) {
    const { platform } = options;
    this.#options = options;
    this.self = options.self;
    this.timers = platform.timers;
    this.policy = new RetryPolicy(platform.random, this.#budget);
    this.#wheel = new DeadlineWheel(platform.clock, platform.timers);
    this.#callerId = platform.ids.unique();
  }

  get tableId(): number {
    return this.#options.routes.tableId >>> 0;
  }

  now(): number {
    return this.#options.platform.clock.now();
  }

  giveAge(call: NodeCall): void {
    const { caller, number, startedAt } = call;
    const { clusterClock, platform } = this.#options;
    call.ageTime = clusterClock.reading(startedAt);
    call.ageId = caller === "" ? platform.ids.unique() : `${caller}:${String(number)}`;
  }

  /** A typed handle, as a client has them. */
  handle<F extends AnyFunction>(
    functionName: string,
    key: string,
    session?: CallSession,
  ): Handle<F> {
    checkKey(key);
    const registered = this.#options.registry.find(functionName);
    return createHandle<F>({
      functionName,
      key,
      operations: registered,
      call: (call) => this.#callFromHandle(call, session),
      watch: () => {
        throw new LatticeError(
          "failed_precondition",
          "a node's own handles do not watch: connect a client to it",
        );
      },
    });
  }

  /** Makes a call; `done` is called once. */
  call(request: NodeCallRequest, done: (end: NodeCallEnd) => void): NodeCall {
    const address = this.#options.addresses.of(request.functionName, request.key);
    const call = new NodeCall(this, request, address, done);
    if (this.#closed) {
      call.cancel(new LatticeError("unavailable", `${this.self} is leaving`));
      return call;
    }
    this.#budget.earn();
    this.#open.add(call);
    this.#wheel.add(call, request.timeoutMs);
    call.attempt();
    return call;
  }

  /** A call from inside a turn. */
  ask(request: AskRequest): Promise<Value | undefined> {
    const operation = this.#options.registry.operation(request.functionName, request.operation);
    const protection = this.#protectionOfAsk(operation, request);
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        call.cancel(
          new LatticeError("cancelled", "the turn that asked was cut off", {
            indeterminate: !operation.isQuery,
          }),
        );
      };
      const call = this.call(
        {
          ...this.#basicsOf(operation, request.key, request.input),
          ...protection,
          session: request.inSession ? sessionOf(request) : undefined,
          timeoutMs: request.timeoutMs,
          ageTime: request.ageTime,
          ageId: request.ageId,
          chain: request.chain,
          trace: request.trace,
        },
        (end) => {
          request.signal.removeEventListener("abort", stop);
          protection.settled();
          if (end.type === "ok") resolve(valueOf(end.value));
          else reject(end.error);
        },
      );
      request.signal.addEventListener("abort", stop, { once: true });
      if (request.signal.aborted) stop();
    });
  }

  /**
   * Makes a change of an entity that is the system's own, where the entity is led; resolves when it has
   * taken effect, once, or at least once without protection.
   */
  async change(
    entity: EntityName,
    operation: string,
    input: Value,
    { isProtected = true } = {},
  ): Promise<void> {
    const { functionName, key } = splitEntityName(entity);
    checkFunctionName(functionName);
    checkKey(key);
    const { registry } = this.#options;
    const end = await this.#makeCall(
      { functionName, key, operation, input, options: { timeoutMs: changeTimeoutMs } },
      internalOperation(registry, functionName, nothing, operation),
      {
        input,
        session: undefined,
        protection: isProtected ? numbered(this.#callerId, this.#numbers) : unprotected,
      },
    );
    if (end.type === "failed") throw end.error;
  }

  chooseTarget(call: NodeCall, tried: readonly NodeId[]): NodeId | undefined {
    const { serving, routes, links, registry } = this.#options;
    const { partition } = call;
    if (registry.runsAnywhere(call.functionName, call.operation)) {
      return tried.includes(this.self) ? undefined : this.self;
    }
    if (tried.length === 0 && this.#canRead(call)) return this.self;
    if (serving.isPrimary(partition) && !tried.includes(this.self)) return this.self;
    const usable = (node: NodeId): boolean =>
      !tried.includes(node) && links.link(node) !== undefined;
    const primary = routes.primaryOf(partition);
    if (primary !== "" && usable(primary)) return primary;
    const owner = routes.ownersOf(partition).find(usable);
    if (owner !== undefined) return owner;
    if (serving.isServing(partition) && !tried.includes(this.self)) return this.self;
    return undefined;
  }

  /** It is a query that any owner may answer, or compare with others', and this node is one that can. */
  #canRead({ isQuery, readFrom, partition, seen }: NodeCall): boolean {
    if (!isQuery) return false;
    const { serving } = this.#options;
    if (typeof readFrom === "number") return serving.isOwner(partition);
    if (readFrom !== "any") return false;
    return serving.replica(partition)?.reads.canRead(seen) === true;
  }

  submit(call: TurnRequest): SubmittedTurn {
    return this.#options.turns().submit(call);
  }

  serve(message: CallMessage, call: NodeCall): CallUnderWay | undefined {
    const answer = (end: ReplyMessage | FailureMessage): void => call.answered(end);
    const origin = { node: this.self, answer, done: nothing };
    return this.#options.server().serve(message, origin, call.address, this.now());
  }

  send(node: NodeId, message: CallMessage, attempt: Attempt): number | undefined {
    return this.#options.attempts.send(node, message, attempt);
  }

  cancelSent(id: number): void {
    this.#options.attempts.cancel(id);
  }

  settled(call: NodeCall): void {
    this.#wheel.cancel(call);
    this.#open.delete(call);
  }

  /** Ends what is open; later calls fail at once. */
  close(): void {
    this.#closed = true;
    for (const call of [...this.#open]) {
      call.cancel(
        new LatticeError("unavailable", `${this.self} is leaving`, { indeterminate: true }),
      );
    }
    this.#wheel.clear();
  }

  async #callFromHandle(call: HandleCall, session: CallSession | undefined): Promise<unknown> {
    const operation = this.#options.registry.operation(call.functionName, call.operation);
    const checked = checkOptionalValue(call.input, "input");
    if (operation.function.isStateless) checkStatelessCall(call.functionName, call.options);
    call.options.signal?.throwIfAborted();
    const parts = (): CallParts => ({
      input: checked,
      session,
      protection: this.#protectionFor(operation, call),
    });
    const end =
      call.options.ordered === true
        ? await this.#inOrder.after(entityName(call.functionName, call.key), () =>
            this.#makeCall(call, operation, parts()),
          )
        : await this.#makeCall(call, operation, parts());
    if (end.type === "failed") throw end.error;
    const value = valueOf(end.value);
    if (call.options.reply !== "full") return value;
    const { degraded, copies, node, hops, seen } = end;
    const full: Reply<unknown> = { value, degraded, copies, node, hops };
    if (seen === undefined) return full;
    return { ...full, token: tokenOf(this.#options.partitionCount, seen) };
  }

  #makeCall(
    { key, options, isPiped }: HandleCall,
    operation: RegisteredOperation,
    { input, session, protection }: CallParts,
  ): Promise<NodeCallEnd> {
    const { signal } = options;
    return new Promise((resolve) => {
      const stop = (): void => {
        call.cancel(
          new LatticeError("cancelled", "cancelled by its caller", {
            indeterminate: !operation.isQuery,
          }),
        );
      };
      const call = this.call(
        {
          ...this.#basicsOf(operation, key, input),
          ...protection,
          isPiped,
          ...(options.acks === undefined ? {} : { acks: options.acks }),
          ...(options.whenSplit === undefined ? {} : { whenSplit: options.whenSplit }),
          ...(options.readFrom === undefined ? {} : { readFrom: options.readFrom }),
          session,
          timeoutMs: options.timeoutMs ?? operation.function.settings.deadlineMs,
          ageTime: 0,
          ageId: "",
          chain: [],
          trace: options.traceparent ?? "",
        },
        (end) => {
          signal?.removeEventListener("abort", stop);
          protection.settled();
          resolve(end);
        },
      );
      signal?.addEventListener("abort", stop, { once: true });
      if (signal?.aborted === true) stop();
    });
  }

  #protectionOfAsk(operation: RegisteredOperation, request: AskRequest): CallProtection {
    if (operation.function.isStateless) return unprotected;
    return this.protectionOf(request);
  }

  /** Of what is called by whoever was called himself, by that name: an ask, or the next stage of a chain. */
  protectionOf(request: AskIdentity): CallProtection {
    return request.caller === "" ? numbered(this.#callerId, this.#numbers) : askedBy(request);
  }

  #protectionFor(operation: RegisteredOperation, { options }: HandleCall): CallProtection {
    const { idempotencyKey } = options;
    if (operation.isQuery || operation.function.isStateless) return unprotected;
    if (idempotencyKey === undefined) return numbered(this.#callerId, this.#numbers);
    return { caller: idempotencyKey, number: 0, received: () => 0, settled: nothing };
  }

  #basicsOf(
    operation: RegisteredOperation,
    key: string,
    input: Value | undefined,
  ): Pick<
    NodeCallRequest,
    | "functionName"
    | "key"
    | "operation"
    | "isQuery"
    | "input"
    | "outbox"
    | "isRetry"
    | "whenSplit"
    | "readFrom"
    | "session"
    | "acks"
    | "strictAcks"
  > {
    return {
      functionName: operation.function.name,
      key,
      operation: operation.name,
      isQuery: operation.isQuery,
      input: input === undefined ? noBytes : encodeValue(input),
      outbox: false,
      isRetry: false,
      whenSplit: operation.function.settings.whenSplit,
      readFrom: "primary",
      session: undefined,
      acks: undefined,
      strictAcks: false,
    };
  }
}

/** What a call inside a session's turn is shown is what that turn was shown. */
function sessionOf({ noteSeen }: AskRequest): CallSession {
  return { seenOf: () => undefined, note: noteSeen };
}

interface CallParts {
  readonly input: Value | undefined;
  readonly session: CallSession | undefined;
  readonly protection: CallProtection;
}

function nothing(): void {
  return;
}

function valueOf(bytes: Uint8Array): Value | undefined {
  return bytes.length === 0 ? undefined : decodeValue(bytes);
}
