/**
 * A pending call as the message that goes to a node. One object serves all calls of a client: it is
 * encoded as soon as it is sent, so it can point at the next call then.
 */
import type { EntityName } from "../model/ids.ts";
import type { Mark } from "../model/mark.ts";
import { acksNumber, callFlags, type CallMessage } from "../wire/messages.ts";
import type { SessionMarks } from "../routing/session-marks.ts";
import type { PendingCall } from "./pending-call.ts";

const noChain: readonly EntityName[] = Object.freeze([]);

export class OutgoingCall implements CallMessage {
  readonly type = "call";
  readonly hop = 1;
  readonly chain = noChain;
  readonly #clientId: string;
  readonly #session: SessionMarks | undefined;
  #call: PendingCall;
  tableId = 0;
  timeoutMs = 0;
  received = 0;

  /** @param clientId who is protected where a call has a number */
  constructor(clientId: string, call: PendingCall, session: SessionMarks | undefined) {
    this.#clientId = clientId;
    this.#session = session;
    this.#call = call;
  }

  /** Points at another call; `tableId`, `timeoutMs` and `received` are to be set for it. */
  set call(call: PendingCall) {
    this.#call = call;
  }

  get id(): number {
    return this.#call.id;
  }

  get partition(): number {
    return this.#call.partition;
  }

  get functionName(): string {
    return this.#call.request.functionName;
  }

  get key(): string {
    return this.#call.request.key;
  }

  get operation(): string {
    return this.#call.request.operation;
  }

  get caller(): string {
    return this.#call.number > 0 ? this.#clientId : this.#call.idempotencyKey;
  }

  get number(): number {
    return this.#call.number;
  }

  get acks(): number {
    return acksNumber(this.#call.request.options.acks);
  }

  get flags(): number {
    const { attempts } = this.#call;
    const asked = splitFlags(this.#call) | this.#call.readFlags | this.#sessionFlag;
    return attempts === undefined ? asked : asked | attempts.flags;
  }

  get #sessionFlag(): number {
    return this.#session === undefined ? 0 : callFlags.session;
  }

  get seen(): Mark | undefined {
    return this.#session?.seenOf(this.#call.partition);
  }

  get ageTime(): number {
    return this.#call.attempts?.ageTime ?? 0;
  }

  get ageId(): string {
    return this.#call.attempts?.ageId ?? "";
  }

  get trace(): string {
    return this.#call.request.options.traceparent ?? "";
  }

  get input(): Uint8Array {
    return this.#call.input;
  }
}

function splitFlags(call: PendingCall): number {
  switch (call.request.options.whenSplit) {
    case "serve":
      return callFlags.splitServe;
    case "refuse":
      return callFlags.splitRefuse;
    case undefined:
      return 0;
  }
}
