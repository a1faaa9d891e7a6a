/** The options of `.with(…)`: of every call made through the handle that it returns. */
import type { Acks, ReadFrom, WhenSplit } from "../model/acks.ts";
import { LatticeError } from "../model/error.ts";
import { limits } from "../model/limits.ts";
import { isTraceparent } from "../model/traceparent.ts";
import { checkAcks, checkReadFrom, checkWhenSplit } from "./function-options.ts";
import { checkKnownNames } from "./known-names.ts";

export interface CallOptions {
  /**
   * Longest time of the call in milliseconds, retries included: 1 … 300,000. Then
   * `deadline_exceeded`.
   * @default the function's `deadlineMs`
   */
  readonly timeoutMs?: number | undefined;
  /** Overrides the function's `acks`. */
  readonly acks?: Acks | undefined;
  /** Overrides the function's `whenSplit`. */
  readonly whenSplit?: WhenSplit | undefined;
  /**
   * Where queries run; handlers always run on the primary. `"any"` asks whichever owner is at hand,
   * which costs the primary nothing and may show what was true some milliseconds ago; in a session it
   * is never older than what the session has seen. `"linearizable"` costs a round trip to a majority
   * and is never old, whatever happened to the primary; without a majority it is `unavailable`.
   * A number, 2 … 7, asks so many owners (all, if there are fewer) and shows the newest that they have;
   * where fewer can be reached it is `unavailable`. More than half of the owners miss nothing that was
   * answered before.
   * @default "primary"
   */
  readonly readFrom?: ReadFrom | undefined;
  /** Aborting it ends the call with `cancelled`; the call may still take effect. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Two calls of one operation on one key with the same idempotency key take effect once, also
   * when their caller restarted in between. 1 … 256 characters, remembered for 10 minutes.
   */
  readonly idempotencyKey?: string | undefined;
  /**
   * Keep the order of the calls made through this handle over retries and failover: the next is
   * sent when the one before is settled. Costs one round trip per call.
   * @default false
   */
  readonly ordered?: boolean | undefined;
  /** `"full"`: calls return `Reply<T>`. @default "value" */
  readonly reply?: "value" | "full" | undefined;
  /**
   * The caller's W3C trace context, version 00: what the call leads to, also by `ctx.get` and
   * `ctx.send`, becomes part of that trace.
   * @default none is sent
   */
  readonly traceparent?: string | undefined;
}

/** The options of calls from inside a turn. */
export type AskOptions = Pick<CallOptions, "timeoutMs" | "signal">;

export const idempotencyKeyLengthMax = 256;
const traceparentForm =
  'a W3C trace context in lower case: "00-" and 32, 16 and 2 hexadecimal digits, ids not all 0';
export const noCallOptions: CallOptions = Object.freeze({});

const callOptionNames = [
  "timeoutMs",
  "acks",
  "whenSplit",
  "readFrom",
  "signal",
  "idempotencyKey",
  "ordered",
  "reply",
  "traceparent",
];
const askOptionNames = ["timeoutMs", "signal"];

/**
 * Adds `added` to `options`; an option given as `undefined` keeps what was there.
 * @throws LatticeError `invalid_argument` for an unknown option or an unusable value.
 */
export function mergeCallOptions(options: CallOptions, added: CallOptions): CallOptions {
  return merge(options, added, callOptionNames);
}

/** As `mergeCallOptions`, for calls from inside a turn, which take fewer options. */
export function mergeAskOptions(options: AskOptions, added: AskOptions): AskOptions {
  return merge(options, added, askOptionNames);
}

const statefulOptionNames = ["acks", "whenSplit", "readFrom", "idempotencyKey"] as const;

/**
 * Refuses what a call of a function without state cannot be given.
 * @throws LatticeError `invalid_argument`
 */
export function checkStatelessCall(functionName: string, options: CallOptions): void {
  const [wrong] = statefulOptionNames.filter((name) => options[name] !== undefined);
  if (wrong === undefined) return;
  throw new LatticeError(
    "invalid_argument",
    `${functionName} has no state, so nothing is kept of its calls: call it without ${wrong}`,
    { function: functionName },
  );
}

function merge<O extends CallOptions>(options: O, added: O, names: readonly string[]): O {
  if (typeof added !== "object" || (added as unknown) === null) {
    throw new LatticeError("invalid_argument", ".with takes an object of options");
  }
  checkKnownNames(".with", "option", Object.keys(added), names);
  const given = Object.entries(added).filter(([, value]) => value !== undefined);
  const merged = Object.freeze({ ...options, ...Object.fromEntries(given) });
  checkValues(merged);
  return merged;
}

function checkValues(options: CallOptions): void {
  const { timeoutMs, acks, whenSplit, readFrom, signal } = options;
  const { idempotencyKey, ordered, reply, traceparent } = options;
  if (acks !== undefined) checkAcks(".with", acks);
  if (whenSplit !== undefined) checkWhenSplit(".with", whenSplit);
  if (readFrom !== undefined) checkReadFrom(".with", readFrom);
  demand(
    "timeoutMs",
    timeoutMs,
    `a number of milliseconds, 1 … ${String(limits.deadlineMsMax)}`,
    isTime,
  );
  demand("signal", signal, "an AbortSignal", isSignal);
  demand("idempotencyKey", idempotencyKey, "a string of 1 … 256 characters", isIdempotencyKey);
  demand("ordered", ordered, "true or false", (value) => typeof value === "boolean");
  demand("reply", reply, '"value" or "full"', (value) => value === "value" || value === "full");
  demand("traceparent", traceparent, traceparentForm, isTraceparent);
}

function demand(
  name: string,
  value: unknown,
  wanted: string,
  accepts: (value: unknown) => boolean,
): void {
  if (value === undefined || accepts(value)) return;
  throw new LatticeError("invalid_argument", `.with: ${name} must be ${wanted}`);
}

function isTime(value: unknown): boolean {
  return typeof value === "number" && value >= 1 && value <= limits.deadlineMsMax;
}

/** By shape: a signal may come from another realm or a polyfill. */
function isSignal(value: unknown): boolean {
  const signal = value as Partial<AbortSignal> | null;
  return (
    typeof signal === "object" &&
    typeof signal?.aborted === "boolean" &&
    typeof signal.addEventListener === "function"
  );
}

function isIdempotencyKey(value: unknown): boolean {
  return typeof value === "string" && value !== "" && value.length <= idempotencyKeyLengthMax;
}
