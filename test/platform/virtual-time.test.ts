import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { LatticeError } from "../../src/model/error.ts";
import type { Timer } from "../../src/platform/platform.ts";
import type { VirtualNode } from "../../src/platform/virtual/virtual-node.ts";
import { slowCallbackMs } from "../../src/platform/virtual/virtual-node.ts";
import { VirtualTime } from "../../src/platform/virtual/virtual-time.ts";

function isLatticeError(code: string, text: RegExp): (error: unknown) => boolean {
  return (error) =>
    error instanceof LatticeError && error.code === code && text.test(error.message);
}

describe("virtual time", () => {
  test("jumps from event to event and stops exactly where it is told to", async () => {
    const time = new VirtualTime({ seed: 1 });
    const seen: number[] = [];
    for (const at of [5, 60_000, 3_600_000]) time.timers.after(at, () => seen.push(time.now));
    assert.equal(await time.run({ untilAt: 100_000 }), "time");
    assert.deepEqual(seen, [5, 60_000]);
    assert.equal(time.now, 100_000);
    assert.equal(await time.run(), "idle");
    assert.equal(time.now, 3_600_000);
  });

  test("stops at the very event that makes a condition true", async () => {
    const time = new VirtualTime({ seed: 1 });
    let count = 0;
    for (let i = 0; i < 10; i++) time.timers.after(1, () => (count += 1));
    assert.equal(await time.run({ condition: () => count === 4 }), "condition");
    assert.equal(count, 4);
  });

  test("async code gets as far as it can before the next event", async () => {
    const time = new VirtualTime({ seed: 1 });
    const log: string[] = [];
    const work = async (name: string): Promise<void> => {
      for (let i = 0; i < 200; i++) await Promise.resolve().then(() => undefined);
      await (async () => {
        await new Promise((resolve) => {
          queueMicrotask(() => {
            resolve(undefined);
          });
        });
      })();
      log.push(name);
    };
    for (let i = 0; i < 3; i++) {
      time.timers.after(1, () => {
        log.push(`event ${String(i)}`);
        void work(`work ${String(i)}`);
      });
    }
    await time.run();
    assert.deepEqual(log, ["event 0", "work 0", "event 1", "work 1", "event 2", "work 2"]);
  });

  test("stands still between two awaits of a test", async () => {
    const time = new VirtualTime({ seed: 1 });
    const node = time.node("a");
    let beats = 0;
    const beat = (): void => {
      beats += 1;
      node.timers.after(10, beat);
    };
    beat();
    await time.settled(new Promise<void>((resolve) => void node.timers.after(95, resolve)));
    const before = { beats, now: time.now };
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual({ beats, now: time.now }, before);
    assert.equal(time.now, 95);
  });

  test("serves several who wait at once", async () => {
    const time = new VirtualTime({ seed: 1 });
    const at = async (ms: number): Promise<number> => {
      await time.sleep(ms);
      return time.now;
    };
    assert.deepEqual(await Promise.all([at(30), at(10), at(20)]), [30, 10, 20]);
  });

  test("reports a promise that waits for something outside", async () => {
    const time = new VirtualTime({ seed: 42 });
    await assert.rejects(
      time.settled(new Promise(() => undefined)),
      isLatticeError("failed_precondition", /seed 42: .*outside the simulation/),
    );
  });

  test("reports a promise that does not settle in time", async () => {
    const time = new VirtualTime({ seed: 42 });
    const again = (): void => void time.timers.after(100, again);
    again();
    await assert.rejects(
      time.settled(new Promise(() => undefined), 5000),
      isLatticeError("failed_precondition", /not settled in 5000 virtual ms/),
    );
    assert.equal(time.now, 5000);
  });

  test("waits a little for a promise that real input and output will settle", async () => {
    const time = new VirtualTime({ seed: 1 });
    const real = new Promise<string>((resolve) => {
      setImmediate(() => {
        setImmediate(() => {
          resolve("done");
        });
      });
    });
    assert.equal(await time.settled(real), "done");
  });

  test("an event that throws rejects the run, and the next run goes on", async () => {
    const time = new VirtualTime({ seed: 1 });
    let isReached = false;
    time.timers.after(1, () => {
      throw new Error("planted");
    });
    time.timers.after(2, () => (isReached = true));
    await assert.rejects(time.run(), /planted/);
    assert.equal(await time.run(), "idle");
    assert.ok(isReached);
  });

  test("callbacks that re-arm themselves without a delay are reported, not run for ever", () => {
    const time = new VirtualTime({ seed: 3 });
    const again = (): void => void time.timers.after(0, again);
    again();
    assert.throws(
      () => {
        time.advance(1);
      },
      isLatticeError("internal", /seed 3: time stands still at 0 ms/),
    );
  });

  test("cancelled timers do not pile up", () => {
    const time = new VirtualTime({ seed: 1 });
    for (let i = 0; i < 100_000; i++) time.timers.after(1000 + i, () => undefined).cancel();
    assert.ok(time.pendingCount <= 512, String(time.pendingCount));
  });

  test("events run in the order of due time, then of asking, whatever is cancelled", () => {
    const plan = fc.array(fc.record({ delay: fc.nat(20), cancelled: fc.boolean() }), {
      maxLength: 600,
    });
    fc.assert(
      fc.property(plan, (steps) => {
        const time = new VirtualTime({ seed: 1 });
        const ran: number[] = [];
        const timers: Timer[] = steps.map(({ delay }, i) =>
          time.timers.after(delay, () => ran.push(i)),
        );
        steps.forEach(({ cancelled }, i) => {
          if (cancelled) timers[i]?.cancel();
        });
        time.advance(100);
        const expected = steps
          .map((step, i) => ({ ...step, i }))
          .filter(({ cancelled }) => !cancelled)
          .sort((a, b) => a.delay - b.delay || a.i - b.i)
          .map(({ i }) => i);
        assert.deepEqual(ran, expected);
      }),
    );
  });
});

