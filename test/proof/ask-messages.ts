/** What the load generator of `no-deadlock` is told, says and writes down. */
import type { CallRecord } from "../support/record-file.ts";

/** By which of its handlers an entity visits the next one. */
export type Way = "ask" | "send";

/** `input` is the path behind `key`; both are entities that the call visits. */
export interface VisitRecord extends CallRecord {
  readonly from: Way;
  readonly input: readonly string[];
}

/** What it does; one word of its command line. */
export interface AskPlan {
  readonly addresses: readonly string[];
  readonly entities: number;
  /** Calls in flight at once. */
  readonly inFlight: number;
  /** A path has from one to so many entities behind the first. */
  readonly asksMax: number;
  /** Longest time of a call. */
  readonly timeoutMs: number;
}

export type AskOrder =
  /** Calls for so long, as fast as calls are answered, and waits for all answers. */
  | { readonly type: "run"; readonly way: Way; readonly lengthMs: number }
  /** Closes the record. */
  | { readonly type: "stop" };

export type AskReport =
  | { readonly type: "connected"; /** The file of its record. */ readonly record: string }
  /** So many calls were made in that time, the wait for the last answers included. */
  | { readonly type: "ran"; readonly made: number; readonly tookMs: number }
  | { readonly type: "stopped" };

/** The key of the entity with this number. */
export function askerKey(n: number): string {
  return `asker-${String(n)}`;
}
