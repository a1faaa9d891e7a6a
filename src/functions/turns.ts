/**
 * Every call of every function on this node: one at a time per entity, in order of arrival, while
 * queries hold nothing and run at once.
 *
 *     submit ─▶ bounds ─▶ queue of its entity ─▶ run (`turn-runner.ts`) ─▶ copies ─▶ settle
 *
 * Handlers never run inside one another's stack: what arrives while one runs synchronously is put
 * aside and taken up as soon as that one is over, in order of arrival.
 *
 * An entity that nobody holds has no queue, so that a synchronous handler costs one map lookup. A
 * call that is sent twice waits behind its first attempt and is then answered from the dedupe table.
 */
import { callId, type EntityName } from "../model/ids.ts";
import { LatticeError, ofCall } from "../model/error.ts";
import { limits } from "../model/limits.ts";
import { DeadlineWheel } from "../platform/deadline-wheel.ts";
import type { TraceIds } from "../platform/platform.ts";
import type { Draft } from "../state/draft.ts";
import { reentry, tooDeep } from "./ask.ts";
import { callerOperation } from "./caller-operation.ts";
import { EntityQueue } from "./entity-queue.ts";
import type { EntityAddress } from "./entity-address.ts";
import { failedSendOperation } from "./failed-send-operations.ts";
import type { Release, TurnOutcome } from "./ports.ts";
import type { RegisteredOperation } from "./registry.ts";
import { isInternalName } from "./internal-name.ts";
import { internalOperation } from "./internal-operation.ts";
import { StatelessStore } from "./stateless-store.ts";
import { Turn } from "./turn.ts";
import type { TurnWatcher } from "./turn.ts";
import * as failures from "./turn-failures.ts";
import { failed, named } from "./turn-failures.ts";
import { largeResultBytes, TurnMeter } from "./turn-meter.ts";
import { ownTurn, type SubmittedTurn, type TurnRequest } from "./turn-request.ts";
import { TurnRunner } from "./turn-runner.ts";
import type { TurnEnds } from "./turn-runner.ts";
import type { TurnServices } from "./turn-services.ts";

export class Turns implements TurnWatcher, TurnEnds {
  readonly meter: TurnMeter;
  readonly #services: TurnServices;
  readonly #wheel: DeadlineWheel;
  readonly #runner: TurnRunner;
  /** Of functions without state. */
  readonly #statelessRunner: TurnRunner;
  /** Only of entities that an asynchronous turn holds. */
  readonly #queues = new Map<EntityName, EntityQueue>();
  /** All that are not settled and could be cut off: waiting, running asynchronously, confirming. */
  readonly #open = new Set<Turn>();
  #inFlightCount = 0;
  #dedupeHitCount = 0;
  #degradedReplyCount = 0;
  #abortedCount = 0;
  /** A turn runs synchronously right now. */
  #isBusy = false;
  #isStopped = false;
  readonly #arrivals: Turn[] = [];
  readonly #freed: EntityQueue[] = [];

  constructor(services: TurnServices) {
    this.#services = services;
    const { clock, timers } = services.platform;
    this.#wheel = new DeadlineWheel(clock, timers);
    this.#runner = new TurnRunner(services, this);
    const store = new StatelessStore(services.store);
    this.#statelessRunner = new TurnRunner({ ...services, store }, this);
    this.meter = new TurnMeter(services);
  }

  get traceIds(): TraceIds {
    return this.#services.platform.traceIds;
  }

  /** Calls without an answer so far, queries included. */
  get inFlightCount(): number {
    return this.#inFlightCount;
  }

  /** Retries that were answered with the result of their first run. */
  get dedupeHitCount(): number {
    return this.#dedupeHitCount;
  }

  /** Calls that were served without a majority of the owners. */
  get degradedReplyCount(): number {
    return this.#degradedReplyCount;
  }

  /** Calls from inside other turns that had to let go: they would have waited behind an older chain. */
  get abortedCount(): number {
    return this.#abortedCount;
  }

  /** Turns that wait for, or hold, `name` beyond one pass of the event loop. */
  queuedCount(name: EntityName): number {
    const queue = this.#queues.get(name);
    return queue === undefined ? 0 : queue.waitingCount + (queue.running === undefined ? 0 : 1);
  }

  /** Takes one call. Its end is told through `request.settle`, once; it may be over on return. */
  submit(request: TurnRequest): SubmittedTurn {
    let operation: RegisteredOperation;
    try {
      operation = this.#operationOf(request);
    } catch (error) {
      if (!(error instanceof LatticeError)) throw error;
      const { caller, number } = request;
      request.settle(failed(caller === "" ? error : ofCall(error, callId(caller, number))));
      return alreadyOver;
    }
    const { settings } = operation.function;
    const { arrivedAt } = request;
    const turn = new Turn(
      request,
      operation,
      {
        deadlineAt: Math.min(request.deadlineAt, arrivedAt + settings.deadlineMs),
        acks: request.acks ?? settings.acks ?? this.#services.settings.acksDefault,
      },
      this,
    );
    const refusal = this.#admission(turn);
    if (refusal !== undefined) {
      turn.phase = "settled";
      request.settle(named(turn, failed(refusal)));
      return turn;
    }
    this.#inFlightCount += 1;
    this.#arrive(turn);
    return turn;
  }

