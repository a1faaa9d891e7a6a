import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import { LatticeError } from "../../src/model/error.ts";
import { consoleLogger } from "../../src/platform/browser/console-logger.ts";
import type { WheelEntry } from "../../src/platform/deadline-wheel.ts";
import { DeadlineWheel, notInWheel } from "../../src/platform/deadline-wheel.ts";
import { nodeLoopDelay } from "../../src/platform/node/node-loop-delay.ts";
import { nodePlatform } from "../../src/platform/node/node-platform.ts";
import { pinoLogger } from "../../src/platform/node/pino-logger.ts";
import { randomFrom, seededRandom } from "../../src/platform/seeded-random.ts";
import { VirtualTime } from "../../src/platform/virtual/virtual-time.ts";

describe("seeded chance", () => {
  test("is the published sfc32", () => {
    // PractRand's generator written out with BigInt, as an independent check of the 32-bit tricks.
    const mask = 0xffff_ffffn;
    let [a, b, c, counter] = [1n, 2n, 3n, 4n];
    const next = (): bigint => {
      const sum = (a + b + counter) & mask;
      counter = (counter + 1n) & mask;
      a = b ^ (b >> 9n);
      b = (c + (c << 3n)) & mask;
      c = ((((c << 21n) | (c >> 11n)) & mask) + sum) & mask;
      return sum;
    };
    for (let i = 0; i < 12; i++) next();
    const random = randomFrom([1, 2, 3, 4]);
    for (let i = 0; i < 1000; i++) {
      const expected = Number((next() >> 5n) * 0x400_0000n + (next() >> 6n)) / 2 ** 53;
      assert.equal(random(), expected);
    }
  });

  test("differs by seed and by label, also for seeds above 32 bits", () => {
    const firsts = [0, 1, 2, 2 ** 32, 2 ** 32 + 1, 2 ** 40].flatMap((seed) =>
      ["", "a", "b", "ab", "ba"].map((label) => seededRandom(seed, label)()),
    );
    assert.equal(new Set(firsts).size, firsts.length);
  });
});

