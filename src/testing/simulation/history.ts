/**
 * The record of calls, kept outside the system under test: what was asked, when, and what was
 * answered. The judge compares it with the final state and knows nothing else.
 */
import type { ReadFrom } from "../../model/acks.ts";
import type { ErrorCode } from "../../model/error.ts";
import type { OperationName, SlateOperationName } from "./scenario.ts";
import type { Look, Seen, SimulatedFunctionName } from "./simulated-functions.ts";
import type { TimerOperationName, TimerWish } from "./timer-calls.ts";

export interface CallRecord {
  /** Names the call's effect; unique in the run. */
  readonly id: string;
  readonly client: string;
  readonly functionName: SimulatedFunctionName;
  readonly key: string;
  readonly operation: OperationName | SlateOperationName | TimerOperationName | "untag" | "pass";
  readonly isProtected: boolean;
  readonly acks: number | "all" | undefined;
  /** Of a query; `undefined`: the primary. */
  readonly readFrom: ReadFrom | undefined;
  /** The session that it was made in, if any. */
  readonly session: SessionName | undefined;
  /** Entities that a `send`, an `ask` or a chain of `pass` involves. */
  readonly targets: readonly (readonly [SimulatedFunctionName, string])[];
  /** Of `untag`: the id that was tagged. */
  readonly removes: string;
  /** Of `arm` and `disarm`. */
  readonly timer: TimerWish | undefined;
  /** Its timeout. */
  readonly timeoutMs: number;
  readonly sentAt: number;
  /** Order of sends and answers over the whole run. */
  readonly sentOrder: number;
  answer: Answer | undefined;
}

/** The second session goes on with the token of the first. */
export type SessionName = "first" | "second";

export type Answer =
  | {
      readonly type: "ok";
      readonly at: number;
      readonly order: number;
      readonly degraded: boolean;
      readonly copies: number;
      readonly hops: number;
      readonly node: string;
      readonly seen: Seen;
    }
  | {
      readonly type: "failed";
      readonly at: number;
      readonly order: number;
      readonly code: ErrorCode;
      /** It may have taken effect. */
      readonly indeterminate: boolean;
      readonly message: string;
    };

/** A call of a function without state that asks one with some. */
export interface RelayRecord {
  readonly id: string;
  readonly target: readonly [SimulatedFunctionName, string];
  answer: "ok" | "failed" | undefined;
}

/** A stretch of time in which faults happened that may lose what was acknowledged. */
export interface LossyTime {
  readonly from: number;
  until: number;
}

/** The final state by `function/key`. */
export type FinalState = ReadonlyMap<string, Look>;

/** Everything about a run that the judge needs beside the final state. */
export interface History {
  readonly calls: readonly CallRecord[];
  /** Calls of entities that are deleted again and again. */
  readonly slateCalls: readonly CallRecord[];
  readonly relays: readonly RelayRecord[];
  /** What watchers were shown, by entity: ids, and whether a degraded process may have shown them. */
  readonly shown: readonly ShownState[];
  /** Acknowledged before the end of one of these: may be lost. */
  readonly lossy: readonly LossyTime[];
  /** Owners of a partition when there are enough nodes. */
  readonly replicas: number;
  /** Any call was served, or could have been, without a majority. */
  readonly wasDegraded: boolean;
  /** Processes that ended: degraded service is lost with its process, also when that leaves in order. */
  readonly endCount: number;
  /** Order of the moment at which the first session's token was handed on; `undefined`: never. */
  readonly handedOnAt: number | undefined;
}

export interface ShownState {
  readonly functionName: SimulatedFunctionName;
  readonly key: string;
  readonly at: number;
  readonly ids: readonly string[];
}