describe("a run of virtual time", () => {
  test("is repeated exactly by its seed, async handlers included", async () => {
    assert.deepEqual(await transcript(5), await transcript(5));
    assert.notDeepEqual(await transcript(5), await transcript(6));
  });
});

async function transcript(seed: number): Promise<string[]> {
  const time = new VirtualTime({ seed });
  const lines: string[] = [];
  const nodes = ["a", "b", "c"].map((name) => time.node(name));
  const work = async (node: VirtualNode): Promise<void> => {
    const steps = Math.floor(node.random() * 5);
    for (let i = 0; i < steps; i++) await Promise.resolve();
    lines.push(`${String(time.now)} ${node.name} ${node.ids.unique()}`);
    node.timers.after(node.random() * 10, () => void work(node));
  };
  for (const node of nodes) void work(node);
  nodes[1]?.slow(50);
  time.timers.after(40, () => nodes[0]?.pause());
  time.timers.after(90, () => nodes[0]?.resume());
  await time.run({ untilAt: 200 });
  return lines;
}

describe("a virtual node", () => {
  test("has a monotonic clock that cannot be compared with another node's", () => {
    const time = new VirtualTime({ seed: 1 });
    const [a, b] = [time.node("a"), time.node("b")];
    assert.notEqual(a.clock.now(), b.clock.now());
    assert.equal(a.clock.wallNow(), b.clock.wallNow());
  });

  test("jumps its wall clock without moving the monotonic one", () => {
    const time = new VirtualTime({ seed: 1 });
    const node = time.node("a");
    const before = { now: node.clock.now(), wall: node.clock.wallNow() };
    node.jumpWallClock(-3_600_000);
    assert.equal(node.clock.now(), before.now);
    assert.equal(node.clock.wallNow(), before.wall - 3_600_000);
  });

  test("after a pause fires overdue timers first, then reads input, then what was polled for", () => {
    const time = new VirtualTime({ seed: 1 });
    const node = time.node("a");
    const log: string[] = [];
    node.input.after(5, () => log.push("frame 5"));
    node.timers.after(10, () => {
      log.push("timer 10");
      node.timers.afterPoll(() => log.push("after poll"));
    });
    node.input.after(20, () => log.push("frame 20"));
    node.timers.after(30, () => log.push("timer 30"));
    node.timers.after(500, () => log.push("timer 500"));
    node.pause();
    time.advance(100);
    assert.equal(log.length, 0);
    node.resume();
    time.advance(101);
    assert.deepEqual(log, ["timer 10", "timer 30", "frame 5", "frame 20", "after poll"]);
    time.advance(600);
    assert.equal(log.at(-1), "timer 500");
    assert.ok(node.loopDelay.takeP99() >= 100 - 1);
    assert.equal(node.loopDelay.takeP99(), 0);
  });

  test("does not fire timers that were cancelled while it was paused", () => {
    const time = new VirtualTime({ seed: 1 });
    const node = time.node("a");
    let isFired = false;
    const timer = node.timers.after(10, () => (isFired = true));
    node.pause();
    time.advance(50);
    timer.cancel();
    node.resume();
    time.advance(60);
    assert.equal(isFired, false);
  });

  test("that is slow needs time for every callback and keeps their order", () => {
    const time = new VirtualTime({ seed: 1 });
    const node = time.node("a");
    node.slow(9);
    const at: number[] = [];
    for (let i = 0; i < 5; i++) node.input.after(1, () => at.push(time.now));
    time.advance(100);
    const cost = 8 * slowCallbackMs;
    assert.deepEqual(at, [1, 1 + cost, 1 + 2 * cost, 1 + 3 * cost, 1 + 4 * cost]);
    node.slow(1);
    for (let i = 0; i < 3; i++) node.input.after(50, () => at.push(time.now));
    time.advance(200);
    assert.deepEqual(at.slice(5), [150, 150, 150]);
  });

  test("that was stopped runs nothing and schedules nothing ever again", async () => {
    const time = new VirtualTime({ seed: 1 });
    const node = time.node("a");
    let ranCount = 0;
    const run = (): void => {
      ranCount += 1;
    };
    node.timers.after(1, run);
    node.timers.defer(run);
    node.input.after(1, run);
    node.stop();
    node.timers.after(1, run).cancel();
    node.timers.after(1, run);
    node.timers.defer(run);
    node.timers.afterPoll(run);
    node.resume();
    assert.equal(await time.run(), "idle");
    assert.equal(ranCount, 0);
  });

  test("draws the same chance in every run, and another one than its namesake after a restart", () => {
    const draws = (seed: number): number[] => {
      const time = new VirtualTime({ seed });
      return [time.node("a").random(), time.node("b").random(), time.node("a").random()];
    };
    assert.deepEqual(draws(1), draws(1));
    assert.equal(new Set([...draws(1), ...draws(2)]).size, 6);
  });
});
