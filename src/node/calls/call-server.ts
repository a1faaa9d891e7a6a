/**
 * What this node does with a call that arrives: run it, pass it on to the primary, or say who owns
 * the key. A call that is passed on is not decoded: its input travels as the bytes that came.
 */
import type { NodeId, PartitionId } from "../../model/ids.ts";
import { LatticeError } from "../../model/error.ts";
import { limits } from "../../model/limits.ts";
import type { EntityAddress } from "../../functions/entity-address.ts";
import type { Turns } from "../../functions/turns.ts";
import type { Registry } from "../../functions/registry.ts";
import type { Clock, Timers } from "../../platform/platform.ts";
import { decideForward } from "../../routing/forward-decision.ts";
import {
  callFlags,
  readCountOf,
  type CallMessage,
  type FailureMessage,
  type ReplyMessage,
} from "../../wire/messages.ts";
import type { Routes } from "../cluster/routes.ts";
import type { Links } from "../links/links.ts";
import type { Addresses } from "./addresses.ts";
import type { Attempt, Attempts } from "./attempts.ts";
import { notOwner, notServed, tooManyForwarded } from "./call-refusals.ts";
import { failureOf, noBytes, ServedCall, type CallUnderWay, type Origin } from "./served-call.ts";
import { catchUp, emptyReply, NewestReads, withoutReadCount, type Copies } from "./newest-read.ts";
import { Pipes, type StageCaller } from "./piped-call.ts";
import { Prefetch } from "./prefetch.ts";
import { WaitingCalls, type WaitingCall } from "./waiting-calls.ts";

/** What the node is for a partition, as calls need to know it. */
export interface Serving extends Copies {
  /** Whether calls can run here: as its primary, or degraded. */
  isServing(partition: PartitionId): boolean;
  isOwner(partition: PartitionId): boolean;
  isPrimary(partition: PartitionId): boolean;
  /** A call waits until somebody serves this partition. */
  hurry(partition: PartitionId): void;
}

export interface CallServerOptions {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly addresses: Addresses;
  readonly registry: Registry;
  readonly turns: Turns;
  readonly serving: Serving;
  /** A node that is known to reach the primary where this one does not, or "". */
  wayTo(partition: PartitionId): NodeId;
  readonly routes: Routes;
  readonly links: Links;
  readonly attempts: Attempts;
  /** Owners of a partition when there are enough nodes. */
  readonly replicas: number;
  readonly caller: StageCaller;
  /** The sender of a call uses another table. */
  otherTable(node: NodeId): void;
}

export class CallServer {
  readonly #options: CallServerOptions;
  readonly #isLinked = (node: NodeId): boolean => this.#options.links.link(node) !== undefined;
  readonly #waiting: WaitingCalls;
  readonly #prefetch: Prefetch;
  /** Queries of several owners. */
  readonly newestReads: NewestReads;
  /** Chains of calls. */
  readonly pipes: Pipes;
  /** Calls passed on to other nodes since the start. */
  forwardCount = 0;
  /** Calls run here since the start. */
  servedCount = 0;
  /** Those among them that their caller had sent before. */
  retriedCount = 0;

