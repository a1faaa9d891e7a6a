/** What turns are charged with. Virtual time stands still while a handler runs, unless it moves it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { defineFunction } from "../../src/definition/define-function.ts";
import { handler } from "../../src/definition/handler.ts";
import { crdt } from "../../src/definition/kinds.ts";
import type { StandardSchema } from "../../src/definition/standard-schema.ts";
import { EntityAddress } from "../../src/functions/entity-address.ts";
import type { FunctionStats } from "../../src/functions/function-stats.ts";
import { largeResultBytes } from "../../src/functions/turn-meter.ts";
import type { TurnRequest } from "../../src/functions/turn-request.ts";
import { TurnStage } from "../support/turn-stage.ts";

let stage: TurnStage;

/** Uses the processor for so long. */
function work(ms: number): void {
  stage.time.advance(stage.time.now + ms);
}

const later: StandardSchema<number, number> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) => Promise.resolve({ value: value as number }),
  },
};

const box = defineFunction({
  deadlineMs: 5_000,
  state: { count: crdt.counter() },
  handlers: {
    work(ctx, ms: number) {
      work(ms);
      ctx.state.count.add(1);
      return "done";
    },
    async twice(ctx, ms: number) {
      work(ms);
      await ctx.sleep(50);
      work(ms);
      ctx.state.count.add(1);
    },
    checked: handler(later, (_ctx, ms) => {
      work(ms);
    }),
    half(_ctx, ms: number) {
      work(ms);
      throw new Error("half way");
    },
    after(ctx, ms: number) {
      ctx.state.count.add(1);
      ctx.afterCommit(() => {
        work(ms);
      });
    },
    nested(_ctx, ms: number) {
      stage.call("box/inner work", ms);
      work(1);
    },
    never: () => new Promise<void>(() => undefined),
  },
  queries: {
    look(_ctx, ms: number) {
      work(ms);
      return 1;
    },
    list(_ctx, ms: number) {
      work(ms);
      return "x".repeat(largeResultBytes);
    },
  },
});

function use(key = ""): FunctionStats {
  const [all] = stage.turns.meter.metering.read(["box"], 100, () => 0);
  assert.ok(all !== undefined);
  if (key === "") return all;
  const one = all.top?.find((each) => each.key === key);
  assert.ok(one !== undefined, `${key} is not told`);
  return { ...one, name: "box", keys: 1 };
}

function begin(): TurnStage {
  stage = new TurnStage({ box });
  return stage;
}

const from = (number: number, more: Partial<TurnRequest> = {}): Partial<TurnRequest> => ({
  caller: "c",
  number,
  ...more,
});

test("handlers and queries are charged with what they use, by key", () => {
  const s = begin();
  s.call("box/a work", 5);
  s.call("box/a look", 2);
  s.call("box/b work", 1);
  assert.deepEqual([use("a").cpuMs, use("b").cpuMs, use().cpuMs], [7, 1, 8]);
  const { calls, failures, bytesIn, bytesOut } = use("a");
  // "done" takes five bytes, a small number one.
  assert.deepEqual([calls, failures, bytesIn, bytesOut], [2, 0, 2, 6]);
});

test("of an asynchronous handler only what runs before it waits is measured", async () => {
  const s = begin();
  s.call("box/a twice", 3);
  await s.pass(200);
  assert.equal(use("a").calls, 1);
  assert.equal(use("a").cpuMs, 3);
});

test("a handler whose input is checked asynchronously is measured when it runs", async () => {
  const s = begin();
  s.call("box/a checked", 4);
  await s.pass();
  assert.deepEqual([use("a").calls, use("a").cpuMs], [1, 4]);
});

test("failures are counted, and what they used", () => {
  const s = begin();
  s.call("box/a half", 6);
  assert.deepEqual([use("a").calls, use("a").failures, use("a").cpuMs], [1, 1, 6]);
  assert.equal(use("a").bytesOut, 0);
});

