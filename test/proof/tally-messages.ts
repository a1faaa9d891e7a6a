/** What the load generator of the proofs under load is told, says and writes down. */
import type { CallRecord } from "../support/record-file.ts";

/** The times are those of `monotonicMs`; how long a call took is counted from when it was due. */
export interface TallyRecord extends CallRecord {
  readonly dueAt: number;
  /**
   * `load`: by the clock, or of a lot. `burst`: when a signal was sent. `careless`: unprotected, then or
   * of a lot. `refusal`: of a lot, to be refused by its handler after it has added. `repeat`: again what
   * was answered before, under the same idempotency key, by another client.
   */
  readonly from: "preload" | "load" | "burst" | "careless" | "refusal" | "repeat";
}

/** What a load generator does; it is one word of its command line. */
export interface LoadPlan {
  /** Entities, each of which is written once before the load begins. */
  readonly entities: number;
  /** Of calls by the clock. */
  readonly callsPerS?: number | undefined;
  /** Entities from this number on are for calls without protection. @default none */
  readonly carelessFrom?: number | undefined;
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
  /** Entities that are called without protection besides. */
  readonly careless?: readonly number[];
  readonly pid: number;
  readonly signal: NodeJS.Signals;
}

/** Calls made as fast as they are answered, some hundred of them at a time. */
export interface Lot {
  /** Protected ones, which add one each. */
  readonly calls: number;
  /** Unprotected ones besides. */
  readonly careless: number;
  /** Ones besides that their handler refuses, every second of them unprotected. */
  readonly refusals: number;
  /**
   * Protected ones besides, by an idempotency key, which are answered before the lot begins and made
   * again in the end, as by a caller that was started again in between.
   */
  readonly repeats: number;
}

export type LoadOrder =
  /** Writes every entity once, as fast as it is answered. */
  | { readonly type: "preload" }
  /** Calls by the clock from now on, whatever is answered. */
  | { readonly type: "start" }
  | ({ readonly type: "burst" } & BurstOrder)
  /** Begins a lot; reported when half of it is over. */
  | ({ readonly type: "begin-lot" } & Lot)
  /** Waits until all of it is over. */
  | { readonly type: "end-lot" }
  /** Makes no more calls, waits for all answers and closes the record. */
  | { readonly type: "stop" };

export type LoadReport =
  | { readonly type: "connected"; /** The file of its record. */ readonly record: string }
  | { readonly type: "preloaded" }
  | { readonly type: "started" }
  /** The calls of a burst were under way when the signal was sent. */
  | { readonly type: "burst"; readonly at: number }
  | { readonly type: "lot-half-over" }
  | { readonly type: "lot-over" }
  | { readonly type: "stopped" };

/** The entity with this number: every other one is strict. */
export function tallyEntity(n: number): {
  readonly functionName: "tally" | "strictTally";
  readonly key: string;
} {
  return { functionName: n % 2 === 0 ? "tally" : "strictTally", key: `key-${String(n)}` };
}
