/** What the calls ask for that set, replace and cancel timers. */
import { randomBelow, type Random } from "../../model/random.ts";

export const timerOperations = ["arm", "disarm"] as const;
export type TimerOperationName = (typeof timerOperations)[number];

/** Plain, because it is the input of a call. */
export interface TimerWish {
  /** "": an id of its own. */
  readonly name: string;
  /** When it is due, if it is due once. */
  readonly inMs: number;
  /** Its period; 0: it is due once. */
  readonly every: number;
  /** So often it is due, if it has a period; then it ends itself. */
  readonly times: number;
}

export interface TimerCall {
  readonly operation: TimerOperationName;
  readonly timer: TimerWish;
}

/** Few, so that timers are replaced and cancelled while they wait. */
const names = ["n1", "n2", "n3"];
/** A run waits for all of them in the end. */
const inMsMax = 12_000;
const timesMax = 3;

export function drawTimerCall(random: Random): TimerCall {
  const draw = random();
  const shared = names[randomBelow(random, names.length)]!;
  const inMs = Math.floor(random() ** 2 * inMsMax);
  const times = 1 + randomBelow(random, timesMax);
  const every = 1_000 + randomBelow(random, 1_500);
  if (draw < 0.2) {
    return { operation: "disarm", timer: { name: shared, inMs: 0, every: 0, times: 0 } };
  }
  const name = random() < 0.5 ? "" : shared;
  const isOnce = draw < 0.8;
  const timer = isOnce ? { name, inMs, every: 0, times: 0 } : { name, inMs: 0, every, times };
  return { operation: "arm", timer };
}
