/**
 * The calls in flight of one connection: what came in and has not been answered. Bounds them, and
 * ends them when the connection breaks, so that nobody computes for a caller that is gone.
 */
import { LatticeError } from "../../model/error.ts";
import type { NodeId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { CallMessage, FailureMessage, ReplyMessage } from "../../wire/messages.ts";
import type { CallServer } from "../calls/call-server.ts";
import { failureOf, noBytes, type CallUnderWay, type Origin } from "../calls/served-call.ts";

const retryAfterMs = 20;

export class CallDoor implements Origin {
  readonly node: NodeId;
  readonly #self: NodeId;
  readonly #server: CallServer;
  readonly #send: (message: ReplyMessage | FailureMessage) => LatticeError | undefined;
  readonly #underWay = new Map<number, CallUnderWay>();
  readonly #bound: number;

  constructor(options: {
    /** Where the calls come from, "" for a client. */
    readonly node: NodeId;
    readonly self: NodeId;
    readonly server: CallServer;
    /** Returns why the answer cannot be sent as it is, if so. */
    readonly send: (message: ReplyMessage | FailureMessage) => LatticeError | undefined;
  }) {
    this.node = options.node;
    this.#self = options.self;
    this.#server = options.server;
    this.#send = options.send;
    this.#bound = this.node === "" ? limits.callsPerConnectionMax : limits.callsPerNodeMax;
  }

  get count(): number {
    return this.#underWay.size;
  }

  serve(call: CallMessage): void {
    if (this.#underWay.size >= this.#bound) {
      this.answer(failureOf(call.id, this.#tooMany(), this.#self));
      return;
    }
    // A client is one leg away, whatever it says.
    const arrived = this.node === "" && call.hop !== 1 ? { ...call, hop: 1 } : call;
    const underWay = this.#server.serve(arrived, this);
    if (underWay !== undefined) this.#underWay.set(call.id, underWay);
  }

  cancel(id: number): void {
    this.#underWay.get(id)?.cancel();
  }

  /** The connection is gone: calls that wait for their turn are dropped, running ones cut off. */
  close(): void {
    for (const call of [...this.#underWay.values()]) call.cancel();
    this.#underWay.clear();
  }

  answer(message: ReplyMessage | FailureMessage): void {
    const error = this.#send(message);
    if (error !== undefined) this.#send(unsendable(message, error, this.#self));
  }

  done(id: number): void {
    this.#underWay.delete(id);
  }

  #tooMany(): LatticeError {
    return new LatticeError(
      "overloaded",
      `${String(this.#bound)} calls are in flight on this connection: wait for answers`,
      { node: this.#self, retryAfterMs },
    );
  }
}

/** What a caller is told whose answer does not fit. A result means that the call took effect. */
function unsendable(
  message: ReplyMessage | FailureMessage,
  error: LatticeError,
  self: NodeId,
): FailureMessage {
  if (message.type === "failure") {
    return { ...message, message: `${message.message} (its data is too large)`, data: noBytes };
  }
  const why = `it took effect, but its result cannot be sent: ${error.message}`;
  return failureOf(message.id, new LatticeError(error.code, why, { indeterminate: true }), self);
}
