import type { Timer, Timers } from "../platform/platform.ts";

/** Timers that end together: whoever stops must leave none behind, or the process would not exit. */
export class TimerSet {
  readonly #timers: Timers;
  readonly #running = new Set<Timer>();
  #isClosed = false;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  get count(): number {
    return this.#running.size;
  }

  /** As `Timers.after`; does nothing once the set is closed. */
  after(delayMs: number, run: () => void): Timer {
    if (this.#isClosed) return ended;
    const timer = this.#timers.after(delayMs, () => {
      this.#running.delete(timer);
      run();
    });
    this.#running.add(timer);
    return {
      cancel: () => {
        timer.cancel();
        this.#running.delete(timer);
      },
    };
  }

  /** As `Timers.defer`; `run` is left out once the set is closed. */
  defer(run: () => void): void {
    this.#timers.defer(() => {
      if (!this.#isClosed) run();
    });
  }

  close(): void {
    this.#isClosed = true;
    for (const timer of this.#running) timer.cancel();
    this.#running.clear();
  }
}

const ended: Timer = Object.freeze({
  cancel: () => {
    return;
  },
});