  /**
   * Commits a change that is the system's own, in the entity's order like any handler's and outside
   * all bounds, for nobody waits for it. `change` may use the draft only until it returns.
   */
  runInternal(
    address: EntityAddress,
    change: (draft: Draft) => void,
    done: (outcome: TurnOutcome) => void,
  ): void {
    const { registry, settings, platform } = this.#services;
    const operation = internalOperation(registry, address.functionName, change);
    const request = ownTurn({
      ...{ address, operation: operation.name, input: noBytes },
      ...{ arrivedAt: platform.clock.now(), deadlineAt: Infinity, settle: done },
    });
    const terms = { deadlineAt: Infinity, acks: settings.acksDefault };
    const turn = new Turn(request, operation, terms, this);
    this.#inFlightCount += 1;
    if (this.#isStopped) this.settle(turn, failed(failures.stopped(turn)));
    else this.#arrive(turn);
  }

  /** Ends everything: what waits or runs took no effect, what is being confirmed is unknown. */
  stop(): void {
    this.#isStopped = true;
    const open = [...this.#open];
    // Those that wait first, or they would begin when those that run are cut off.
    for (const turn of open) {
      if (turn.phase === "waiting") this.#cutOff(turn, failures.stopped(turn));
    }
    for (const turn of open) {
      if (turn.phase === "running") this.#cutOff(turn, failures.stopped(turn));
      else if (turn.phase === "confirming") {
        this.settle(turn, failed(failures.unconfirmed(turn)));
      }
    }
    this.#wheel.clear();
  }

  released(turn: Turn, release: Release): void {
    this.#runner.released(turn, release);
  }

  cancelled(turn: Turn): void {
    if (turn.phase === "confirming") {
      const error = failures.turnError(turn, "cancelled", "it ran; it may or may not stay", {
        indeterminate: !turn.operation.isQuery,
      });
      this.settle(turn, failed(error));
    } else {
      this.#cutOff(turn, failures.cancelled(turn));
    }
  }

  expired(turn: Turn): void {
    if (turn.phase !== "confirming") this.#cutOff(turn, failures.expired(turn));
    else if (turn.operation.isQuery) {
      this.settle(turn, failed(failures.unstableAnswer(turn, "not confirmed in time")));
    } else this.settle(turn, failed(failures.unconfirmed(turn)));
  }

  isConfirming(turn: Turn): void {
    const { ackTimeoutMs } = this.#services.settings;
    const now = this.#now();
    this.meter.pause(turn, now);
    this.#open.add(turn);
    this.#wheel.cancel(turn);
    this.#wheel.add(turn, Math.min(turn.deadlineAt - now, ackTimeoutMs), now);
  }

  beganAsking(turn: Turn): void {
    const queue = this.#queues.get(turn.name);
    if (queue?.running !== turn) return;
    for (const waiting of queue.mustNotWaitBehind(turn)) {
      this.#cutOff(waiting, this.#letGo(waiting));
    }
  }

  #operationOf(request: TurnRequest): RegisteredOperation {
    const { registry, values } = this.#services;
    const { address, operation } = request;
    const internal = isInternalName(operation)
      ? (failedSendOperation(registry, values, request) ??
        callerOperation(registry, values, request))
      : undefined;
    return internal ?? registry.operation(address.functionName, operation);
  }

  #admission(turn: Turn): LatticeError | undefined {
    const { chain } = turn.request;
    if (this.#isStopped) return failures.stopped(turn);
    if (this.#inFlightCount >= limits.callsPerNodeMax) return failures.nodeOverloaded(turn);
    if (turn.deadlineAt <= turn.request.arrivedAt) return failures.expired(turn);
    if (chain.length === 0) return undefined;
    if (chain.length > limits.callDepthMax) return tooDeep(turn.label);
    return chain.includes(turn.name) ? reentry(turn.name, chain) : undefined;
  }

  #arrive(turn: Turn): void {
    if (this.#isBusy) {
      this.#open.add(turn);
      this.#arrivals.push(turn);
      return;
    }
    this.#isBusy = true;
    try {
      this.#place(turn, turn.request.arrivedAt);
    } finally {
      this.#takeUp();
    }
  }

  /** Runs what came while a turn ran: first those that waited for an entity that was freed. */
  #takeUp(): void {
    try {
      while (this.#freed.length > 0 || this.#arrivals.length > 0) {
        const queue = this.#freed.shift();
        const turn = queue === undefined ? this.#arrivals.shift() : undefined;
        if (queue !== undefined) this.#runQueue(queue);
        if (turn?.phase === "waiting") this.#place(turn, this.#now());
      }
    } finally {
      this.#isBusy = false;
    }
  }

