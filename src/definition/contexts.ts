/**
 * What handlers and queries hold while they run. A query's context shows state but cannot change
 * it; `now`, `random` and `sleep` exist so that a function replays in the simulator. Once the run
 * is over, or was cut off, every use of the context throws `cancelled`. Members are functions of
 * their own: `({ state, send }, input) => …` works.
 */
import type { Value } from "../model/value.ts";
import type { AskHandle } from "./ask-handle.ts";
import type { ComputeOptions } from "./compute-options.ts";
import type { AnyFunction } from "./function-definition.ts";
import type { Live, Shape, View } from "./kinds.ts";
import type { Sender } from "./sender.ts";
import type { ScheduleOptions, TimerView } from "./timers.ts";

export interface QueryContext<S> {
  /** Which instance of the function this is. */
  readonly key: string;
  /** The state to read. */
  readonly state: View<S>;
  readonly caller: Caller;
  /** Aborted when the call is cancelled or its deadline passes. */
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Where this run stands among all that its first cause led to: give it to what you call outside. */
  readonly trace: Trace;
  /** Milliseconds since the epoch, by the cluster's clock, which is never set back. */
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /**
   * A handle to call another entity and wait for it, inside this run. What the other one did stays
   * done even if this run fails. A handler holds its own entity meanwhile.
   */
  readonly get: <F extends AnyFunction>(target: F, key: string) => AskHandle<F>;
  /** The timers of this entity, the next one first. */
  readonly timers: () => readonly TimerView[];
  /**
   * Runs the default export of a module in a thread beside the event loop, and resolves with its result.
   * For what would keep the node busy for more than some milliseconds. Input and result are values of at
   * most 1 MiB encoded. A handler holds its entity meanwhile. When the call is cancelled or its deadline
   * passes, the thread is terminated. Rejects with what the function threw, or `invalid_argument` where
   * there is none, `deadline_exceeded` after `timeoutMs`, `overloaded` where too many wait for a thread.
   *
   * @param module the URL of the module as it runs: `new URL("./price.js", import.meta.url)`
   */
  readonly compute: <R = Value | undefined>(
    module: URL | string,
    input?: Value,
    options?: ComputeOptions,
  ) => Promise<R>;
}

export interface HandlerContext<S> extends Omit<QueryContext<S>, "state"> {
  /** The state to read and change; all changes of a run take effect together, or none does. */
  readonly state: Live<S>;
  /**
   * Calls another entity after this run has taken effect, retrying until it answers; the normal
   * way for functions to talk. A run that throws sends nothing.
   */
  readonly send: <F extends AnyFunction>(target: F, key: string) => Sender<F>;
  /**
   * Runs a handler of this entity later, by its name. The timer is kept with the state and its copies,
   * so it survives crashes, and what its handler does takes effect once. A run that throws schedules
   * nothing. While nobody can run it, it waits; an `every` then runs once for all that it has missed.
   *
   * @returns the timer's id
   * @throws LatticeError `not_found` for a name that is no handler, `overloaded` beyond 256 timers
   */
  readonly schedule: (handler: string, when: ScheduleOptions, input?: Value) => string;
  /** Whether there was a timer of this id. It does not fire any more. */
  readonly cancelTimer: (id: string) => boolean;
  /**
   * Deletes this entity: its state is empty and its timers are gone from here on. What this run changes
   * afterwards begins it anew. A delete wins over changes that another side of a split made meanwhile;
   * that a call ran is remembered all the same, so a retry of an earlier one does not bring anything back.
   */
  readonly delete: () => void;
  /** Resolves after `ms` (≥ 0) milliseconds; the entity is held meanwhile. */
  readonly sleep: (ms: number) => Promise<void>;
  /** Runs `run` once the change is committed and answered, for side effects; lost with the node. */
  readonly afterCommit: (run: () => void | Promise<void>) => void;
  /** Refuses the call: nothing takes effect, and the caller gets the code, message and data. */
  readonly fail: Fail;
}

/** What queries of a function without state hold. */
export type StatelessQueryContext = Pick<
  QueryContext<Shape>,
  "key" | "caller" | "signal" | "log" | "trace" | "now" | "random" | "get" | "compute"
>;

/**
 * What handlers of a function without state hold: nothing is committed, so there is nothing to change,
 * and no outbox for `send`.
 */
export type StatelessContext = StatelessQueryContext &
  Pick<HandlerContext<Shape>, "sleep" | "fail">;

/** Ends the run at once, by throwing. */
export type Fail = (code: RefusalCode, message: string, data?: Value) => never;

/** Whoever made the call, as far as it is known. */
export type Caller =
  /** `id` is "" for a call without protection against running twice. */
  | { readonly type: "client"; readonly id: string }
  | {
      readonly type: "function";
      readonly functionName: string;
      readonly key: string;
    }
  /** A timer of this entity, which was due `at`: milliseconds since the epoch. */
  | { readonly type: "timer"; readonly id: string; readonly at: number };

/** The codes a handler may refuse with; the others belong to the system. */
export type RefusalCode = (typeof refusalCodes)[number];

export const refusalCodes = [
  "invalid_argument",
  "not_found",
  "already_exists",
  "failed_precondition",
  "unauthenticated",
  "permission_denied",
] as const;

/**
 * One run's span in a W3C trace context (https://www.w3.org/TR/trace-context/). Its parent is the
 * caller's span: the one given by `.with({ traceparent })`, or that of the run which asked or sent.
 */
export interface Trace {
  /** 32 hexadecimal digits: of the whole trace. Log lines of all its runs have it. */
  readonly traceId: string;
  /** 16 hexadecimal digits: of this run alone; another attempt of the same call has another one. */
  readonly spanId: string;
  /** Both as the header `traceparent`, with the flags that the trace came with. */
  readonly traceparent: string;
}

/** Writes to the node's log, with function, key, operation, call and trace id added. */
export interface Log {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}
