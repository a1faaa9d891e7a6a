import type { Random } from "../model/random.ts";

/** The world outside, as small interfaces. Everything above asks these and nothing else. */
export interface Platform {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly ids: Ids;
  readonly logger: Logger;
}

/** What nodes need besides, and clients do without. */
export interface NodePlatform extends Platform {
  readonly loopDelay: LoopDelay;
  readonly traceIds: TraceIds;
}

export interface Clock {
  /** Monotonic milliseconds, fractions included, from an arbitrary start. All time-outs use it. */
  now(): number;
  /** Milliseconds since the epoch. May step; read only where a date is meant. */
  wallNow(): number;
}

export interface Timer {
  cancel(): void;
}

export interface Timers {
  /** Runs once, not before `delayMs` (≥ 0) have passed. */
  after(delayMs: number, run: () => void): Timer;
  /** Runs when the current turn of the event loop's callback ends, before any further I/O event. */
  defer(run: () => void): void;
  /** Runs after I/O that is already waiting has been read (`setImmediate`). */
  afterPoll(run: () => void): void;
}

export interface Ids {
  /** A URL-safe unique id of 21 characters. */
  unique(): string;
}

/** Ids of traces and of their spans. */
export interface TraceIds {
  /** @param digits hexadecimal ones, in lower case: a multiple of 8 */
  hex(digits: number): string;
}

export type LogLevel = "debug" | "info" | "warn" | "error";

export interface Logger {
  readonly level: LogLevel | "silent";
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
  child(fields: Readonly<Record<string, unknown>>): Logger;
}

/** Event-loop delay: how late callbacks run, the sampling resolution already subtracted. */
export interface LoopDelay {
  /** The 99th percentile since the last call, in milliseconds. */
  takeP99(): number;
}
