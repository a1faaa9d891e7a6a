/** What the load generator of `linearizable` is told, says and writes down. */
import type { State } from "../support/linearizability/operation.ts";
import type { CallRecord } from "../support/record-file.ts";

/** The times are those of `monotonicMs`: all callers are in one process, so that they can be compared. */
export interface HistoryRecord extends CallRecord {
  readonly operation: "write" | "add" | "look" | "read";
  /** The client that called: one that roams, one that is `stayingAt` a node, or `lastCalls`. */
  readonly from: string;
  /** What a call that ended ok was told; absent: nothing. */
  readonly value?: State | undefined;
}

/** What the load generator does; it is one word of its command line. */
export interface HistoryPlan {
  /** Each is a history. */
  readonly keys: number;
  /** Of all clients together. */
  readonly callsPerS: number;
  /** Longest time of a call of a client that is patient. */
  readonly timeoutMs: number;
  readonly addresses: readonly string[];
  /** Whether queries ask for what was there when they arrived, or take what they get. */
  readonly areReadsLinearizable: boolean;
}

export type HistoryOrder =
  /** Reads every key, and calls by the clock from then on, whatever is answered. */
  | { readonly type: "start" }
  /** Only reads quiet keys from now on, and waits until what may change them has ended. */
  | { readonly type: "hush" }
  /** Changes every quiet key once. */
  | { readonly type: "change" }
  /** Reads every quiet key once by each of the clients with these names. */
  | { readonly type: "read"; readonly by: readonly string[] }
  /** Calls quiet keys like all others again. */
  | { readonly type: "unhush" }
  /** Makes no more calls, waits for all answers, reads every key once more and closes the record. */
  | { readonly type: "stop" };

export type HistoryReport =
  | { readonly type: "connected"; /** The file of its record. */ readonly record: string }
  /** Ordered calls have left, or what was to be waited for is over. */
  | { readonly type: "obeyed" }
  | { readonly type: "stopped" };

/** The object with this number: every other one is a counter. */
export function objectOf(n: number): {
  readonly functionName: "register" | "counter";
  readonly key: string;
} {
  return { functionName: n % 2 === 0 ? "register" : "counter", key: `key-${String(n)}` };
}

/**
 * Half of all objects can be quiet: what nobody changes for a while has nothing that its primary still has
 * to confirm, so that a primary which has been replaced sees no reason to doubt what it holds.
 */
export function canBeQuiet(n: number): boolean {
  return n % 4 >= 2;
}

/** The client that knows of no other node than the one with this address. */
export function stayingAt(address: string): string {
  return `staying at ${address}`;
}

/** Of the calls after all others. */
export const lastCalls = "last";