describe("pino logger", () => {
  const logged = (write: (logger: ReturnType<typeof pinoLogger>) => void): unknown[] => {
    const lines: string[] = [];
    write(pinoLogger({ level: "debug", stream: { write: (line) => void lines.push(line) } }));
    return lines.map((line) => JSON.parse(line) as unknown);
  };

  test("redacts secrets, arguments and state by their names, also inside", () => {
    const text = JSON.stringify(
      logged((logger) => {
        logger.info("started", { secret: "s1", options: { token: "s2", tls: { key: "s3" } } });
        logger
          .child({ password: "s4" })
          .warn("call", { call: { deep: { state: "s5" } }, input: "s6" });
        logger.error("failed", { error: new LatticeError("internal", "why", { data: "s7" }) });
      }),
    );
    assert.doesNotMatch(text, /s[1-7]"/);
    assert.match(text, /\[redacted\]/);
    assert.match(text, /why/);
  });

  test("writes message, bound fields and the chain of causes", () => {
    const [line] = logged((logger) => {
      const cause = new Error("inner");
      logger.child({ node: "a" }).error("broke", { error: new Error("outer", { cause }) });
    }) as [{ msg: string; node: string; error: { message: string; cause: { message: string } } }];
    assert.equal(line.msg, "broke");
    assert.equal(line.node, "a");
    assert.equal(line.error.message, "outer");
    assert.equal(line.error.cause.message, "inner");
  });

  test("has written every line when the process dies at once", async () => {
    const script = `
      import { nodePlatform } from "./src/platform/node/node-platform.ts";
      const { logger } = nodePlatform();
      for (let i = 0; i < 500; i++) logger.info("line", { i });
      process.kill(process.pid, "SIGKILL");`;
    const run = promisify(execFile)(process.execPath, ["--import", "tsx", "-e", script], {
      cwd: new URL("../..", import.meta.url),
    });
    const failure = (await run.catch((error: unknown) => error)) as { stderr: string };
    assert.equal(failure.stderr.trim().split("\n").length, 500);
  });

  test("a platform alone does not keep a process alive", async () => {
    const script = `
      import { nodePlatform } from "./src/platform/node/node-platform.ts";
      nodePlatform();`;
    await promisify(execFile)(process.execPath, ["--import", "tsx", "-e", script], {
      cwd: new URL("../..", import.meta.url),
      timeout: 20_000,
    });
  });
});

describe("console logger", () => {
  test("writes at its level and above, with bound fields", (context) => {
    const lines: unknown[][] = [];
    const record = (...line: unknown[]): void => void lines.push(line);
    context.mock.method(console, "info", record);
    context.mock.method(console, "warn", record);
    const logger = consoleLogger("warn").child({ client: "c" });
    logger.info("not this");
    logger.warn("this", { n: 1 });
    assert.deepEqual(lines, [["latticework: this", { client: "c", n: 1 }]]);
  });
});

describe("timers of Node", () => {
  test("sleep through a delay of months in pieces that Node can count", async () => {
    const warnings: string[] = [];
    const note = (warning: Error): void => void warnings.push(warning.name);
    process.on("warning", note);
    const platform = nodePlatform({ logLevel: "silent" });
    const timer = platform.timers.after(2 ** 33, () => undefined);
    await new Promise<void>((resolve) => void platform.timers.after(5, resolve));
    timer.cancel();
    platform.close();
    process.off("warning", note);
    assert.deepEqual(warnings, []);
  });
});

describe("loop delay", () => {
  test("shows a stall, is taken once, and does not count its own interval", async () => {
    const delay = nodeLoopDelay();
    const turn = (ms: number): Promise<unknown> =>
      new Promise((resolve) => setTimeout(resolve, ms));
    try {
      assert.equal(delay.takeP99(), 0, "it samples from the first question on");
      await turn(30);
      const until = performance.now() + 150;
      while (performance.now() < until);
      await turn(30);
      const stalled = delay.takeP99();
      assert.ok(stalled > 100, `stalled: ${String(stalled)}`);
      await turn(100);
      const calm = delay.takeP99();
      assert.ok(calm < stalled, `calm: ${String(calm)}`);
      assert.ok(calm >= 0);
    } finally {
      delay.close();
    }
  });
});

describe("deadline wheel", () => {
  class Deadline implements WheelEntry {
    wheelTick = notInWheel;
    wheelNext: WheelEntry | undefined = undefined;
    wheelPrevious: WheelEntry | undefined = undefined;
    readonly expire: () => void;
    constructor(expire: () => void) {
      this.expire = expire;
    }
  }

  test("is never early, at most two slots late, and forgets what was cancelled", () => {
    const time = new VirtualTime({ seed: 1 });
    const wheel = new DeadlineWheel(time.clock, time.timers, 8);
    let expiredCount = 0;
    for (let i = 0; i < 2000; i++) {
      const delayMs = time.random() * 20_000;
      time.timers.after(time.random() * 1000, () => {
        const dueAt = time.now + delayMs;
        const entry = new Deadline(() => {
          expiredCount += 1;
          assert.ok(time.now >= dueAt, "early");
          assert.ok(time.now <= dueAt + 16.01, `late by ${String(time.now - dueAt)}`);
          assert.notEqual(i % 3, 0);
        });
        wheel.add(entry, delayMs);
        if (i % 3 === 0) wheel.cancel(entry);
      });
    }
    time.advance(30_000);
    assert.equal(expiredCount, 1333);
    assert.equal(wheel.count, 0);
    assert.equal(time.pendingCount, 0, "an empty wheel has no timer");
  });

  test("lets one that expires cancel or add others", () => {
    const time = new VirtualTime({ seed: 1 });
    const wheel = new DeadlineWheel(time.clock, time.timers, 8);
    const expired: string[] = [];
    const pair: Deadline[] = [];
    for (const name of ["a", "b"]) {
      pair.push(
        new Deadline(() => {
          expired.push(name);
          for (const other of pair) wheel.cancel(other);
          wheel.add(new Deadline(() => expired.push("later")), 0);
        }),
      );
    }
    for (const entry of pair) wheel.add(entry, 5);
    time.advance(100);
    assert.equal(expired.length, 2);
    assert.equal(expired[1], "later");
  });

  test("catches up after a stall of many rounds, and `clear` forgets all", () => {
    const time = new VirtualTime({ seed: 1 });
    const node = time.node("a");
    const wheel = new DeadlineWheel(node.clock, node.timers, 1);
    let expiredCount = 0;
    for (let i = 0; i < 3000; i++) wheel.add(new Deadline(() => (expiredCount += 1)), i);
    node.pause();
    time.advance(60_000);
    node.resume();
    time.advance(60_010);
    assert.equal(expiredCount, 3000);
    wheel.add(new Deadline(() => (expiredCount += 1)), 1);
    wheel.clear();
    time.advance(61_000);
    assert.equal(expiredCount, 3000);
  });
});
