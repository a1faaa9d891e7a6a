/** Functions without state: they run at once, keep nothing, and have no place in any order. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { crdt } from "../../src/definition/kinds.ts";
import { defineFunction } from "../../src/definition/define-function.ts";
import { chainFrom, entityOf, isHeld } from "../../src/functions/call-chain.ts";
import { TurnStage } from "../support/turn-stage.ts";

const stock = defineFunction({
  state: { left: crdt.counter() },
  handlers: {
    async take(ctx, count: number): Promise<string> {
      await ctx.sleep(10);
      ctx.state.left.add(-count);
      return ctx.caller.type === "function" ? `${ctx.caller.functionName}/${ctx.caller.key}` : "";
    },
    /** Holds its entity while the desk asks back. */
    check: (ctx, back: string): Promise<unknown> => ctx.get(desk, "d").ask(back),
  },
  queries: {
    left: (ctx) => ctx.state.left.value === 0 && ctx.now() > 0,
    leftOf: (ctx, key: string): Promise<unknown> => ctx.get(desk, key).name(),
  },
});
let runs = 0;
/** As plain JavaScript would use its context. */
type Bare = Readonly<Record<string, (...args: unknown[]) => unknown>>;
const desk = defineFunction({
  handlers: {
    count: () => ++runs,
    async wait(ctx, ms: number) {
      await ctx.sleep(ms);
      return ctx.key;
    },
    ask: (ctx, key: string): Promise<unknown> => ctx.get(stock, key).take(1),
    askTwice: async (ctx, key: string) => {
      await ctx.get(stock, key).take(1);
      await ctx.get(stock, key).take(1);
    },
    again: (ctx, depth: number): Promise<unknown> => ctx.get(desk, String(depth)).again(depth + 1),
    refuse: (ctx) => ctx.fail("already_exists", "taken", { by: "ann" }),
    use(ctx, member: string) {
      const bare = ctx as unknown as Bare;
      if (member === "send") (ctx as unknown as { send: typeof ctx.get }).send(stock, "a");
      else bare[member]?.(() => undefined);
    },
    look: (ctx) => (ctx as unknown as { state: object }).state,
  },
  queries: { name: (ctx) => `${ctx.key} ${String(ctx.now() > 0 && ctx.random() < 1)}` },
});
const functions = { stock, desk };

test("its calls run at once, side by side, and nothing is committed or waited for", async () => {
  const stage = new TurnStage(functions);
  stage.store.isImmediate = false;
  stage.store.isServing = false;
  const waiting = [1, 2, 3].map(() => stage.call("desk/a wait", 20));
  assert.equal(stage.call("desk/a name").end, '"a true"');
  assert.equal(stage.turns.queuedCount("desk/a"), 0);
  await stage.pass(21);
  assert.deepEqual(
    waiting.map(({ end }) => end),
    ['"a"', '"a"', '"a"'],
  );
  const { outcome } = waiting[0]!;
  assert.ok(outcome?.type === "ok");
  assert.deepEqual([outcome.copies, outcome.degraded, outcome.fromDedupe], [0, false, false]);
  assert.deepEqual([stage.store.commits.length, stage.store.heldCount], [0, 0]);
});

test("nothing is kept of its calls: one that comes twice runs twice", () => {
  const stage = new TurnStage(functions);
  const protection = { caller: "me", number: 7, received: 7 };
  const before = runs;
  stage.call("desk/a count", undefined, protection);
  stage.call("desk/a count", undefined, { ...protection, retry: true });
  assert.equal(runs, before + 2);
  assert.equal(stage.store.entity("desk/a").dedupe.callerCount, 0);
});

test("a majority is nothing to it", () => {
  const stage = new TurnStage(functions);
  stage.store.degraded = true;
  const details = { whenSplit: "refuse", strictAcks: true, acks: "all" } as const;
  assert.equal(stage.call("desk/a name", undefined, details).end, '"a true"');
  assert.equal(stage.call("desk/a refuse", undefined, details).end, "already_exists");
});

