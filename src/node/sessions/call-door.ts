/**
 * The calls in flight of one connection: what came in and has not been answered. Bounds them, and
 * ends them when the connection breaks, so that nobody computes for a caller that is gone.
 */
import { LatticeError } from "../../model/error.ts";
import type { NodeId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { EntityAddress } from "../../functions/entity-address.ts";
import type { CallMessage, FailureMessage, ReplyMessage } from "../../wire/messages.ts";
import type { CallServer } from "../calls/call-server.ts";
import { checkClientCall } from "../calls/client-call-check.ts";
import { CallerTrail } from "./caller-trail.ts";
import { failureOf, noBytes, type CallUnderWay, type Origin } from "../calls/served-call.ts";

const retryAfterMs = 20;

export class CallDoor implements Origin {
  readonly node: NodeId;
  readonly #self: NodeId;
  readonly #server: CallServer;
  readonly #send: (message: ReplyMessage | FailureMessage) => LatticeError | undefined;
  readonly #underWay = new Map<number, CallUnderWay>();
  readonly #bound: number;
  /** Where calls of a client may have left results. */
  readonly trail = new CallerTrail();
  /** The last caller among a client's calls that is none that only nodes make. */
  #trustedCaller = "";

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

  /** Calls that came together. */
  serveAll(calls: readonly CallMessage[]): void {
    const addresses = this.#server.beginFrame(calls);
    let arrivedAt = this.#server.now();
    try {
      for (let index = 0; index < calls.length; index++) {
        const { servedCount } = this.#server;
        this.serve(calls[index]!, addresses[index], arrivedAt);
        // The next one that runs here is not charged for what this one took that did not.
        if (this.#server.servedCount === servedCount) arrivedAt = this.#server.now();
      }
    } finally {
      this.#server.endFrame();
    }
  }

  /** @param known the address of the entity, where it was looked up already */
  serve(call: CallMessage, known?: EntityAddress, arrivedAt = this.#server.now()): void {
    if (this.#underWay.size >= this.#bound) {
      this.answer(failureOf(call.id, this.#tooMany(), this.#self));
      return;
    }
    const underWay =
      this.node === ""
        ? this.#serveClient(call, known, arrivedAt)
        : this.#server.serve(call, this, known, arrivedAt);
    if (underWay !== undefined) this.#underWay.set(call.id, underWay);
  }

  /** Clients are not trusted. */
  #serveClient(
    call: CallMessage,
    known: EntityAddress | undefined,
    arrivedAt: number,
  ): CallUnderWay | undefined {
    try {
      checkClientCall(call, this.#trustedCaller);
    } catch (error) {
      if (!(error instanceof LatticeError)) throw error;
      this.answer(failureOf(call.id, error, this.#self));
      return undefined;
    }
    if (call.number > 0) {
      this.#trustedCaller = call.caller;
      this.trail.note(call, known);
    }
    // A client is one leg away, whatever it says.
    const leg = call.hop === 1 ? call : { ...call, hop: 1 };
    return this.#server.serve(leg, this, known, arrivedAt);
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
    // Most calls are over before they could be entered.
    if (this.#underWay.size > 0) this.#underWay.delete(id);
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