test("a turn that is cut off has failed", async () => {
  const s = begin();
  s.call("box/a never");
  await s.pass(6_000);
  assert.deepEqual([use("a").calls, use("a").failures], [1, 1]);
});

test("a retry that is answered with its first result is a call that uses no CPU", () => {
  const s = begin();
  s.call("box/a work", 5, from(1));
  s.call("box/a work", 5, from(1, { retry: true }));
  assert.deepEqual([use("a").calls, use("a").cpuMs, use("a").bytesOut], [2, 5, 10]);
});

test("what a turn runs after its commit is charged to it once, whoever's turn released it", () => {
  const s = begin();
  s.call("box/a after", 4);
  assert.equal(use("a").cpuMs, 4);
  s.store.isImmediate = false;
  s.call("box/b after", 3);
  s.store.release();
  assert.equal(use("b").cpuMs, 3);
  s.call("box/c after", 2);
  // The answer of c comes while d commits.
  const commit = s.store.commit.bind(s.store);
  s.store.commit = (...args) => {
    s.store.release();
    commit(...args);
  };
  s.call("box/d work", 1);
  s.store.release();
  assert.deepEqual([use("c").cpuMs, use("d").cpuMs], [2, 1]);
});

test("turns that came together are charged one after the other", () => {
  const s = begin();
  const arrivedAt = s.node.clock.now();
  s.call("box/a work", 5, { arrivedAt });
  s.call("box/b work", 2, { arrivedAt });
  assert.deepEqual([use("a").cpuMs, use("b").cpuMs], [5, 2]);
});

test("a call that is made while a handler runs is not charged to it", () => {
  const s = begin();
  s.call("box/outer nested", 9);
  assert.deepEqual([use("outer").cpuMs, use("inner").cpuMs], [1, 9]);
});

test("waiting for copies costs nothing, and the call is counted when it ends", async () => {
  const s = begin();
  s.store.isImmediate = false;
  s.call("box/a work", 5);
  assert.equal(use("a").calls, 0);
  await s.pass(100);
  s.store.release();
  assert.deepEqual([use("a").calls, use("a").cpuMs], [1, 5]);
});

test("what is refused before its turn, and what the system does itself, is not counted", () => {
  const s = begin();
  s.call("box/a wrok", 1);
  s.call("box/a work", 1, { deadlineAt: s.node.clock.now() });
  s.turns.runInternal(
    new EntityAddress("box", "a", 0),
    (draft) => {
      draft.forgetCaller("c");
    },
    () => undefined,
  );
  assert.deepEqual([use().calls, use().keys], [0, 0]);
});

test("an offer of degraded service is no call yet", () => {
  const s = begin();
  s.store.degraded = true;
  assert.equal(s.call("box/a work", 1, from(1)).end, "degraded_offered");
  assert.equal(use().calls, 0);
  s.call("box/a work", 1, from(1, { degradedAllowed: true }));
  assert.equal(use().calls, 1);
});

/** Calls that came in one frame, by what each does with the processor. */
function frame(s: TurnStage, calls: readonly FramedCall[]): void {
  const arrivedAt = s.node.clock.now();
  s.turns.meter.beginFrame();
  for (const [address, ms, details] of calls) s.call(address, ms, { arrivedAt, ...details });
  s.turns.meter.endFrame();
}

type FramedCall = readonly [address: string, ms: number, details?: Partial<TurnRequest>];

/** Of which these operations have been quick for long. */
function beginQuick(...operations: readonly string[]): TurnStage {
  const s = begin();
  for (const operation of operations) {
    for (let run = 0; run < 64; run += 1) s.call(`box/warm ${operation}`, 0);
  }
  return s;
}

/** Virtual time goes on in steps of so many milliseconds. */
const tick = 1 / 1_024;

