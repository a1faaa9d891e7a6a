/**
 * A call that came over a connection, as the functions see it: the message, where it goes and where
 * it came from. One class for all of them, whoever sent it, so that the hot path stays monomorphic.
 */
import type { Acks, OwnReadFrom, WhenSplit } from "../../model/acks.ts";
import type { EntityName, NodeId } from "../../model/ids.ts";
import type { Mark } from "../../model/mark.ts";
import type { HybridTime } from "../../model/time.ts";
import type { LatticeError } from "../../model/error.ts";
import { encodeValue } from "../../codec/value-bytes.ts";
import type { Value } from "../../model/value.ts";
import type { EntityAddress } from "../../functions/entity-address.ts";
import type { TurnOutcome } from "../../functions/ports.ts";
import type { SubmittedTurn, TurnRequest } from "../../functions/turn-request.ts";
import {
  allOwnersAcks,
  callFlags,
  readCountOf,
  replyFlags,
  type CallMessage,
  type FailureMessage,
  type ReplyMessage,
} from "../../wire/messages.ts";

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
  readonly address: EntityAddress;
  readonly origin: Origin;
  readonly self: NodeId;
  readonly now: number;
}

export class ServedCall implements TurnRequest {
  readonly address: EntityAddress;
  readonly arrivedAt: number;
  readonly #call: CallMessage;
  readonly #self: NodeId;
  readonly #origin: Origin;
  turn: SubmittedTurn | undefined = undefined;
  settled = false;

  constructor(call: CallMessage, { address, origin, self, now }: ServedAt) {
    this.address = address;
    this.arrivedAt = now;
    this.#call = call;
    this.#self = self;
    this.#origin = origin;
  }

  get operation(): string {
    return this.#call.operation;
  }
  get input(): Uint8Array {
    return this.#call.input;
  }
  get caller(): string {
    return this.#call.caller;
  }
  get number(): number {
    return this.#call.number;
  }
  get received(): number {
    return this.#call.received;
  }
  get retry(): boolean {
    return (this.#call.flags & callFlags.retry) !== 0;
  }
  get outbox(): boolean {
    return (this.#call.flags & callFlags.outbox) !== 0;
  }
  get timer(): undefined {
    return undefined;
  }
  get degradedAllowed(): boolean {
    return (this.#call.flags & callFlags.degradedAllowed) !== 0;
  }
  get whenSplit(): WhenSplit | undefined {
    return whenSplitOf(this.#call.flags);
  }
  get readFrom(): OwnReadFrom {
    return readFromOf(this.#call.flags);
  }
  get inSession(): boolean {
    return (this.#call.flags & callFlags.session) !== 0;
  }
  get seen(): Mark | undefined {
    return this.#call.seen;
  }
  get strictAcks(): boolean {
    return (this.#call.flags & callFlags.strictAcks) !== 0;
  }
  get acks(): Acks | undefined {
    return acksOf(this.#call.acks);
  }
  get deadlineAt(): number {
    return this.arrivedAt + this.#call.timeoutMs;
  }
  get chain(): readonly EntityName[] {
    return this.#call.chain;
  }
  get trace(): string {
    return this.#call.trace;
  }
  get ageTime(): HybridTime {
    return this.#call.ageTime;
  }
  get ageId(): string {
    return this.#call.ageId;
  }

  /** Ends the call for a caller that no longer waits. */
  cancel(): void {
    this.turn?.cancel();
  }

  settle(outcome: TurnOutcome): void {
    this.settled = true;
    this.#origin.done(this.#call.id);
    switch (outcome.type) {
      case "ok":
        this.#origin.answer({
          type: "reply",
          id: this.#call.id,
          flags:
            (outcome.degraded ? replyFlags.degraded : 0) |
            (outcome.fromDedupe ? replyFlags.fromDedupe : 0) |
            (outcome.seen.length > 0 ? replyFlags.seen : 0),
          copies: outcome.copies,
          hops: this.#call.hop,
          node: this.#self,
          seen: outcome.seen,
          value: outcome.value,
        });
        return;
      case "failed":
        this.#origin.answer(failureOf(this.#call.id, outcome.error, this.#self));
        return;
      case "degraded_offered":
        this.#origin.answer({
          type: "failure",
          id: this.#call.id,
          code: "degraded_offered",
          message: "no majority of the owners is reachable",
          indeterminate: false,
          retryAfterMs: 0,
          node: this.#self,
          primary: "",
          call: "",
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
    call: error.call ?? "",
    data: error.data === undefined ? noBytes : encodeValue(error.data as Value),
  };
}

export function whenSplitOf(flags: number): WhenSplit | undefined {
  if ((flags & callFlags.splitServe) !== 0) return "serve";
  return (flags & callFlags.splitRefuse) !== 0 ? "refuse" : undefined;
}

function readFromOf(flags: number): OwnReadFrom {
  const count = readCountOf(flags);
  if (count > 0) return count as OwnReadFrom;
  if ((flags & callFlags.readAny) !== 0) return "any";
  return (flags & callFlags.readLinearizable) !== 0 ? "linearizable" : "primary";
}

export function acksOf(acks: number): Acks | undefined {
  if (acks === 0) return undefined;
  return acks === allOwnersAcks ? "all" : acks;
}
