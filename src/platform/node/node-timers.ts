/**
 * Timers on Node's own event loop.
 *
 * `setTimeout` has two traps that this file takes away: it counts in whole milliseconds of a clock
 * of its own, so that it may fire a fraction too early, and above 2^31 − 1 ms it fires at once.
 */
import type { Clock, Timer, Timers } from "../platform.ts";

/** About 12 days; longer delays are slept in pieces. */
const longestSleepMs = 2 ** 20 * 1000;

export function nodeTimers(clock: Clock): Timers {
  return {
    after: (delayMs, run) => new NodeTimer(clock, delayMs, run),
    // `nextTick` runs when the present callback has returned, before promises and any I/O.
    defer: (run) => {
      process.nextTick(run);
    },
    afterPoll: (run) => {
      setImmediate(run);
    },
  };
}

class NodeTimer implements Timer {
  readonly #clock: Clock;
  readonly #dueAt: number;
  readonly #run: () => void;
  #timeout: NodeJS.Timeout;

  constructor(clock: Clock, delayMs: number, run: () => void) {
    this.#clock = clock;
    this.#dueAt = clock.now() + Math.max(0, delayMs);
    this.#run = run;
    this.#timeout = sleep(delayMs, this);
  }

  cancel(): void {
    clearTimeout(this.#timeout);
  }

  /** Called by the event loop: too early after a long or rounded sleep, then it sleeps again. */
  fire(): void {
    const leftMs = this.#dueAt - this.#clock.now();
    if (leftMs > 0) this.#timeout = sleep(leftMs, this);
    else this.#run();
  }
}

function sleep(delayMs: number, timer: NodeTimer): NodeJS.Timeout {
  return setTimeout(fire, Math.min(Math.ceil(delayMs), longestSleepMs), timer);
}

/** One function for all timers: an argument is cheaper than a closure per timer. */
function fire(timer: NodeTimer): void {
  timer.fire();
}