/** CPU time of these keys. */
function ticksOf(...keys: readonly string[]): readonly number[] {
  return keys.map((key) => use(key).cpuMs / tick);
}

test("calls of one frame share its time, if their operations have been quick for long", () => {
  const s = beginQuick("work", "look");
  const calls: readonly FramedCall[] = [
    ["box/a work", 4 * tick],
    ["box/b look", 2 * tick],
    ["box/a work", 6 * tick],
  ];
  frame(s, calls);
  assert.deepEqual(ticksOf("a", "b"), [8, 4]);
  const fresh = begin();
  frame(fresh, calls);
  assert.deepEqual(ticksOf("a", "b"), [10, 2]);
});

test("at most eight share their time", () => {
  const s = beginQuick("look");
  const calls = Array.from({ length: 9 }, (_, index): FramedCall => {
    return [`box/${String(index)} look`, index === 0 ? 16 * tick : 0];
  });
  frame(s, calls);
  assert.deepEqual(ticksOf("0", "7", "8"), [2, 2, 0]);
});

test("an operation that is not known to be quick shares with nobody, whatever it came with", () => {
  const s = beginQuick("look");
  frame(s, [
    ["box/a look", 10 * tick],
    ["box/b work", 50],
    ["box/c look", 10 * tick],
  ]);
  assert.deepEqual(ticksOf("a", "b", "c"), [10, 51_200, 10]);
});

test("an operation that turns out to be slow has shared its time once", () => {
  const s = beginQuick("look");
  frame(s, [
    ["box/a look", 50],
    ["box/b look", 0],
  ]);
  assert.deepEqual(ticksOf("a", "b"), [25_600, 25_600]);
  frame(s, [
    ["box/a look", 50],
    ["box/b look", 0],
  ]);
  assert.deepEqual(ticksOf("a", "b"), [76_800, 25_600]);
});

test("what it takes to hand on a large result is charged to nobody", () => {
  const s = beginQuick("look", "list");
  frame(s, [
    ["box/a look", 10 * tick],
    [
      "box/b list",
      10 * tick,
      {
        settle: () => {
          work(5);
        },
      },
    ],
    ["box/c look", 10 * tick],
  ]);
  assert.deepEqual(ticksOf("a", "b", "c"), [10, 10, 10]);
});

test("what the system does between the calls of a frame is charged to nobody", () => {
  const s = beginQuick("look");
  const arrivedAt = s.node.clock.now();
  s.turns.meter.beginFrame();
  s.call("box/a look", 10 * tick, { arrivedAt });
  s.turns.runInternal(
    new EntityAddress("box", "a", 0),
    () => {
      work(5);
    },
    () => undefined,
  );
  s.call("box/b look", 10 * tick, { arrivedAt });
  s.turns.meter.endFrame();
  assert.deepEqual(ticksOf("a", "b"), [10, 10]);
});

test("whatever comes together, all of its time is charged, and none twice", () => {
  const call = fc.record({
    operation: fc.constantFrom("work", "look", "list", "half", "after", "nested"),
    key: fc.nat(3),
    ms: fc.oneof(fc.constantFrom(0, tick, 10 * tick), fc.nat(50)),
  });
  const frames = fc.array(fc.array(call, { maxLength: 20 }), { maxLength: 10 });
  fc.assert(
    fc.property(frames, fc.subarray(["work", "look", "list", "after"]), (drawn, quick) => {
      const s = beginQuick(...quick);
      let wantedMs = 0;
      for (const calls of drawn) {
        const framed = calls.map(({ operation, key, ms }): FramedCall => {
          wantedMs += operation === "nested" ? ms + 1 : ms;
          return [`box/${String(key)} ${operation}`, ms];
        });
        frame(s, framed);
      }
      const { cpuMs } = use();
      assert.ok(Math.abs(cpuMs - wantedMs) < 1e-6, `${String(cpuMs)} of ${String(wantedMs)} ms`);
    }),
  );
});
