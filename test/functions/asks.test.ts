/** Calls from inside turns: what they carry, whom they wait for, and what their failures become. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { defineFunction } from "../../src/definition/define-function.ts";
import { crdt } from "../../src/definition/kinds.ts";
import { isYounger } from "../../src/functions/age.ts";
import type { TurnRequest } from "../../src/functions/turn-request.ts";
import type { ErrorCode } from "../../src/model/error.ts";
import { LatticeError } from "../../src/model/error.ts";
import { TurnStage } from "../support/turn-stage.ts";

const store = defineFunction({
  state: { sold: crdt.counter() },
  handlers: {
    async sell(ctx, by: number) {
      await ctx.sleep(10);
      ctx.state.sold.add(by);
      return ctx.state.sold.value;
    },
    async hold(ctx, ms: number) {
      await ctx.sleep(ms);
    },
  },
  queries: { total: (ctx) => ctx.state.sold.value },
});
const shop = defineFunction({
  state: { asked: crdt.counter() },
  handlers: {
    async ask(ctx, key: string) {
      ctx.state.asked.add(1);
      return await ctx.get(store, key).sell(1);
    },
    async askSoon(ctx, key: string) {
      return await ctx.get(store, key).with({ timeoutMs: 50 }).sell(1);
    },
    askAndForget(ctx, key: string) {
      void ctx.get(store, key).sell(1);
    },
    async sleepThenAsk(ctx, key: string) {
      await ctx.sleep(50);
      return await ctx.get(store, key).sell(1);
    },
    async catching(ctx, key: string) {
      try {
        return await ctx.get(store, key).sell(1);
      } catch (error) {
        return error instanceof LatticeError ? error.code : "other";
      }
    },
    self(ctx): Promise<unknown> {
      return ctx.get(shop, ctx.key).total();
    },
    sendAll(ctx, keys: string[]) {
      for (const key of keys) ctx.send(store, key).sell(1);
    },
    sendAndThrow(ctx) {
      ctx.send(store, "a").sell(1);
      throw new Error("no");
    },
    sendTooMany(ctx) {
      for (let i = 0; i < 2_000; i++) ctx.send(store, "a").sell(1);
    },
    sendBad(ctx) {
      ctx.send(store, "a").sell(new Set() as unknown as number);
    },
    sendNowhere(ctx) {
      ctx.send(stranger, "a").run();
    },
    who: (ctx) => ({ ...ctx.caller }),
    clock: (ctx) => [ctx.now(), ctx.random()],
  },
  queries: {
    total: (ctx) => ctx.state.asked.value,
    elsewhere: (ctx) => ctx.get(store, "a").total(),
  },
});
const stranger = defineFunction({ handlers: { run: () => 1 } });
const functions = { store, shop };

const nested = (ageTime: number, chain: string[], ageId = "x"): Partial<TurnRequest> => ({
  ageTime,
  ageId,
  chain,
});

test("an ask carries its chain, age, protection and the time that is left", async () => {
  const s = new TurnStage(functions);
  const call = s.call("shop/a ask", "b", { caller: "c", number: 4, received: 2 });
  await s.pass(20);
  assert.equal(call.end, "1");
  const [ask] = s.asks;
  assert.ok(ask !== undefined);
  assert.deepEqual(ask.chain, ["shop/a"]);
  assert.deepEqual([ask.caller, ask.number, ask.received, ask.askNumber], ["c", 4, 2, 1]);
  assert.ok(ask.ageTime > 0);
  assert.equal(ask.ageId, "c:4");
  assert.equal(ask.timeoutMs, 30_000);
  s.call("shop/a askSoon", "b", nested(5, ["shop/z"]));
  assert.deepEqual(s.asks[1]?.chain, ["shop/z", "shop/a"]);
  assert.deepEqual([s.asks[1].ageTime, s.asks[1].timeoutMs], [5, 50]);
});

test("the entity is held until the answer, and queries go on", async () => {
  const s = new TurnStage(functions);
  s.call("shop/a ask", "b");
  s.call("shop/a ask", "c");
  assert.equal(s.call("shop/a total").end, "0");
  const elsewhere = s.call("shop/a elsewhere");
  await s.pass(30);
  assert.equal(elsewhere.end, "0");
  assert.deepEqual(s.ended.slice(-2), ["shop/a ask: 1", "shop/a ask: 1"]);
});

test("a chain that reaches an entity that it holds is refused at once, here and on arrival", async () => {
  const s = new TurnStage(functions);
  const self = s.call("shop/a self");
  await s.pass();
  assert.ok(self.outcome?.type === "failed");
  assert.match(self.outcome.error.message, /shop\/a is already held by this chain of calls/);
  const arriving = s.call("shop/a ask", "b", nested(1, ["store/x", "shop/a"]));
  assert.equal(arriving.end, "invalid_argument");
  const chain = Array.from({ length: 17 }, (_, i) => `shop/k${String(i)}`);
  assert.equal(s.call("shop/a ask", "b", nested(1, chain)).end, "invalid_argument");
  const deep = s.call("shop/a ask", "b", nested(1, chain.slice(1)));
  await s.pass();
  assert.equal(deep.end, "handler_error");
  assert.equal(s.asks.length, 0);
});

test("a younger nested call does not wait behind a turn that asks, an older one does", async () => {
  const s = new TurnStage(functions);
  s.onAsk = () => new Promise(() => undefined);
  s.call("shop/a ask", "b", nested(10, [], "root"));
  assert.equal(s.call("shop/a ask", "c", nested(11, ["shop/z"])).end, "aborted");
  assert.equal(s.call("shop/a ask", "c", nested(9, ["shop/z"])).end, "open");
  // A root call holds nothing that anybody could wait for.
  assert.equal(s.call("shop/a ask", "c", nested(12, [])).end, "open");
  await s.pass();
});

test("a younger nested call does not wait behind an older queued nested call", () => {
  const s = new TurnStage(functions);
  s.call("store/a hold", 100);
  const first = s.call("store/a sell", 1, nested(10, ["shop/x"]));
  assert.equal(s.call("store/a sell", 1, nested(11, ["shop/y"])).end, "aborted");
  assert.equal(s.call("store/a sell", 1, nested(9, ["shop/y"])).end, "open");
  assert.equal(s.call("store/a sell", 1, nested(10, ["shop/y"])).end, "aborted");
  first.turn.cancel();
  assert.equal(s.call("store/a sell", 1, nested(9, ["shop/w"])).end, "open");
});

test("the rule is applied again when the turn ahead begins to wait", async () => {
  const s = new TurnStage(functions);
  const ahead = s.call("shop/a sleepThenAsk", "b", nested(10, [], "root"));
  const older = s.call("shop/a ask", "c", nested(9, ["shop/z"]));
  const root = s.call("shop/a ask", "c", nested(99, []));
  const t = new TurnStage(functions);
  t.call("shop/a sleepThenAsk", "b", nested(10, [], "root"));
  const younger = t.call("shop/a ask", "c", nested(11, ["shop/z"]));
  assert.deepEqual([older.end, younger.end], ["open", "open"]);
  await s.pass(55);
  await t.pass(55);
  assert.deepEqual(
    [ahead.end, older.end, younger.end, root.end],
    ["open", "open", "aborted", "open"],
  );
});

test("the rule is applied to who waits behind a turn that asks as soon as it starts", async () => {
  const quick = defineFunction({
    state: {},
    handlers: {
      wait: (ctx, ms: number) => ctx.sleep(ms),
      ask: (ctx) => ctx.get(store, "b").sell(1),
    },
  });
  const s = new TurnStage({ quick, store });
  s.call("quick/a wait", 50);
  s.call("quick/a ask", undefined, nested(10, [], "root"));
  const younger = s.call("quick/a wait", 1, nested(11, ["store/z"]));
  assert.equal(younger.end, "open");
  await s.pass(52);
  assert.equal(younger.end, "aborted");
});

test("two turns that ask each other do not wait for ever: the younger one gives way", async () => {
  const pair = defineFunction({
    state: { n: crdt.counter() },
    handlers: {
      async meet(ctx, other: string): Promise<void> {
        await ctx.sleep(5);
        if (other !== "") await ctx.get(pair, other).meet("");
        ctx.state.n.add(1);
      },
    },
  });
  const s = new TurnStage({ pair });
  const older = s.call("pair/a meet", "b", nested(1, [], "old"));
  const younger = s.call("pair/b meet", "a", nested(2, [], "new"));
  await s.pass(100);
  assert.deepEqual([older.end, younger.end], ["done", "aborted"]);
});

test("what waits for each other can never be a ring, whatever the ages", async () => {
  const ring = defineFunction({
    state: { n: crdt.counter() },
    handlers: {
      async visit(ctx, path: string[]): Promise<void> {
        await ctx.sleep(path.length % 3);
        const [next, ...rest] = path;
        if (next !== undefined) await ctx.get(ring, next).visit(rest);
        ctx.state.n.add(1);
      },
    },
  });
  const path = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d"), { minLength: 1 });
  await fc.assert(
    fc.asyncProperty(fc.array(path, { minLength: 2, maxLength: 6 }), async (paths) => {
      const s = new TurnStage({ ring });
      const calls = paths.map(([first = "a", ...rest], index) =>
        s.call(`ring/${first} visit`, rest, nested(1 + index, [], String(index))),
      );
      // Far below any deadline.
      await s.pass(1_000);
      for (const call of calls) assert.match(call.end, /^(done|aborted)$/);
      assert.equal(calls[0]?.end, "done");
    }),
    { numRuns: 40 },
  );
});

test("ages are a total order over root calls", () => {
  const age = fc.record({ ageTime: fc.nat(3), ageId: fc.constantFrom("a", "b", "c") });
  fc.assert(
    fc.property(age, age, (a, b) => {
      const same = a.ageTime === b.ageTime && a.ageId === b.ageId;
      assert.equal(Number(isYounger(a, b)) + Number(isYounger(b, a)), same ? 0 : 1);
    }),
  );
});

test("a failed ask that may be tried again fails the turn alike, any other as handler_error", async () => {
  const become: [ErrorCode, string][] = [
    ["aborted", "aborted"],
    ["unavailable", "unavailable"],
    ["overloaded", "overloaded"],
    ["not_owner", "unavailable"],
    ["indeterminate", "indeterminate"],
    ["failed_precondition", "handler_error"],
    ["not_found", "handler_error"],
  ];
  for (const [code, end] of become) {
    const s = new TurnStage(functions);
    s.onAsk = () => Promise.reject(new LatticeError(code, "inner"));
    const call = s.call("shop/a ask", "b");
    const caught = s.call("shop/b catching", "b");
    await s.pass();
    assert.equal(call.end, end);
    assert.equal(caught.end, `"${code}"`);
    assert.equal(s.call("shop/a total").end, "0");
  }
});

test("an ask that nobody waits for can fail without harm", async () => {
  const s = new TurnStage(functions);
  s.onAsk = () => Promise.reject(new LatticeError("unavailable", "inner"));
  assert.equal(s.call("shop/a askAndForget", "b").end, "done");
  await s.pass();
});

test("an ask ends with the turn that was cut off", async () => {
  const s = new TurnStage(functions);
  s.onAsk = ({ signal }) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => {
        reject(signal.reason as Error);
      });
    });
  const call = s.call("shop/a ask", "b", { deadlineAt: s.node.clock.now() + 100 });
  await s.pass(150);
  assert.equal(call.end, "deadline_exceeded");
  assert.equal(s.asks[0]?.signal.aborted, true);
});

test("sends are part of the commit, in order, and a turn that throws sends nothing", () => {
  const s = new TurnStage(functions);
  s.call("shop/a sendAll", ["x", "y", "x"]);
  s.call("shop/a sendAndThrow");
  const { entries } = s.store.entity("shop/a").outbox;
  assert.deepEqual(
    entries.map(({ functionName, key, operation }) => `${functionName}/${key} ${operation}`),
    ["store/x sell", "store/y sell", "store/x sell"],
  );
  assert.equal(s.store.commits.length, 1);
});

test("sends that cannot be made fail the turn: too many, unusable, to nowhere", () => {
  const s = new TurnStage(functions);
  assert.equal(s.call("shop/a sendTooMany").end, "overloaded");
  assert.equal(s.call("shop/a sendBad").end, "handler_error");
  assert.equal(s.call("shop/a sendNowhere").end, "handler_error");
  assert.equal(s.store.commits.length, 0);
});

test("a context knows who called", () => {
  const s = new TurnStage(functions);
  assert.equal(s.call("shop/a who").end, '{"type":"client","id":""}');
  const client = s.call("shop/a who", undefined, { caller: "c", number: 1 });
  assert.equal(client.end, '{"type":"client","id":"c"}');
  const asked = s.call("shop/a who", undefined, nested(1, ["shop/x", "store/y/z"]));
  assert.equal(asked.end, '{"type":"function","functionName":"store","key":"y/z"}');
  const sent = { caller: "@7k:store/y", number: 1, received: 1, outbox: true };
  assert.equal(
    s.call("shop/a who", undefined, sent).end,
    '{"type":"function","functionName":"store","key":"y"}',
  );
});

test("a context's time and chance are those of the platform", () => {
  const [first, second] = [new TurnStage(functions), new TurnStage(functions)];
  const run = first.call("shop/a clock").end;
  assert.equal(run, second.call("shop/a clock").end);
  const [now] = JSON.parse(run) as [number];
  assert.equal(now, first.node.clock.wallNow());
});
