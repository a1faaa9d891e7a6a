/** What the proof `timers` writes down for its judge, and what that answers. Times are of the wall clock. */
import type { AlarmWish } from "../functions/alarms.ts";

/** The timers of one entity, all set by one call. */
export interface AlarmPlan {
  readonly key: string;
  readonly wishes: readonly AlarmWish[];
  /** When the call was answered. */
  readonly setAt: number;
}

/** When some primaries were away: what was due then may be late. */
export interface TakeoverTime {
  readonly from: number;
  readonly until: number;
}

export interface TimersStory {
  readonly addresses: readonly string[];
  readonly plans: readonly AlarmPlan[];
  readonly takeovers: readonly TakeoverTime[];
}

export interface TimersJudgement {
  readonly counts: Readonly<Record<string, number>>;
  /** All must be zero. */
  readonly faults: Readonly<Record<string, number>>;
  /** Of those that were set before they were due, and due outside of takeovers. */
  readonly lateMs: { readonly p50: number; readonly p99: number; readonly max: number };
}
