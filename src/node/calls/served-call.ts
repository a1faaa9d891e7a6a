/**
 * A call that came over a connection, as the functions see it. One class for all of them, whoever
 * sent it, so that the hot path stays monomorphic and allocates one object per call.
 */
import type { Acks, WhenSplit } from "../../model/acks.ts";
import type { EntityName, NodeId, PartitionId } from "../../model/ids.ts";
import type { HybridTime } from "../../model/time.ts";
import type { LatticeError } from "../../model/error.ts";
import { encodeValue } from "../../codec/value-bytes.ts";
import type { Value } from "../../model/value.ts";
import type { TurnOutcome } from "../../functions/ports.ts";
import type { SubmittedTurn, TurnRequest } from "../../functions/turn-request.ts";
import {
  callFlags,
  replyFlags,
  type CallMessage,
  type FailureMessage,
  type ReplyMessage,
} from "../../wire/messages.ts";

/** The wire's number for "all owners". */
export const allOwnersAcks = 255;
export const noBytes = new Uint8Array(0);

/** Where a call came from and its answer goes. */
export interface Origin {
  /** The node it came from, "" for a client. */
  readonly node: NodeId;
  answer(message: ReplyMessage | FailureMessage): void;
  /** The call is over: it no longer counts as in flight here. */
  done(id: number): void;
}

/** A call that its sender may still cancel. */
export interface CallUnderWay {
  cancel(): void;
}

/** Where and when a call is served. */
export interface ServedAt {
  readonly self: NodeId;
  readonly now: number;
}

export class ServedCall implements TurnRequest {
  readonly functionName: string;
  readonly key: string;
  readonly operation: string;
  readonly input: Uint8Array;
  readonly caller: string;
  readonly number: number;
  readonly received: number;
  readonly retry: boolean;
  readonly outbox: boolean;
  readonly degradedAllowed: boolean;
  readonly whenSplit: WhenSplit | undefined;
  readonly strictAcks: boolean;
  readonly acks: Acks | undefined;
  readonly deadlineAt: number;
  readonly chain: readonly EntityName[];
  readonly ageTime: HybridTime;
  readonly ageId: string;
  readonly partition: PartitionId;
  readonly #id: number;
  readonly #hops: number;
  readonly #self: NodeId;
  readonly #origin: Origin;
  turn: SubmittedTurn | undefined;
  settled = false;

  constructor(call: CallMessage, partition: PartitionId, origin: Origin, { self, now }: ServedAt) {
    const flags = call.flags;
    this.partition = partition;
    this.functionName = call.functionName;
    this.key = call.key;
    this.operation = call.operation;
    this.input = call.input;
    this.caller = call.caller;
    this.number = call.number;
    this.received = call.received;
    this.retry = (flags & callFlags.retry) !== 0;
    this.outbox = (flags & callFlags.outbox) !== 0;
    this.degradedAllowed = (flags & callFlags.degradedAllowed) !== 0;
    this.whenSplit = whenSplitOf(flags);
    this.strictAcks = (flags & callFlags.strictAcks) !== 0;
    this.acks = acksOf(call.acks);
    this.deadlineAt = now + call.timeoutMs;
    this.chain = call.chain;
    this.ageTime = call.ageTime;
    this.ageId = call.ageId;
    this.#id = call.id;
    this.#hops = call.hop;
    this.#self = self;
    this.#origin = origin;
    this.turn = undefined;
  }

  /** Ends the call for a caller that no longer waits. */
  cancel(): void {
    this.turn?.cancel();
  }

  settle(outcome: TurnOutcome): void {
    this.settled = true;
    this.#origin.done(this.#id);
    switch (outcome.type) {
      case "ok":
        this.#origin.answer({
          type: "reply",
          id: this.#id,
          flags:
            (outcome.degraded ? replyFlags.degraded : 0) |
            (outcome.fromDedupe ? replyFlags.fromDedupe : 0),
          copies: outcome.copies,
          hops: this.#hops,
          node: this.#self,
          value: outcome.value,
        });
        return;
      case "failed":
        this.#origin.answer(failureOf(this.#id, outcome.error, this.#self));
        return;
      case "degraded_offered":
        this.#origin.answer({
          type: "failure",
          id: this.#id,
          code: "degraded_offered",
          message: "no majority of the owners is reachable",
          indeterminate: false,
          retryAfterMs: 0,
          node: this.#self,
          primary: "",
          data: noBytes,
        });
    }
  }
}

/** An error as it travels. */
export function failureOf(
  id: number,
  error: LatticeError,
  node: NodeId,
  primary: NodeId = "",
): FailureMessage {
  return {
    type: "failure",
    id,
    code: error.code,
    message: error.message,
    indeterminate: error.indeterminate,
    retryAfterMs: error.retryAfterMs ?? 0,
    node,
    primary,
    data: error.data === undefined ? noBytes : encodeValue(error.data as Value),
  };
}

function whenSplitOf(flags: number): WhenSplit | undefined {
  if ((flags & callFlags.splitServe) !== 0) return "serve";
  return (flags & callFlags.splitRefuse) !== 0 ? "refuse" : undefined;
}

function acksOf(acks: number): Acks | undefined {
  if (acks === 0) return undefined;
  return acks === allOwnersAcks ? "all" : acks;
}
