/**
 * What every clock and its timers must do, real or virtual. A platform under test comes with a
 * `wait` that lets time pass until a promise has settled.
 */
import assert from "node:assert/strict";
import type { Platform } from "../../platform/platform.ts";
import type { ConformanceCase } from "./conformance-case.ts";

export interface ClockSubject {
  readonly platform: Pick<Platform, "clock" | "timers" | "random" | "ids">;
  /** Lets time pass until `promise` settles. */
  readonly wait: <T>(promise: Promise<T>) => Promise<T>;
}

/** The suite of clocks, timers and chance; every case makes a subject of its own. */
export function clockConformance(make: () => ClockSubject): readonly ConformanceCase[] {
  return [...timerCases, ...orderCases, ...chanceCases].map(({ name, run }) => ({
    name,
    async run() {
      await run(make());
    },
  }));
}

interface ClockCase {
  readonly name: string;
  readonly run: (subject: ClockSubject) => void | Promise<void>;
}

const timerCases: readonly ClockCase[] = [
  {
    name: "a timer never fires before its delay has passed on the clock",
    async run({ platform, wait }) {
      const { clock, timers } = platform;
      const early: number[] = [];
      const delays = [0, 0.25, 1, 1.5, 2, 3.75, 5, 9.999, 20];
      const fired = delays.map((delayMs) => {
        const dueAt = clock.now() + delayMs;
        return new Promise<void>((resolve) => {
          timers.after(delayMs, () => {
            if (clock.now() < dueAt) early.push(delayMs);
            resolve();
          });
        });
      });
      await wait(Promise.all(fired));
      assert.deepEqual(early, []);
    },
  },

  {
    name: "the clock is not behind a due time that was computed from it",
    async run({ platform, wait }) {
      const { clock, timers } = platform;
      let dueAt = clock.now();
      for (let i = 0; i < 20; i++) {
        dueAt += platform.random() * 2;
        const delayMs = dueAt - clock.now();
        await wait(new Promise<void>((resolve) => void timers.after(delayMs, resolve)));
        assert.ok(clock.now() >= dueAt, `${String(clock.now())} < ${String(dueAt)}`);
      }
    },
  },

  {
    name: "a negative delay is no delay",
    async run({ platform, wait }) {
      await wait(new Promise<void>((resolve) => void platform.timers.after(-5, resolve)));
    },
  },

  {
    name: "a delay longer than 2^31 ms does not fire at once",
    async run({ platform, wait }) {
      let isFired = false;
      const timer = platform.timers.after(2 ** 31 + 1000, () => {
        isFired = true;
      });
      await wait(new Promise<void>((resolve) => void platform.timers.after(5, resolve)));
      timer.cancel();
      assert.equal(isFired, false);
    },
  },

  {
    name: "a cancelled timer does not fire, and cancelling again or late does nothing",
    async run({ platform, wait }) {
      const { timers } = platform;
      let firedCount = 0;
      const cancelled = timers.after(1, () => (firedCount += 1));
      cancelled.cancel();
      cancelled.cancel();
      const kept = timers.after(1, () => (firedCount += 10));
      await wait(new Promise<void>((resolve) => void timers.after(4, resolve)));
      kept.cancel();
      assert.equal(firedCount, 10);
    },
  },
];

const orderCases: readonly ClockCase[] = [
  {
    name: "timers fire in the order of their due times",
    async run({ platform, wait }) {
      const order: number[] = [];
      const fired = [30, 10, 20].map(
        (delayMs) =>
          new Promise<void>((resolve) => {
            platform.timers.after(delayMs, () => {
              order.push(delayMs);
              resolve();
            });
          }),
      );
      await wait(Promise.all(fired));
      assert.deepEqual(order, [10, 20, 30]);
    },
  },

  {
    name: "what is deferred runs after the present callback, in order, before any timer",
    async run({ platform, wait }) {
      const { timers } = platform;
      const order: string[] = [];
      await wait(
        new Promise<void>((resolve) => {
          timers.after(1, () => {
            timers.after(0, () => {
              order.push("timer");
              resolve();
            });
            timers.defer(() => {
              order.push("first");
              timers.defer(() => order.push("third"));
            });
            timers.defer(() => order.push("second"));
            order.push("callback");
          });
        }),
      );
      assert.deepEqual(order, ["callback", "first", "second", "third", "timer"]);
    },
  },

  {
    name: "promises of one callback settle before the next timer fires",
    async run({ platform, wait }) {
      const { timers } = platform;
      const order: string[] = [];
      const chain = async (): Promise<void> => {
        for (let i = 0; i < 50; i++) await Promise.resolve();
        order.push("settled");
      };
      await wait(
        new Promise<void>((resolve) => {
          timers.after(1, () => void chain());
          timers.after(3, () => {
            order.push("timer");
            resolve();
          });
        }),
      );
      assert.deepEqual(order, ["settled", "timer"]);
    },
  },

  {
    name: "what runs after the poll runs once, after what was deferred",
    async run({ platform, wait }) {
      const { timers } = platform;
      const order: string[] = [];
      await wait(
        new Promise<void>((resolve) => {
          timers.afterPoll(() => {
            order.push("polled");
            resolve();
          });
          timers.defer(() => order.push("deferred"));
        }),
      );
      assert.deepEqual(order, ["deferred", "polled"]);
    },
  },
];

/** 1 January 2020 in milliseconds. */
const start2020 = 1_577_836_800_000;

const chanceCases: readonly ClockCase[] = [
  {
    name: "ids are URL-safe, 21 characters long and differ",
    run({ platform: { ids } }) {
      const made = new Set(Array.from({ length: 1000 }, () => ids.unique()));
      assert.equal(made.size, 1000);
      for (const id of made) assert.match(id, /^[\w-]{21}$/);
    },
  },

  {
    name: "chance is uniform in [0, 1)",
    run({ platform: { random } }) {
      const buckets = new Array<number>(16).fill(0);
      for (let i = 0; i < 16_000; i++) {
        const draw = random();
        assert.ok(draw >= 0 && draw < 1);
        const bucket = Math.floor(draw * 16);
        buckets[bucket] = (buckets[bucket] ?? 0) + 1;
      }
      // 1,000 expected each, standard deviation 31: beyond seven of them once in 10^11 runs.
      for (const count of buckets) assert.ok(Math.abs(count - 1000) < 217, String(buckets));
    },
  },

  {
    name: "wall time is a date of this age in whole milliseconds",
    run({ platform: { clock } }) {
      assert.ok(clock.wallNow() > start2020);
      assert.ok(Number.isInteger(clock.wallNow()));
    },
  },
];
