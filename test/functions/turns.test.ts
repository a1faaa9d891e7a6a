/** Turns: atomic, one at a time per entity, in order, and over at once where nothing waits. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defineFunction } from "../../src/definition/define-function.ts";
import { handler } from "../../src/definition/handler.ts";
import { crdt } from "../../src/definition/kinds.ts";
import type { StandardSchema } from "../../src/definition/standard-schema.ts";
import { TurnStage } from "../support/turn-stage.ts";

const small: StandardSchema<number, number> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) =>
      typeof value === "number" && value < 10
        ? { value: value * 2 }
        : { issues: [{ message: "too big" }] },
  },
};
const later: StandardSchema<number, number> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) => Promise.resolve(small["~standard"].validate(value)),
  },
};

const kept: { state?: unknown; ctx?: { key: string; sleep(ms: number): Promise<void> } } = {};
const log: string[] = [];

const box = defineFunction({
  deadlineMs: 5_000,
  state: { count: crdt.counter(), names: crdt.map<string>() },
  handlers: {
    add(ctx, by: number) {
      ctx.state.count.add(by);
      return ctx.state.count.value;
    },
    async slowAdd(ctx, wait: { ms: number; by: number }) {
      ctx.state.count.add(wait.by);
      await ctx.sleep(wait.ms);
      ctx.state.count.add(wait.by);
      return ctx.state.count.value;
    },
    half(ctx) {
      ctx.state.count.add(1);
      throw new Error("half way");
    },
    async halfLater(ctx) {
      ctx.state.count.add(1);
      await ctx.sleep(10);
      throw new TypeError("half way");
    },
    refuse(ctx, left: number) {
      ctx.state.count.add(1);
      ctx.fail("failed_precondition", "out of stock", { left });
    },
    never(ctx) {
      ctx.state.count.add(1);
      kept.ctx = ctx;
      kept.state = ctx.state;
      return new Promise<void>(() => undefined);
    },
    keep(ctx) {
      kept.ctx = ctx;
      kept.state = ctx.state;
    },
    loose({ state: { count }, sleep, key }) {
      count.add(1);
      return sleep(5).then(() => key);
    },
    bad: () => new Set([1]) as unknown as string,
    big: () => "x".repeat(1024 * 1024),
    wipe(ctx, by: number) {
      ctx.state.count.add(1);
      ctx.delete();
      if (by < 0) throw new Error("no");
      if (by > 0) ctx.state.count.add(by);
      return ctx.state.count.value;
    },
    after(ctx, fail: boolean) {
      ctx.state.count.add(1);
      ctx.afterCommit(() => {
        log.push("after");
        throw new Error("in vain");
      });
      ctx.afterCommit(async () => {
        await Promise.resolve();
        log.push("after too");
      });
      if (fail) throw new Error("no");
    },
    checked: handler(small, (ctx, by) => {
      ctx.state.count.add(by);
      return by;
    }),
    checkedLater: handler(later, (_ctx, by) => by),
    thrown(_ctx, kind: string) {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- users do such things
      throw kind === "undefined" ? undefined : kind;
    },
  },
  queries: {
    total: (ctx) => ctx.state.count.value,
    async totalLater(ctx) {
      await Promise.resolve();
      return ctx.state.count.value;
    },
    writes(ctx) {
      (ctx.state as unknown as { count: { add(by: number): void } }).count.add(1);
    },
    deletes(ctx) {
      (ctx as unknown as { delete(): void }).delete();
    },
    sends(ctx) {
      (ctx as unknown as { sleep(ms: number): void }).sleep(1);
    },
  },
});

const stage = (settings = {}): TurnStage => new TurnStage({ box }, settings);

test("a synchronous handler over a store that answers is over when submit returns", () => {
  const s = stage();
  assert.equal(s.call("box/a add", 2).end, "2");
  assert.equal(s.call("box/a add", 3).end, "5");
  assert.equal(s.call("box/a total").end, "5");
  assert.equal(s.call("box/b total").end, "0");
  assert.equal(s.store.commits.length, 2);
  assert.equal(s.turns.inFlightCount, 0);
});

test("handlers of one entity run one at a time in order of arrival, others beside them", async () => {
  const s = stage();
  s.call("box/a slowAdd", { ms: 50, by: 1 });
  s.call("box/a add", 10);
  s.call("box/a slowAdd", { ms: 5, by: 100 });
  s.call("box/a add", 1000);
  s.call("box/b add", 7);
  assert.equal(s.turns.queuedCount("box/a"), 4);
  await s.pass(100);
  assert.deepEqual(s.ended, [
    "box/b add: 7",
    "box/a slowAdd: 2",
    "box/a add: 12",
    "box/a slowAdd: 212",
    "box/a add: 1212",
  ]);
  assert.equal(s.turns.queuedCount("box/a"), 0);
});

test("a query does not wait for a handler and does not see its draft", async () => {
  const s = stage();
  s.call("box/a add", 1);
  s.call("box/a slowAdd", { ms: 50, by: 5 });
  assert.equal(s.call("box/a total").end, "1");
  const async = s.call("box/a totalLater");
  await s.pass();
  assert.equal(async.end, "1");
});

test("a handler that throws changes nothing, at once or later", async () => {
  const s = stage();
  assert.equal(s.call("box/a half").end, "handler_error");
  const later = s.call("box/a halfLater");
  await s.pass(20);
  assert.equal(later.end, "handler_error");
  assert.equal(s.store.commits.length, 0);
  assert.equal(s.call("box/a total").end, "0");
});

test("what a handler throws is told only where errors are exposed", () => {
  const told = stage().call("box/a half").outcome;
  assert.ok(told?.type === "failed");
  assert.equal(told.error.message, "box/a half: the handler threw: half way");
  const hidden = stage({ exposeErrors: false }).call("box/a half").outcome;
  assert.ok(hidden?.type === "failed");
  assert.doesNotMatch(hidden.error.message, /half way/);
  for (const kind of ["text", "undefined"]) {
    assert.equal(stage().call("box/a thrown", kind).end, "handler_error");
  }
});

test("ctx.fail commits nothing and carries code, message and data", () => {
  const s = stage();
  const { outcome } = s.call("box/a refuse", 3);
  assert.ok(outcome?.type === "failed");
  const { code, message, data } = outcome.error;
  assert.deepEqual(
    { code, message, data },
    {
      code: "failed_precondition",
      message: "out of stock",
      data: { left: 3 },
    },
  );
  assert.equal(s.store.commits.length, 0);
});

test("a turn whose promise never settles is cut off at its deadline, and the key goes on", async () => {
  const s = stage();
  const stuck = s.call("box/a never");
  const next = s.call("box/a add", 5);
  await s.pass(4_000);
  assert.equal(stuck.end, "open");
  await s.pass(1_100);
  assert.equal(stuck.end, "deadline_exceeded");
  assert.equal(next.end, "deadline_exceeded");
  assert.equal(s.call("box/a add", 5).end, "5");
});

test("a caller's deadline comes first when it is the earlier one", async () => {
  const s = stage();
  const stuck = s.call("box/a never", undefined, { deadlineAt: s.node.clock.now() + 100 });
  const next = s.call("box/a add", 5);
  await s.pass(150);
  assert.equal(stuck.end, "deadline_exceeded");
  assert.equal(next.end, "5");
  const late = s.call("box/a add", 5, { deadlineAt: s.node.clock.now() });
  assert.equal(late.end, "deadline_exceeded");
  assert.equal(s.call("box/a total").end, "5");
});

test("the context of a turn that was cut off throws cancelled, whatever is used", async () => {
  const s = stage();
  s.call("box/a never", undefined, { deadlineAt: s.node.clock.now() + 100 });
  const { signal } = kept.ctx as unknown as { signal: AbortSignal };
  const { count } = kept.state as { count: { value: number; add(by: number): void } };
  await s.pass(150);
  assert.equal(signal.aborted, true);
  for (const use of [
    () => kept.ctx?.key,
    () => kept.ctx?.sleep(1),
    () => (kept.ctx as unknown as { state: unknown }).state,
    () => (kept.ctx as unknown as { now(): number }).now(),
    () => count.value,
    () => {
      count.add(1);
    },
  ]) {
    assert.throws(use, { code: "cancelled" });
  }
});

test("a context kept after its turn throws cancelled too", () => {
  const s = stage();
  s.call("box/a keep");
  assert.throws(() => kept.ctx?.key, { code: "cancelled" });
  assert.throws(() => (kept.state as { count: unknown }).count, { code: "cancelled" });
});

test("a handler that is cut off in its sleep does not come back", async () => {
  const s = stage();
  const slow = s.call("box/a slowAdd", { ms: 1_000, by: 1 });
  await s.pass(10);
  slow.turn.cancel();
  slow.turn.cancel();
  assert.equal(slow.end, "cancelled");
  assert.equal(s.call("box/a add", 1).end, "1");
  await s.pass(2_000);
  assert.equal(s.store.commits.length, 1);
});

test("a waiting turn that is cancelled is dropped unstarted", async () => {
  const s = stage();
  s.call("box/a slowAdd", { ms: 50, by: 1 });
  const waiting = s.call("box/a add", 10);
  const last = s.call("box/a add", 100);
  waiting.turn.cancel();
  assert.equal(waiting.end, "cancelled");
  await s.pass(60);
  assert.equal(last.end, "102");
});

test("members of a context can be taken off it", async () => {
  const s = stage();
  const call = s.call("box/k loose");
  await s.pass(10);
  assert.equal(call.end, '"k"');
});

test("inputs and results are checked, and the path is named", async () => {
  const s = stage();
  const bad = s.call("box/a bad").outcome;
  assert.ok(bad?.type === "failed");
  assert.equal(bad.error.code, "invalid_argument");
  assert.match(bad.error.message, /result: Set is not a value/);
  assert.equal(s.call("box/a big").end, "too_large");
  assert.equal(s.call("box/a checked", 4).end, "8");
  assert.equal(s.call("box/a checked", 40).end, "invalid_argument");
  const later = s.call("box/a checkedLater", 4);
  const refused = s.call("box/a checkedLater", 40);
  await s.pass();
  assert.equal(later.end, "8");
  assert.equal(refused.end, "invalid_argument");
  const garbage = s.call("box/a add", undefined, { input: Uint8Array.of(0xc1) });
  assert.equal(garbage.end, "invalid_argument");
  assert.equal(s.call("box/a total").end, "8");
});

test("queries cannot write, send or sleep, in JavaScript either", () => {
  const s = stage();
  assert.equal(s.call("box/a writes").end, "handler_error");
  assert.equal(s.call("box/a sends").end, "handler_error");
  assert.equal(s.store.commits.length, 0);
});

test("unknown functions and operations are refused with what exists", () => {
  const s = stage();
  const cases: [string, string, RegExp][] = [
    ["bok/a add", "not_found", /did you mean 'box'/],
    ["box/a ad", "not_found", /did you mean 'add'/],
    ["box/a toString", "not_found", /it has add/],
  ];
  for (const [address, code, message] of cases) {
    const { outcome } = s.call(address, 1);
    assert.ok(outcome?.type === "failed");
    assert.equal(outcome.error.code, code);
    assert.match(outcome.error.message, message);
  }
});

test("a handler that deletes its entity sees it empty, and what it changes then begins it anew", () => {
  const s = stage();
  s.call("box/a add", 5);
  assert.equal(s.call("box/a wipe", 0).end, "0");
  assert.equal(s.call("box/a total").end, "0");
  s.call("box/a add", 2);
  assert.equal(s.call("box/a wipe", 7).end, "7");
  assert.equal(s.call("box/a total").end, "7");
});

test("a handler that deletes and then throws has deleted nothing, and a query cannot delete", () => {
  const s = stage();
  s.call("box/a add", 5);
  assert.equal(s.call("box/a wipe", -1).end, "handler_error");
  assert.equal(s.call("box/a total").end, "5");
  assert.equal(s.call("box/a deletes").end, "handler_error");
  assert.equal(s.call("box/a total").end, "5");
});

test("what afterCommit was given runs after the answer, and only if there was a commit", async () => {
  const s = stage();
  log.length = 0;
  s.call("box/a after", true);
  s.store.isImmediate = false;
  const call = s.call("box/a after", false);
  assert.deepEqual([call.end, log], ["open", []]);
  s.store.release();
  assert.deepEqual([call.end, log], ["done", ["after"]]);
  await s.pass();
  assert.deepEqual(log, ["after", "after too"]);
});

test("an entity takes a thousand waiting calls and refuses more, a node so many in flight", () => {
  const s = stage();
  s.call("box/a never");
  for (let i = 0; i < 1_000; i++) s.call("box/a add", 1);
  const refused = s.call("box/a add", 1).outcome;
  assert.ok(refused?.type === "failed");
  assert.equal(refused.error.code, "overloaded");
  assert.ok((refused.error.retryAfterMs ?? 0) > 0);
  assert.equal(s.call("box/b add", 1).end, "1");
  s.store.isImmediate = false;
  for (let i = 0; s.turns.inFlightCount < 16_384; i++) s.call(`box/k${String(i)} add`, 1);
  assert.equal(s.call("box/b add", 1).end, "overloaded");
  assert.equal(s.call("box/b total").end, "overloaded");
  s.store.release();
  assert.equal(s.turns.inFlightCount, 1_001);
});

test("a flood of cancelled calls does not grow the queue of an entity", () => {
  const s = stage();
  s.call("box/a never");
  for (let i = 0; i < 20_000; i++) s.call("box/a add", 1).turn.cancel();
  assert.equal(s.turns.queuedCount("box/a"), 1);
  assert.equal(s.turns.inFlightCount, 1);
});

test("stopping ends everything at once and refuses what comes later", async () => {
  const s = stage();
  s.call("box/a never");
  s.call("box/a add", 1);
  s.store.isImmediate = false;
  s.call("box/b add", 1);
  s.turns.stop();
  s.call("box/c add", 1);
  assert.deepEqual(s.ended, [
    "box/a add: unavailable",
    "box/a never: unavailable",
    "box/b add: indeterminate",
    "box/c add: unavailable",
  ]);
  await s.pass(10_000);
  assert.equal(s.turns.inFlightCount, 0);
});

test("a call made while a handler runs waits for its end, and then runs", () => {
  let inner = "";
  const s: TurnStage = new TurnStage({
    outer: defineFunction({
      state: { count: crdt.counter() },
      handlers: {
        run(ctx) {
          const call = s.call("outer/a add");
          inner = call.end;
          ctx.state.count.add(1);
          return ctx.state.count.value;
        },
        add(ctx) {
          ctx.state.count.add(10);
          return ctx.state.count.value;
        },
      },
    }),
  });
  s.call("outer/a run");
  assert.equal(inner, "open");
  assert.deepEqual(s.ended, ["outer/a run: 1", "outer/a add: 11"]);
});

test("a turn that has itself cancelled while it runs takes no effect", () => {
  const self: { turn?: { cancel(): void } } = {};
  const s: TurnStage = new TurnStage({
    outer: defineFunction({
      state: { count: crdt.counter() },
      handlers: {
        async wait(ctx) {
          await ctx.sleep(1);
        },
        run(ctx) {
          ctx.state.count.add(1);
          self.turn?.cancel();
        },
      },
    }),
  });
  const first = s.call("outer/a wait");
  self.turn = s.call("outer/a run").turn;
  first.turn.cancel();
  assert.deepEqual(s.ended, ["outer/a wait: cancelled", "outer/a run: cancelled"]);
  assert.equal(s.store.commits.length, 0);
});
