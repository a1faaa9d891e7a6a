/** What the load generator of the proofs under load is told, says and writes down. */
import type { CallRecord } from "../support/record-file.ts";

/** The times are those of `monotonicMs`; how long a call took is counted from when it was due. */
export interface TallyRecord extends CallRecord {
  readonly dueAt: number;
  /** `load`: by the clock. `burst` and `careless`: when a signal was sent, the latter unprotected. */
  readonly from: "preload" | "load" | "burst" | "careless";
}

/** What a load generator does; it is one word of its command line. */
export interface LoadPlan {
  /** Entities, each of which is written once before the load begins. */
  readonly entities: number;
  readonly callsPerS: number;
  /** Longest time of a call. */
  readonly timeoutMs: number;
  readonly addresses: readonly string[];
}

/**
 * Calls each of these entities once and at once, and then sends the signal: whoever else sent it
 * would have to hear of the calls first, and they may be answered by then.
 */
export interface BurstOrder {
  readonly entities: readonly number[];
  readonly isProtected: boolean;
  readonly pid: number;
  readonly signal: NodeJS.Signals;
}

export type LoadOrder =
  /** Writes every entity once, as fast as it is answered. */
  | { readonly type: "preload" }
  /** Calls by the clock from now on, whatever is answered. */
  | { readonly type: "start" }
  | ({ readonly type: "burst" } & BurstOrder)
  /** Makes no more calls, waits for all answers and closes the record. */
  | { readonly type: "stop" };

export type LoadReport =
  | { readonly type: "connected"; /** The file of its record. */ readonly record: string }
  | { readonly type: "preloaded" }
  | { readonly type: "started" }
  /** The calls of a burst were under way when the signal was sent. */
  | { readonly type: "burst"; readonly at: number }
  | { readonly type: "stopped" };

/** The entity with this number: every other one is strict. */
export function tallyEntity(n: number): {
  readonly functionName: "tally" | "strictTally";
  readonly key: string;
} {
  return { functionName: n % 2 === 0 ? "tally" : "strictTally", key: `key-${String(n)}` };
}
