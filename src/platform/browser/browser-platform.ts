/**
 * The real world of a client in a browser (or a worker in one). No `node:` module may be reached
 * from here: the client is bundled for browsers from this file on.
 */
import type { Clock, LogLevel, Logger, Platform, Timer, Timers } from "../platform.ts";
import { randomFrom } from "../seeded-random.ts";
import { uniqueIds } from "../unique-ids.ts";
import { consoleLogger } from "./console-logger.ts";

/** Browsers run a `setTimeout` above 2^31 − 1 ms at once; longer delays are slept in pieces. */
const longestSleepMs = 2 ** 20 * 1000;

export interface BrowserPlatformOptions {
  /** @default "warn" */
  readonly logLevel?: LogLevel | "silent";
  readonly logger?: Logger;
}

export function browserPlatform(options: BrowserPlatformOptions = {}): Platform {
  const words = crypto.getRandomValues(new Int32Array(4));
  return {
    clock: browserClock,
    timers: browserTimers,
    random: randomFrom([words[0] ?? 0, words[1] ?? 0, words[2] ?? 0, words[3] ?? 0]),
    ids: uniqueIds,
    logger: options.logger ?? consoleLogger(options.logLevel ?? "warn"),
  };
}

const browserClock: Clock = {
  now: () => performance.now(),
  wallNow: () => Date.now(),
};

const browserTimers: Timers = {
  after: (delayMs, run) => new BrowserTimer(delayMs, run),
  defer: (run) => {
    queueMicrotask(run);
  },
  // A browser has no phase "after input was read": a new task is behind all that is waiting now.
  afterPoll: (run) => {
    setTimeout(run, 0);
  },
};

class BrowserTimer implements Timer {
  readonly #dueAt: number;
  readonly #run: () => void;
  #timeout: ReturnType<typeof setTimeout>;

  constructor(delayMs: number, run: () => void) {
    this.#dueAt = browserClock.now() + Math.max(0, delayMs);
    this.#run = run;
    this.#timeout = this.#sleep(delayMs);
  }

  cancel(): void {
    clearTimeout(this.#timeout);
  }

  #sleep(delayMs: number): ReturnType<typeof setTimeout> {
    return setTimeout(
      () => {
        this.#fire();
      },
      Math.min(Math.ceil(delayMs), longestSleepMs),
    );
  }

  #fire(): void {
    const lateMs = browserClock.now() - this.#dueAt;
    if (lateMs < 0) {
      this.#timeout = this.#sleep(-lateMs);
      return;
    }
    this.#run();
  }
}
