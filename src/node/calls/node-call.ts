/**
 * One call that this node makes: for a handle of its own, for a handler that asks, for an outbox.
 * It goes to whoever leads the key, over a link or straight into the turns of this node, and is
 * repeated as the retry policy says until it is settled or its time is up.
 */
import type { Acks, ReadFrom, WhenSplit } from "../../model/acks.ts";
import { LatticeError, ofCall } from "../../model/error.ts";
import { callId, type EntityName, type NodeId, type PartitionId } from "../../model/ids.ts";
import type { Mark } from "../../model/mark.ts";
import type { HybridTime } from "../../model/time.ts";
import type { EntityAddress } from "../../functions/entity-address.ts";
import type { TurnOutcome } from "../../functions/ports.ts";
import type { SubmittedTurn, TurnRequest } from "../../functions/turn-request.ts";
import { notInWheel, type WheelEntry } from "../../platform/deadline-wheel.ts";
import type { Timer, Timers } from "../../platform/platform.ts";
import {
  errorCodeOf,
  isIndeterminate,
  type AttemptEnd,
  type CallProgress,
  type RetryPolicy,
} from "../../routing/retry-policy.ts";
import {
  acksNumber,
  callFlags,
  readFlags,
  replyFlags,
  type CallMessage,
  type FailureMessage,
  type ReplyMessage,
} from "../../wire/messages.ts";
import { decodeValue } from "../../codec/value-bytes.ts";
import type { Attempt } from "./attempts.ts";
import type { NodeCallEnd, NodeCallRequest } from "./node-call-request.ts";
import type { CallUnderWay } from "./served-call.ts";

/** What a call needs of whoever makes it. */
export interface NodeCallOwner {
  readonly self: NodeId;
  readonly tableId: number;
  readonly policy: RetryPolicy;
  readonly timers: Timers;
  now(): number;
  /** Wait–die needs one age for all attempts of a root call: that of its start. */
  giveAge(call: NodeCall): void;
  /** The best node that was not tried, or `undefined`. */
  chooseTarget(call: NodeCall, tried: readonly NodeId[]): NodeId | undefined;
  /** Into the turns of this node. */
  submit(call: TurnRequest): SubmittedTurn;
  /** What is more than a turn, as if it had come from elsewhere; its end is told to `call`. */
  serve(message: CallMessage, call: NodeCall): CallUnderWay | undefined;
  /** To another node; `undefined` if the attempt is over already. */
  send(node: NodeId, message: CallMessage, attempt: Attempt): number | undefined;
  cancelSent(id: number): void;
  settled(call: NodeCall): void;
}

export class NodeCall implements Attempt, CallProgress, WheelEntry, TurnRequest {
  // CallProgress
  readonly isQuery: boolean;
  readonly isProtected: boolean;
  readonly whenSplit: WhenSplit;
  readonly readFrom: ReadFrom;
  readonly isSole: boolean;
  mayHaveRun = false;
  degradedAllowed = false;
  keepsAge = false;
  attemptsAtOnce = 0;
  backOffs = 0;
  // WheelEntry
  wheelTick = notInWheel;
  wheelNext: WheelEntry | undefined = undefined;
  wheelPrevious: WheelEntry | undefined = undefined;
  // TurnRequest, for the way into this node's own turns
  readonly address: EntityAddress;
  readonly operation: string;
  readonly input: Uint8Array;
  readonly caller: string;
  readonly number: number;
  received = 0;
  retry: boolean;
  readonly outbox: boolean;
  readonly timer = undefined;
  readonly strictAcks: boolean;
  readonly acks: Acks | undefined;
  arrivedAt = 0;
  seen: Mark | undefined = undefined;
  readonly startedAt: number;
  readonly deadlineAt: number;
  readonly chain: readonly EntityName[];
  readonly trace: string;
  ageTime: HybridTime;
  ageId: string;

  readonly #request: NodeCallRequest;
  readonly #owner: NodeCallOwner;
  readonly #done: (end: NodeCallEnd) => void;
  /** Nodes asked since the last back-off. */
  #tried: NodeId[] = [];
  #remoteId: number | undefined;
  /** An attempt is with the turns of this node. */
  #isLocal = false;
  #localTurn: CallUnderWay | undefined;
  #wait: Timer | undefined;
  #settled = false;
  #lastFailure = "";