  constructor(options: CallServerOptions) {
    this.#options = options;
    this.#prefetch = new Prefetch(options.addresses, options.turns.meter.metering);
    this.newestReads = new NewestReads({
      ...options,
      askHere: (call, origin) => this.serve(call, origin, undefined, this.now()),
    });
    this.pipes = new Pipes({
      ...options,
      run: (call, origin) => this.serve(call, origin, undefined, this.now()),
    });
    this.#waiting = new WaitingCalls({
      clock: options.clock,
      timers: options.timers,
      serve: (waiting) => this.#serveWaiting(waiting),
      failed: ({ call, origin, address }, error) => {
        this.#fail(call, origin, error ?? this.#unavailable(call, address));
      },
    });
  }

  /** Calls that wait until somebody serves their partition. */
  get waitingCount(): number {
    return this.#waiting.count;
  }

  isAwaited(partition: PartitionId): boolean {
    return this.#waiting.isAwaited(partition);
  }

  /** This node's role in a partition changed, or who leads it: calls that wait for that go on. */
  partitionChanged(partition: PartitionId): void {
    this.#waiting.changed(partition);
  }

  /** A link came up: calls may go there. */
  linksChanged(): void {
    this.#waiting.changedAll();
  }

  close(): void {
    this.#waiting.close();
  }

  /** To be called with calls that came together, before they are served (`prefetch.ts`). */
  beginFrame(calls: readonly CallMessage[]): readonly (EntityAddress | undefined)[] {
    this.#options.turns.meter.beginFrame();
    return this.#prefetch.run(calls);
  }

  /** They have been served. */
  endFrame(): void {
    this.#options.turns.meter.endFrame();
  }

  /** Milliseconds of the monotonic clock. */
  now(): number {
    return this.#options.clock.now();
  }

  /**
   * Takes one call; its end is told to `origin`, once. Returns it if it has not ended yet.
   * @param known the address of the entity, where it was looked up already
   * @param arrivedAt as `now`: calls that came together need one reading of the clock
   */
  serve(
    call: CallMessage,
    origin: Origin,
    known: EntityAddress | undefined,
    arrivedAt: number,
  ): CallUnderWay | undefined {
    const address = this.#addressOf(call, origin, known);
    if (address === undefined) return undefined;
    const { opened, partition } = address;
    if (readCountOf(call.flags) > 0) return this.#read(call, address, origin, arrivedAt);
    const isLed = opened?.isServed === true || this.#options.serving.isPrimary(partition);
    if (isLed || this.#canRead(call, partition) || this.#runsAnywhere(call)) {
      return this.#run(call, address, origin, arrivedAt);
    }
    return this.#routeAnew(call, address, origin);
  }

  #routeAnew(call: CallMessage, address: EntityAddress, origin: Origin): CallUnderWay | undefined {
    this.#options.turns.meter.endGroup();
    const { tableId } = this.#options.routes;
    if (origin.node !== "" && call.tableId !== tableId >>> 0) this.#options.otherTable(origin.node);
    return this.#route(call, address, origin, undefined);
  }

  /** Its function keeps no state. */
  #runsAnywhere({ functionName, operation }: CallMessage): boolean {
    return this.#options.registry.runsAnywhere(functionName, operation);
  }

  /** Whether it is a query that may run here while somebody else leads. */
  #canRead({ flags, seen }: CallMessage, partition: PartitionId): boolean {
    const isCompared = readCountOf(flags) === 1;
    if ((flags & callFlags.readAny) === 0 && !isCompared) return false;
    const { serving } = this.#options;
    if (serving.replica(partition)?.reads.canRead(seen) === true) return true;
    if (seen !== undefined && !isCompared) catchUp(serving, partition, seen, this.now());
    return false;
  }

  /** A query of several owners, or of this one while others are asked the same. */
  #read(
    call: CallMessage,
    address: EntityAddress,
    origin: Origin,
    arrivedAt: number,
  ): CallUnderWay | undefined {
    const { serving, registry } = this.#options;
    const { partition } = address;
    const { isQuery } = registry.operation(call.functionName, call.operation);
    if (!isQuery || this.#runsAnywhere(call)) {
      return this.serve(
        { ...call, flags: withoutReadCount(call.flags) },
        origin,
        address,
        arrivedAt,
      );
    }
    if (readCountOf(call.flags) === 1) return this.#readHere(call, address, origin, arrivedAt);
    if (!serving.isOwner(partition)) return this.#routeAnew(call, address, origin);
    if (this.#options.attempts.count >= limits.callsPerNodeMax) {
      this.#fail(call, origin, tooManyForwarded(call, this.#options.self));
      return undefined;
    }
    this.#options.turns.meter.endGroup();
    return this.newestReads.begin(call, address, origin);
  }

  /**
   * Its answer shows all that this copy held when it came, so that what a majority had acknowledged by
   * then is shown by one of any majority. Until that is known to be committed it waits.
   */
  #readHere(
    call: CallMessage,
    address: EntityAddress,
    origin: Origin,
    arrivedAt: number,
  ): CallUnderWay | undefined {
    const { serving, self } = this.#options;
    const { partition } = address;
    if (call.seen !== undefined) {
      catchUp(serving, partition, call.seen, arrivedAt);
      origin.done(call.id);
      origin.answer(emptyReply(call.id, self));
      return undefined;
    }
    const inFull = { ...call, seen: serving.replica(partition)?.reads.held };
    if (serving.isPrimary(partition) || this.#canRead(inFull, partition)) {
      return this.#run(inFull, address, origin, arrivedAt);
    }
    const held = serving.isOwner(partition)
      ? this.#waiting.hold(inFull, origin, address)
      : undefined;
    if (held === undefined) this.#fail(call, origin, this.#unavailable(call, address));
    return held;
  }

  /** Serves a call that waits; returns `waiting` if it has to wait on. */
  #serveWaiting(waiting: WaitingCall): CallUnderWay | undefined {
    const { serving } = this.#options;
    const { origin, address } = waiting;
    const now = this.now();
    const call = waiting.remaining(now);
    if (serving.isPrimary(address.partition) || this.#canRead(call, address.partition)) {
      return this.#run(call, address, origin, now);
    }
    if (readCountOf(call.flags) === 1) return waiting;
    return this.#route(call, address, origin, waiting);
  }

  #route(
    call: CallMessage,
    address: EntityAddress,
    origin: Origin,
    waiting: WaitingCall | undefined,
  ): CallUnderWay | undefined {
    const { serving, routes, self } = this.#options;
    const { partition } = address;
    const decision = decideForward({
      hop: call.hop,
      from: origin.node,
      self,
      role: serving.isOwner(partition) ? "owner" : "stranger",
      primary: routes.primaryOf(partition),
      way: this.#options.wayTo(partition),
      owners: routes.ownersOf(partition),
      isLinked: this.#isLinked,
    });
    switch (decision.type) {
      case "forward":
        return this.#forward(call, partition, decision.to, origin);
      case "local": {
        if (serving.isServing(partition)) {
          return this.#run(call, address, origin, this.now());
        }
        // A read that any owner may answer does better to ask another one.
        const mayWait = (call.flags & callFlags.readAny) === 0;
        const held = waiting ?? (mayWait ? this.#waiting.hold(call, origin, address) : undefined);
        if (held === undefined) this.#fail(call, origin, this.#unavailable(call, address));
        else if (waiting === undefined) serving.hurry(partition);
        return held;
      }
      case "not_owner":
        this.#fail(call, origin, notOwner(call, self), decision.primary);
        return undefined;
    }
  }

  #run(
    call: CallMessage,
    address: EntityAddress,
    origin: Origin,
    arrivedAt: number,
  ): CallUnderWay | undefined {
    if ((call.flags & callFlags.piped) !== 0) return this.pipes.begin(call, address, origin);
    this.servedCount += 1;
    const { self } = this.#options;
    const served = new ServedCall(call, { address, origin, self, now: arrivedAt });
    if (served.retry) this.retriedCount += 1;
    served.turn = this.#options.turns.submit(served);
    return served.settled ? undefined : served;
  }

  #forward(
    call: CallMessage,
    partition: PartitionId,
    to: NodeId,
    origin: Origin,
  ): CallUnderWay | undefined {
    const { attempts, self, routes } = this.#options;
    if (attempts.count >= limits.callsPerNodeMax) {
      this.#fail(call, origin, tooManyForwarded(call, self));
      return undefined;
    }
    this.forwardCount += 1;
    const passedOn: CallMessage = {
      ...call,
      partition,
      tableId: routes.tableId >>> 0,
      hop: call.hop + 1,
    };
    const id = attempts.send(to, passedOn, new ForwardedCall(call.id, origin, self));
    if (id === undefined) return undefined;
    return {
      cancel: () => {
        attempts.cancel(id);
        origin.done(call.id);
      },
    };
  }

  /** Nobody is trusted with the partition of a key, nor clients with names. */
  #addressOf(
    call: CallMessage,
    origin: Origin,
    known: EntityAddress | undefined,
  ): EntityAddress | undefined {
    const { addresses, registry } = this.#options;
    const { functionName, key, operation } = call;
    try {
      const address = known ?? addresses.of(functionName, key);
      // What is served here is looked up by its turn; what is passed on must not cost others the look.
      const isServed = address.opened?.isServed === true;
      const isForeign = origin.node === "" && !isServed;
      if (isForeign || readCountOf(call.flags) > 0) registry.operation(functionName, operation);
      return address;
    } catch (error) {
      if (!(error instanceof LatticeError)) throw error;
      this.#fail(call, origin, error);
      return undefined;
    }
  }

  #unavailable(call: CallMessage, { partition }: EntityAddress): LatticeError {
    const { routes, self } = this.#options;
    return notServed(call, self, routes.ownersOf(partition));
  }

  #fail(call: CallMessage, origin: Origin, error: LatticeError, primary: NodeId = ""): void {
    origin.done(call.id);
    origin.answer(failureOf(call.id, error, this.#options.self, primary));
  }
}

/** Hands the answer of the node that ran the call back to whoever sent it here. */
class ForwardedCall implements Attempt {
  readonly #id: number;
  readonly #origin: Origin;
  readonly #self: NodeId;

  constructor(id: number, origin: Origin, self: NodeId) {
    this.#id = id;
    this.#origin = origin;
    this.#self = self;
  }

  answered(message: ReplyMessage | FailureMessage): void {
    this.#origin.done(this.#id);
    this.#origin.answer({ ...message, id: this.#id });
  }

  linkLost(node: NodeId): void {
    this.#origin.done(this.#id);
    this.#origin.answer({
      type: "failure",
      id: this.#id,
      code: "indeterminate",
      message: `the link from ${this.#self} to ${node} broke while the call was there`,
      indeterminate: true,
      retryAfterMs: 0,
      node: this.#self,
      primary: "",
      call: "",
      data: noBytes,
    });
  }
}
