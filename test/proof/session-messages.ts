/** What the load generator of `sessions` is told, says and writes down. */
import type { ReadFrom } from "latticework";
import type { CallRecord } from "../support/record-file.ts";

/** The times are those of `monotonicMs`: all clients are in one process, so that they can be compared. */
export interface SessionRecord extends CallRecord {
  /** `hitOther` is recorded under the key that was hit; its input is the key that was called. */
  readonly operation: "hit" | "hitOther" | "hits";
  /** The chain of hand-ons in which it was called. */
  readonly chain: number;
  /** Which client of the chain called, from 1. */
  readonly holder: number;
  /** The client calls every node directly, or stays with one. */
  readonly direct: boolean;
  /** Of reads. */
  readonly readFrom?: ReadFrom;
  /** Of the reads after everything else. */
  readonly last: boolean;
  /** Hits of the key, as a call that ended ok was told. */
  readonly value?: number;
}

/** What the load generator does; it is one word of its command line. */
export interface SessionPlan {
  readonly addresses: readonly string[];
  /** Pairs of clients, each of which hands one token to and fro. */
  readonly chains: number;
  /** Keys that only one chain calls, for each chain. */
  readonly ownKeys: number;
  /** Keys that all chains call. */
  readonly sharedKeys: number;
  /** Between two hand-ons of a chain, at least. */
  readonly holdMs: number;
  /** Whether clients go on with the token of the one before, or begin with nothing seen. */
  readonly handsOn: boolean;
}

export type SessionOrder =
  | { readonly type: "start" }
  | { readonly type: "count" }
  /** Ends every chain after its present hold, reads every key once more and closes the record. */
  | { readonly type: "stop" };

export type SessionReport =
  | { readonly type: "ready"; /** The file of its record. */ readonly record: string }
  | { readonly type: "started" }
  /** Reads that were answered so far. */
  | { readonly type: "counted"; readonly reads: number }
  | {
      readonly type: "stopped";
      readonly handOns: number;
      /** Clients that could not connect, and whose chain went on elsewhere. */
      readonly refusedConnects: number;
      readonly longestToken: number;
    };

export function ownKey(chain: number, n: number): string {
  return `chain-${String(chain)}-${String(n)}`;
}

export function sharedKey(n: number): string {
  return `shared-${String(n)}`;
}
