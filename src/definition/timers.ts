/**
 * Timers as handlers set and see them: what `ctx.schedule` takes, checked once, here. A timer belongs
 * to its entity and runs one of its handlers.
 */
import { LatticeError } from "../model/error.ts";
import { isPrototypeName } from "../model/names.ts";
import type { Value } from "../model/value.ts";
import { checkKnownNames } from "./known-names.ts";

/** When a timer is due: exactly one of `inMs`, `at` and `every`, in milliseconds of the cluster's clock. */
export type ScheduleOptions = (
  | {
      /** From now, 0 … ten years. */
      readonly inMs: number;
      readonly at?: undefined;
      readonly every?: undefined;
    }
  | {
      /** A date, or milliseconds since the epoch; what is past is due at once. */
      readonly at: number | Date;
      readonly inMs?: undefined;
      readonly every?: undefined;
    }
  | {
      /** Again and again, the first time after one period; 1,000 … ten years. */
      readonly every: number;
      readonly inMs?: undefined;
      readonly at?: undefined;
    }
) & {
  /**
   * 1 … 128 characters. A timer of this id that waits already is replaced.
   * @default one of its own
   */
  readonly id?: string | undefined;
};

/** A timer that waits. */
export interface TimerView {
  readonly id: string;
  /** The name of the handler that it runs. */
  readonly handler: string;
  /** When it is due, in milliseconds since the epoch. */
  readonly at: number;
  /** Its period in milliseconds; absent: it is due once. */
  readonly every?: number;
  readonly input: Value | undefined;
}

/** UTF-16 units. */
export const timerIdLengthMax = 128;
/** A timer is due in so long at most; so long is also the longest period. */
export const timerDelayMsMax = 10 * 365 * 24 * 3_600_000;
export const timerPeriodMsMin = 1_000;

/** Control characters break logs; lone surrogates have no UTF-8, so two ids would become one. */
const printable = /^[^\p{Cc}\p{Cs}]+$/u;
const optionNames = ["inMs", "at", "every", "id"];

/** What was asked for, in whole milliseconds. */
export interface Due {
  /** Since the epoch. */
  readonly at: number;
  readonly every: number | undefined;
}

/**
 * When a timer that is set at `now` is due for the first time.
 * @param now by the cluster's clock
 * @throws LatticeError `invalid_argument`
 */
export function dueOf(when: ScheduleOptions, now: number): Due {
  if (typeof when !== "object" || (when as unknown) === null) {
    throw invalid("it takes when the timer is due: { inMs }, { at } or { every }");
  }
  checkKnownNames("ctx.schedule", "option", Object.keys(when), optionNames);
  const { inMs, at, every } = when;
  const given = [inMs, at, every].filter((option) => option !== undefined);
  if (given.length !== 1) {
    throw invalid(`it takes exactly one of inMs, at and every, not ${String(given.length)}`);
  }
  if (inMs !== undefined) {
    demand(inMs, 0, timerDelayMsMax, "inMs must be milliseconds from 0 to ten years");
    return { at: Math.ceil(now + inMs), every: undefined };
  }
  if (every !== undefined) {
    demand(every, timerPeriodMsMin, timerDelayMsMax, "every must be from 1,000 ms to ten years");
    const period = Math.ceil(every);
    return { at: now + period, every: period };
  }
  const time: unknown = isDate(at) ? at.getTime() : at;
  const most = now + timerDelayMsMax;
  demand(time, 0, most, "at must be a date, or milliseconds since 1970, at most ten years ahead");
  return { at: Math.ceil(time), every: undefined };
}

/** @throws LatticeError `invalid_argument` */
export function checkTimerId(id: unknown): asserts id is string {
  const isUsable =
    typeof id === "string" &&
    id.length <= timerIdLengthMax &&
    printable.test(id) &&
    !isPrototypeName(id);
  if (isUsable) return;
  const most = String(timerIdLengthMax);
  throw new LatticeError(
    "invalid_argument",
    `the id of a timer needs 1 … ${most} printable characters, and no name that JavaScript reserves`,
  );
}

/** By shape: a date may come from another realm. */
function isDate(value: unknown): value is Date {
  return (
    typeof (value as { readonly getTime?: unknown } | null | undefined)?.getTime === "function"
  );
}

function demand(
  value: unknown,
  least: number,
  most: number,
  wanted: string,
): asserts value is number {
  if (typeof value === "number" && value >= least && value <= most) return;
  throw invalid(`${wanted}, got ${typeof value === "number" ? String(value) : typeof value}`);
}

function invalid(problem: string): LatticeError {
  return new LatticeError("invalid_argument", `ctx.schedule: ${problem}`);
}