test("it can be refused, cut off and cancelled like any other", async () => {
  const stage = new TurnStage(functions);
  const refused = stage.call("desk/a refuse").outcome;
  assert.ok(refused?.type === "failed");
  assert.deepEqual(refused.error.data, { by: "ann" });
  const late = stage.call("desk/a wait", 50, { deadlineAt: stage.node.clock.now() + 10 });
  const cancelled = stage.call("desk/a wait", 50);
  cancelled.turn.cancel();
  await stage.pass(20);
  assert.deepEqual([late.end, cancelled.end], ["deadline_exceeded", "cancelled"]);
  const stopped = stage.call("desk/a wait", 50);
  stage.turns.stop();
  assert.equal(stopped.end, "unavailable");
});

test("what it does not have is refused, with what to do instead", () => {
  const stage = new TurnStage(functions);
  for (const [call, message] of [
    ["desk/a look", /desk\/a look: a function without state has no ctx\.state: give it state/],
    ["send", /has no ctx\.send: use ctx\.get, or give it state/],
    ["delete", /has no ctx\.delete: give it state/],
    ["afterCommit", /has no ctx\.afterCommit: give it state/],
  ] as const) {
    const staged = call.includes(" ") ? stage.call(call) : stage.call("desk/a use", call);
    assert.ok(staged.outcome?.type === "failed", call);
    assert.equal(staged.outcome.error.code, "handler_error");
    assert.match(staged.outcome.error.message, message);
  }
});

test("what it asks is asked under a protection of its own, as a root call", async () => {
  const stage = new TurnStage(functions);
  const details = { caller: "me", number: 7, received: 3 };
  const call = stage.call("desk/d askTwice", "a", details);
  await stage.pass(30);
  assert.equal(call.end, "done");
  const [first, second] = stage.asks;
  for (const asked of [first!, second!]) {
    assert.deepEqual([asked.caller, asked.number, asked.received], ["", 0, 0]);
    assert.deepEqual(asked.chain.map(entityOf), ["desk/d"]);
    assert.equal(asked.chain.some(isHeld), false);
  }
  assert.equal(stage.store.commits.length, 2);
});

test("calls through it wait in line like root calls: nobody can wait for it", async () => {
  const stage = new TurnStage(functions);
  // The older one is behind: of nested calls the younger would be refused.
  const calls = [900, 100, 500].map((ageTime) =>
    stage.call(`desk/${String(ageTime)} ask`, "a", { ageTime, ageId: String(ageTime) }),
  );
  await stage.pass(35);
  assert.deepEqual(
    calls.map(({ end }) => end),
    ['"desk/900"', '"desk/100"', '"desk/500"'],
  );
});

test("a chain that comes back through it to what is held is refused, not waited for", async () => {
  const stage = new TurnStage(functions);
  const circle = stage.call("stock/a check", "a");
  const line = stage.call("stock/b check", "c");
  await stage.pass(20);
  assert.ok(circle.outcome?.type === "failed");
  assert.match(circle.outcome.error.message, /stock\/a is already held by this chain of calls/);
  assert.equal(line.end, '"desk/d"');
});

test("functions without state that ask each other for ever are stopped by their depth", async () => {
  const stage = new TurnStage(functions);
  const call = stage.call("desk/a again", 1);
  await stage.pass(1);
  assert.ok(call.outcome?.type === "failed");
  assert.match(call.outcome.error.message, /16 deep/);
  assert.equal(stage.asks.length, 16);
});

test("a link without state counts for the depth of a chain and is held by nobody", () => {
  const request = { chain: ["cart/a"] };
  const chain = chainFrom({ name: "desk/~x", isStateless: true, request });
  assert.deepEqual(chain.map(entityOf), ["cart/a", "desk/~x"]);
  assert.deepEqual(chain.map(isHeld), [true, false]);
  assert.deepEqual(chainFrom({ name: "cart/~", isStateless: false, request }), [
    "cart/a",
    "cart/~",
  ]);
});

test("a query makes no stamp either, where it runs on state", () => {
  const stage = new TurnStage(functions);
  stage.call("stock/a left");
  const before = stage.store.hybridTime();
  for (let n = 0; n < 5; n += 1) assert.equal(stage.call("stock/a left").end, "true");
  // Nor does the age of what it asks.
  stage.call("stock/a leftOf", "b");
  assert.equal(stage.store.hybridTime(), before + 1);
});

test("it makes no stamps: whoever serves one may not know the time of its cluster yet", () => {
  const stage = new TurnStage(functions);
  const before = stage.store.hybridTime();
  for (let n = 0; n < 5; n += 1) assert.equal(stage.call("desk/a name").end, '"a true"');
  assert.equal(stage.store.hybridTime(), before + 1);
});
