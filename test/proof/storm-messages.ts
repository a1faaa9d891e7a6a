/** What a generator of `reconnect-storm` is told, says and writes down. */
import type { CallRecord } from "../support/record-file.ts";

/** The times are those of `monotonicMs`. */
export interface StormRecord extends CallRecord {
  /** Which round of calls: `connect`, or the name of a storm. */
  readonly from: string;
}

/** What a generator does; it is one word of its command line. */
export interface StormPlan {
  readonly clients: number;
  /** The number of its first client: others have those before. */
  readonly first: number;
  readonly addresses: readonly string[];
  /** Longest time of a call. */
  readonly timeoutMs: number;
}

export type StormOrder =
  /** Every client calls once, at once; the round has this name. */
  | { readonly type: "call"; readonly round: string }
  /** Closes all clients and the record. */
  | { readonly type: "stop" };

export type StormReport =
  /** Every client is connected. */
  | { readonly type: "connected"; /** The file of its record. */ readonly record: string }
  /** All calls of the round have ended. */
  | { readonly type: "called" }
  | { readonly type: "stopped" };

/** Each client counts for itself: what it was told can be compared with its count. */
export function keyOf(client: number): string {
  return `client-${String(client)}`;
}