  /** Runs a turn, or lets it wait for its entity. */
  #place(turn: Turn, now: number): void {
    const mayWait = this.#queues.size > 0 && !turn.operation.isQuery && !turn.isStateless;
    const queue = mayWait ? this.#queues.get(turn.name) : undefined;
    if (queue === undefined) {
      this.#begin(turn, undefined, now);
      return;
    }
    const refusal = this.#waitRefusal(turn, queue);
    if (refusal !== undefined) {
      this.settle(turn, failed(refusal));
      return;
    }
    queue.push(turn);
    this.#watch(turn, this.#now());
  }

  #waitRefusal(turn: Turn, queue: EntityQueue): LatticeError | undefined {
    if (turn.operation.isInternal) return undefined;
    if (queue.waitingCount >= limits.entityQueueMax) return failures.entityOverloaded(turn);
    return queue.mustNotWait(turn) ? this.#letGo(turn) : undefined;
  }

  #letGo(turn: Turn): LatticeError {
    this.#abortedCount += 1;
    return failures.mustNotWait(turn);
  }

  /** Runs a turn whose time has come; `queue` is that of its entity, if there is one already. */
  #begin(turn: Turn, queue: EntityQueue | undefined, now: number): void {
    this.meter.begin(turn, now);
    const runner = turn.isStateless ? this.#statelessRunner : this.#runner;
    const promise = runner.begin(turn, now);
    if (promise === undefined) return;
    const pausedAt = this.#now();
    this.meter.pause(turn, pausedAt);
    if (!turn.operation.isQuery && !turn.isStateless) this.#holdEntity(turn, queue);
    this.#watch(turn, pausedAt);
    promise.then(
      (result) => {
        this.#enter(turn, () => {
          runner.complete(turn, result);
        });
      },
      (error: unknown) => {
        this.#enter(turn, () => {
          runner.fail(turn, error);
        });
      },
    );
  }

  #holdEntity(turn: Turn, existing: EntityQueue | undefined): void {
    const queue = existing ?? new EntityQueue(turn.name);
    queue.running = turn;
    if (existing === undefined) this.#queues.set(turn.name, queue);
    if (turn.isAsking) this.beganAsking(turn);
  }

  /** A turn that is not over yet can be cut off. */
  #watch(turn: Turn, now: number): void {
    this.#open.add(turn);
    if (turn.deadlineAt === Infinity) return;
    this.#wheel.cancel(turn);
    this.#wheel.add(turn, turn.deadlineAt - now, now);
  }

  /** Goes on with a turn whose promise settled, and then with whoever waited for its entity. */
  #enter(turn: Turn, goOn: () => void): void {
    if (turn.phase !== "running") return;
    this.#isBusy = true;
    this.#wheel.cancel(turn);
    this.meter.begin(turn, this.#now());
    try {
      goOn();
    } finally {
      this.#free(turn);
      this.#takeUp();
    }
  }

  /** Lets go of the entity, if `turn` holds it. */
  #free(turn: Turn): void {
    const queue = this.#queues.get(turn.name);
    if (queue?.running !== turn) return;
    queue.running = undefined;
    this.#freed.push(queue);
  }

  #runQueue(queue: EntityQueue): void {
    while (queue.running === undefined) {
      const turn = queue.shift();
      if (turn === undefined) {
        if (this.#queues.get(queue.name) === queue) this.#queues.delete(queue.name);
        return;
      }
      const now = this.#now();
      if (turn.deadlineAt > now) this.#begin(turn, queue, now);
      else this.settle(turn, failed(failures.expired(turn)));
    }
  }

  /** Ends a turn that waits or runs. The handler may go on, but its context is of no more use. */
  #cutOff(turn: Turn, error: LatticeError): void {
    this.#queues.get(turn.name)?.drop(turn);
    turn.revoke(error);
    this.settle(turn, failed(error));
    this.#free(turn);
    if (this.#isBusy || this.#freed.length === 0) return;
    this.#isBusy = true;
    this.#takeUp();
  }

  #now(): number {
    return this.#services.platform.clock.now();
  }

  settle(turn: Turn, outcome: TurnOutcome): void {
    turn.phase = "settled";
    this.#inFlightCount -= 1;
    if (this.#open.size > 0) this.#open.delete(turn);
    this.#wheel.cancel(turn);
    const { isInternal } = turn.operation;
    const resultBytes = outcome.type === "ok" ? outcome.value.length : 0;
    if (outcome.type === "ok") {
      if (outcome.fromDedupe) this.#dedupeHitCount += 1;
      if (outcome.degraded) this.#degradedReplyCount += 1;
      if (!isInternal) this.meter.succeeded(turn, resultBytes);
    } else if (outcome.type === "failed" && !isInternal) this.meter.failed(turn);
    // One that is offered degraded service comes again, and counts then.
    turn.request.settle(named(turn, outcome));
    if (isInternal || resultBytes > largeResultBytes) this.meter.skip();
  }
}

const alreadyOver: SubmittedTurn = Object.freeze({
  cancel: () => {
    return;
  },
});

const noBytes = new Uint8Array(0);
