/** A call that one entity sends to another, as its outbox keeps it. */
import type { WriterId } from "../model/ids.ts";
import type { HybridTime } from "../model/time.ts";

/** Names a sent call. */
export interface SendId {
  readonly writer: WriterId;
  /** Rises per sending entity and writer, with gaps. */
  readonly number: number;
}

/** What a turn asks to be sent. */
export interface SendRequest {
  readonly functionName: string;
  readonly key: string;
  readonly operation: string;
  /** The encoded input, empty for none. */
  readonly input: Uint8Array;
  /** The span of the turn that sent it, as a W3C traceparent; absent where it has none. */
  readonly trace?: string;
}

/** A sent call at some time: when it was sent, or refused. */
export interface TimedSend extends SendId {
  readonly hybridTime: HybridTime;
}

/** What of a sent call is the same however often it is sent. */
export function requestOf({
  functionName,
  key,
  operation,
  input,
  trace,
}: SendRequest): SendRequest {
  const request = { functionName, key, operation, input };
  return trace === undefined ? request : { ...request, trace };
}

export function isSameSend(a: SendId, b: SendId): boolean {
  return a.number === b.number && a.writer === b.writer;
}

/** By time first. */
export function compareSends(a: TimedSend, b: TimedSend): number {
  return a.hybridTime - b.hybridTime || a.writer - b.writer || a.number - b.number;
}