  constructor(
    owner: NodeCallOwner,
    request: NodeCallRequest,
    address: EntityAddress,
    done: (end: NodeCallEnd) => void,
  ) {
    this.#owner = owner;
    this.#request = request;
    this.#done = done;
    this.isQuery = request.isQuery;
    this.isProtected = request.caller !== "";
    this.whenSplit = request.whenSplit;
    this.readFrom = request.readFrom;
    this.isSole = request.chain.length > 0 || request.outbox;
    this.address = address;
    this.operation = request.operation;
    this.input = request.input;
    this.caller = request.caller;
    this.number = request.number;
    this.retry = request.isRetry;
    this.outbox = request.outbox;
    this.strictAcks = request.strictAcks;
    this.acks = request.acks;
    this.startedAt = owner.now();
    this.deadlineAt = this.startedAt + request.timeoutMs;
    this.chain = request.chain;
    this.trace = request.trace;
    this.ageTime = request.ageTime;
    this.ageId = request.ageId;
  }

  get inSession(): boolean {
    return this.#request.session !== undefined;
  }

  get functionName(): string {
    return this.address.functionName;
  }

  get key(): string {
    return this.address.key;
  }

  get partition(): PartitionId {
    return this.address.partition;
  }

  /** Sends it to the best node that was not tried yet. */
  attempt(): void {
    if (this.#settled) return;
    const target = this.#owner.chooseTarget(this, this.#tried);
    if (target === undefined) {
      this.#ended({ code: "not_sent", indeterminate: false, retryAfterMs: 0 });
      return;
    }
    this.#tried.push(target);
    this.received = this.#request.received();
    this.seen = this.#request.session?.seenOf(this.partition);
    if (target === this.#owner.self) {
      this.#submit();
    } else {
      const id = this.#owner.send(target, this.#message(), this);
      if (id !== undefined) this.#remoteId = id;
    }
    this.retry = true;
  }

  #submit(): void {
    this.#isLocal = true;
    this.arrivedAt = this.#owner.now();
    const isOfSeveral = this.isQuery && typeof this.readFrom === "number";
    const turn =
      isOfSeveral || this.#request.isPiped === true
        ? this.#owner.serve({ ...this.#message(), hop: 0 }, this)
        : this.#owner.submit(this);
    if (this.#isWithTurns()) this.#localTurn = turn;
  }

  /** It may be over already, or another attempt may be under way, which the compiler cannot see. */
  #isWithTurns(): boolean {
    return this.#isLocal;
  }

