/** `ctx.sleep`: a wait that ends with the turn. */
import { LatticeError } from "../model/error.ts";
import { limits } from "../model/limits.ts";
import type { Timers } from "../platform/platform.ts";
import type { Turn } from "./turn.ts";

/**
 * Resolves after `ms`, 0 … 300,000 milliseconds.
 * @throws LatticeError `invalid_argument`; rejects with what cut the turn off
 */
export function sleep(turn: Turn, timers: Timers, ms: number): Promise<void> {
  if (typeof ms !== "number" || !(ms >= 0 && ms <= limits.deadlineMsMax)) {
    throw new LatticeError(
      "invalid_argument",
      `ctx.sleep takes milliseconds, 0 … ${String(limits.deadlineMsMax)}, got ${String(ms)}`,
    );
  }
  const slept = new Promise<void>((resolve, reject) => {
    const forget = turn.onRevoke((reason) => {
      timer.cancel();
      reject(reason);
    });
    const timer = timers.after(ms, () => {
      forget();
      resolve();
    });
  });
  // A handler that was cut off, or that never awaited, does not handle this; the turn has ended,
  // and a rejection that nobody handles would end the process.
  slept.catch(ignore);
  return slept;
}

function ignore(): void {
  return;
}