  /** Ends it for a caller that no longer waits; what was sent may still take effect. */
  cancel(error: LatticeError): void {
    if (this.#settled) return;
    this.#stopAttempt();
    this.#settle({ type: "failed", error });
  }

  // Called by the deadline wheel.
  expire(): void {
    const sent = this.#remoteId !== undefined || this.#localTurn !== undefined;
    const last = this.#lastFailure === "" ? "" : `; last: ${this.#lastFailure}`;
    this.cancel(
      new LatticeError(
        "deadline_exceeded",
        `${this.#name}: no answer in ${String(this.#request.timeoutMs)} ms${last}`,
        { indeterminate: isIndeterminate(this, sent), function: this.functionName, key: this.key },
      ),
    );
  }

  // Called by the attempt table.
  answered(message: ReplyMessage | FailureMessage): void {
    this.#remoteId = undefined;
    this.#isLocal = false;
    this.#localTurn = undefined;
    if (message.type === "failure") {
      this.#failed(message);
      return;
    }
    if (message.seen !== undefined) this.#request.session?.note(message.seen);
    this.#settle({
      type: "ok",
      value: message.value,
      degraded: this.degradedAllowed || (message.flags & replyFlags.degraded) !== 0,
      copies: message.copies,
      hops: message.hops,
      node: message.node,
      seen: message.seen,
      hasStrays: this.mayHaveRun,
    });
  }

  linkLost(node: NodeId): void {
    this.#remoteId = undefined;
    this.#lastFailure = `the link to ${node} broke`;
    this.#ended({ code: "link_lost", indeterminate: true, retryAfterMs: 0 });
  }

  // Called by the turns of this node.
  settle(outcome: TurnOutcome): void {
    this.#isLocal = false;
    this.#localTurn = undefined;
    switch (outcome.type) {
      case "ok":
        this.#request.session?.note(outcome.seen);
        this.#settle({
          type: "ok",
          value: outcome.value,
          degraded: this.degradedAllowed || outcome.degraded,
          copies: outcome.copies,
          hops: 0,
          node: this.#owner.self,
          seen: this.inSession ? outcome.seen : undefined,
          hasStrays: this.mayHaveRun,
        });
        return;
      case "failed":
        this.#endedWith(outcome.error);
        return;
      case "degraded_offered":
        this.#ended({ code: "degraded_offered", indeterminate: false, retryAfterMs: 0 });
    }
  }

  #failed(failure: FailureMessage): void {
    if (failure.code === "degraded_offered") {
      this.#lastFailure = failure.message;
      this.#ended(failure);
      return;
    }
    this.#endedWith(
      new LatticeError(failure.code, failure.message, {
        indeterminate: failure.indeterminate,
        node: failure.node,
        function: this.functionName,
        key: this.key,
        call: failure.call === "" ? undefined : failure.call,
        ...(failure.retryAfterMs > 0 ? { retryAfterMs: failure.retryAfterMs } : {}),
        ...(failure.data.length > 0 ? { data: decodeValue(failure.data) } : {}),
      }),
    );
  }

  #endedWith(error: LatticeError): void {
    this.#lastFailure = error.message;
    const { code, indeterminate } = error;
    this.#ended({ code, indeterminate, retryAfterMs: error.retryAfterMs ?? 0 }, error);
  }

  #ended(
    end: Pick<AttemptEnd, "code" | "indeterminate" | "retryAfterMs">,
    error?: LatticeError,
  ): void {
    if (this.#settled) return;
    const decision = this.#owner.policy.decide(this, {
      code: end.code,
      indeterminate: end.indeterminate,
      retryAfterMs: end.retryAfterMs,
      othersLeft: this.#owner.chooseTarget(this, this.#tried) !== undefined,
      remainingMs: this.deadlineAt - this.#owner.now(),
    });
    switch (decision.type) {
      case "settle":
        this.#settle({ type: "failed", error: this.#finalError(end, error) });
        return;
      case "elsewhere":
        this.attempt();
        return;
      case "agree":
        this.#tried.pop();
        this.attempt();
        return;
      case "wait":
        if (this.keepsAge && this.ageTime === 0) this.#owner.giveAge(this);
        this.#wait = this.#owner.timers.after(decision.delayMs, () => {
          this.#tried = [];
          this.attempt();
        });
    }
  }

  #finalError(
    end: Pick<AttemptEnd, "code" | "indeterminate">,
    error: LatticeError | undefined,
  ): LatticeError {
    const indeterminate = isIndeterminate(this, end.indeterminate);
    if (error?.indeterminate === indeterminate) return error;
    return new LatticeError(
      errorCodeOf(end.code),
      error?.message ?? `${this.#name}: no owner can serve it (${this.#lastFailure})`,
      { indeterminate, function: this.functionName, key: this.key, call: error?.call },
    );
  }

  #message(): CallMessage {
    const request = this.#request;
    return {
      type: "call",
      id: 0,
      partition: this.partition,
      tableId: this.#owner.tableId,
      hop: 1,
      functionName: this.functionName,
      key: this.key,
      operation: this.operation,
      caller: this.caller,
      number: this.number,
      received: this.received,
      timeoutMs: Math.max(1, Math.ceil(this.deadlineAt - this.#owner.now())),
      acks: acksNumber(request.acks),
      flags:
        (this.degradedAllowed ? callFlags.degradedAllowed : 0) |
        (request.whenSplit === "serve" ? callFlags.splitServe : callFlags.splitRefuse) |
        (request.strictAcks ? callFlags.strictAcks : 0) |
        (request.outbox ? callFlags.outbox : 0) |
        (this.isQuery ? readFlags(this.readFrom) : 0) |
        (request.isPiped === true ? callFlags.piped : 0) |
        (this.inSession ? callFlags.session : 0) |
        (this.retry ? callFlags.retry : 0),
      ageTime: this.ageTime,
      ageId: this.ageId,
      chain: this.chain,
      seen: this.seen,
      trace: this.trace,
      input: this.input,
    };
  }

  #stopAttempt(): void {
    this.#wait?.cancel();
    this.#localTurn?.cancel();
    if (this.#remoteId !== undefined) this.#owner.cancelSent(this.#remoteId);
  }

  #settle(end: NodeCallEnd): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#owner.settled(this);
    this.#done(end.type === "failed" && this.isProtected ? this.#named(end.error) : end);
  }

  /** Also what failed before the call reached a turn tells its id. */
  #named(error: LatticeError): NodeCallEnd {
    return { type: "failed", error: ofCall(error, callId(this.caller, this.number)) };
  }

  get #name(): string {
    return `${this.address.name} ${this.operation}`;
  }
}
