/** Calls that must not happen twice, answers that must stay, and service without a majority. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defineFunction } from "../../src/definition/define-function.ts";
import { crdt } from "../../src/definition/kinds.ts";
import { EntityAddress } from "../../src/functions/entity-address.ts";
import type { TurnRequest } from "../../src/functions/turn-request.ts";
import { TurnStage } from "../support/turn-stage.ts";

const parts = {
  state: { count: crdt.counter(), stock: crdt.flag() },
  handlers: {
    add(ctx: { state: { count: { value: number; add(by: number): void } } }, by: number) {
      ctx.state.count.add(by);
      return ctx.state.count.value;
    },
    touch: () => "nothing changed",
  },
};
const box = defineFunction({
  ...parts,
  handlers: {
    ...parts.handlers,
    take(ctx) {
      if (!ctx.state.stock.value) ctx.fail("failed_precondition", "out of stock", { left: 0 });
      ctx.state.stock.disable();
    },
    fill(ctx) {
      ctx.state.stock.enable();
    },
    async slow(ctx, by: number) {
      await ctx.sleep(100);
      ctx.state.count.add(by);
      return ctx.state.count.value;
    },
  },
  queries: { total: (ctx) => ctx.state.count.value },
});
const strict = defineFunction({ ...parts, strictAcks: true, acks: 3 });
const safe = defineFunction({
  ...parts,
  whenSplit: "refuse",
  queries: { total: (ctx) => ctx.state.count.value },
});
const hasty = defineFunction({
  ...parts,
  acks: 1,
  queries: { total: (ctx) => ctx.state.count.value },
});
const functions = { box, strict, safe, hasty };
const from = (number: number, more: Partial<TurnRequest> = {}): Partial<TurnRequest> => ({
  caller: "c",
  number,
  ...more,
});

test("a retry gets the result of the first run and changes nothing", () => {
  const s = new TurnStage(functions);
  assert.equal(s.call("box/a add", 2, from(1)).end, "2");
  s.call("box/a add", 5);
  const retry = s.call("box/a add", 2, from(1, { retry: true }));
  assert.equal(retry.end, "2");
  assert.equal(retry.outcome?.type === "ok" && retry.outcome.fromDedupe, true);
  assert.equal(s.call("box/a total").end, "7");
  assert.equal(s.turns.dedupeHitCount, 1);
});

test("a protected call that changed nothing is recorded too", () => {
  const s = new TurnStage(functions);
  s.call("box/a touch", undefined, from(1));
  assert.equal(s.store.commits.length, 1);
  const retry = s.call("box/a touch", undefined, from(1)).outcome;
  assert.equal(retry?.type === "ok" && retry.fromDedupe, true);
  s.call("box/a touch");
  assert.equal(s.store.commits.length, 1);
});

test("a retry that meets its first attempt under way waits for it and gets its result", async () => {
  const s = new TurnStage(functions);
  const first = s.call("box/a slow", 3, from(1));
  const retry = s.call("box/a slow", 3, from(1, { retry: true }));
  await s.pass(150);
  assert.deepEqual([first.end, retry.end], ["3", "3"]);
  assert.equal(s.call("box/a total").end, "3");
});

test("one number for two different calls is an error, and changes nothing", () => {
  const s = new TurnStage(functions);
  s.call("box/a add", 2, from(1));
  assert.equal(s.call("box/a add", 3, from(1)).end, "invalid_argument");
  assert.equal(s.call("box/a touch", 2, from(1)).end, "invalid_argument");
  assert.equal(s.call("box/a total").end, "2");
});

test("a late duplicate of a call whose answer was received does not run", () => {
  const s = new TurnStage(functions);
  s.call("box/a add", 2, from(1));
  s.call("box/a add", 2, from(2, { received: 2 }));
  assert.equal(s.call("box/a add", 2, from(1)).end, "failed_precondition");
  assert.equal(s.call("box/a total").end, "4");
});

test("the outbox of another entity is told that an older call of it took effect", () => {
  const s = new TurnStage(functions);
  const send = (number: number): Partial<TurnRequest> => ({
    caller: "@7:shop/main",
    number,
    received: number,
    outbox: true,
  });
  assert.equal(s.call("box/a add", 1, send(1024)).end, "1");
  assert.equal(s.call("box/a add", 1, send(1025)).end, "2");
  for (const number of [1024, 1025]) {
    const again = s.call("box/a add", 1, send(number)).outcome;
    assert.equal(again?.type === "ok" && again.fromDedupe && again.value.length === 0, true);
  }
  assert.equal(s.call("box/a total").end, "2");
});

test("a failure is recorded when an earlier attempt may still arrive", () => {
  const s = new TurnStage(functions);
  assert.equal(
    s.call("box/a take", undefined, from(1, { retry: true })).end,
    "failed_precondition",
  );
  assert.equal(s.store.commits.length, 1);
  s.call("box/a fill");
  const late = s.call("box/a take", undefined, from(1)).outcome;
  assert.ok(late?.type === "failed");
  assert.deepEqual([late.error.message, late.error.data], ["out of stock", { left: 0 }]);
  assert.equal(s.call("box/a take", undefined, from(2)).end, "done");
});

test("a failure of a first attempt is not recorded: a retry runs again", () => {
  const s = new TurnStage(functions);
  s.call("box/a take", undefined, from(1));
  assert.equal(s.store.commits.length, 0);
  s.call("box/a fill");
  assert.equal(s.call("box/a take", undefined, from(1, { retry: true })).end, "done");
});

test("a caller with too many unreceived results is refused before anything runs", () => {
  const s = new TurnStage(functions);
  for (let number = 1; number <= 256; number++) s.call("box/a add", 1, from(number));
  assert.equal(s.call("box/a add", 1, from(257)).end, "overloaded");
  assert.equal(s.call("box/a total").end, "256");
  assert.equal(s.call("box/a add", 1, from(257, { received: 200 })).end, "257");
});

test("every answer waits for its copies: results, refusals, retries and queries", () => {
  const s = new TurnStage(functions);
  s.store.isImmediate = false;
  const calls = [
    s.call("box/a add", 2, from(1)),
    s.call("box/a add", 2, from(1)),
    s.call("box/a take"),
    s.call("box/a total"),
  ];
  assert.deepEqual(
    calls.map((call) => call.end),
    ["open", "open", "open", "open"],
  );
  assert.equal(s.turns.queuedCount("box/a"), 0);
  s.store.release();
  assert.deepEqual(
    calls.map((call) => call.end),
    ["2", "2", "failed_precondition", "2"],
  );
});

test("what does not become sure is indeterminate if it ran, and unavailable if it only looked", () => {
  const s = new TurnStage(functions);
  s.store.isImmediate = false;
  const calls = [
    s.call("box/a add", 2, from(1)),
    s.call("box/a add", 2, from(1)),
    s.call("box/a take"),
    s.call("box/a total"),
  ];
  s.store.release({ type: "indeterminate" });
  assert.deepEqual(
    calls.map((call) => call.end),
    ["indeterminate", "indeterminate", "unavailable", "unavailable"],
  );
});

test("an answer waits two seconds for its copies, and not beyond the deadline", async () => {
  const s = new TurnStage(functions);
  s.store.isImmediate = false;
  const patient = s.call("box/a add", 1);
  const hurried = s.call("box/b add", 1, { deadlineAt: s.node.clock.now() + 500 });
  const query = s.call("box/a total");
  await s.pass(600);
  assert.deepEqual([patient.end, hurried.end], ["open", "indeterminate"]);
  await s.pass(1_500);
  assert.deepEqual([patient.end, query.end], ["indeterminate", "unavailable"]);
  s.store.release();
  assert.equal(s.turns.inFlightCount, 0);
});

test("a call that is cancelled while it waits for copies may still stand", () => {
  const s = new TurnStage(functions);
  s.store.isImmediate = false;
  const call = s.call("box/a add", 1);
  call.turn.cancel();
  assert.ok(call.outcome?.type === "failed");
  assert.deepEqual(
    [call.outcome.error.code, call.outcome.error.indeterminate],
    ["cancelled", true],
  );
  s.store.release();
});

test("the copies asked for are those of the call, else of the function, else of the cluster", () => {
  const s = new TurnStage(functions, { acksDefault: 2 });
  s.call("box/a add", 1);
  s.call("hasty/a add", 1);
  s.call("hasty/a add", 1, { acks: "all" });
  assert.deepEqual(s.store.commitAcks, [2, 1, "all"]);
  // What a query shows must stay, whatever the function promises of its own changes.
  s.call("hasty/a total");
  assert.deepEqual(s.store.confirmAcks, [2]);
});

test("strictAcks refuses before running where too few copies can be made", () => {
  const s = new TurnStage(functions);
  assert.equal(s.call("strict/a add", 1).end, "1");
  s.store.copiesMax = 2;
  assert.equal(s.call("strict/a add", 1).end, "unavailable");
  assert.equal(s.call("strict/a add", 1, { acks: 2 }).end, "2");
  assert.equal(s.call("box/a add", 1, { acks: 3, strictAcks: true }).end, "unavailable");
  assert.equal(s.call("box/a add", 1, { acks: "all", strictAcks: true }).end, "unavailable");
  assert.equal(s.call("box/a add", 1, { acks: 3 }).end, "1");
});

test("without a majority, protected calls run only with the caller's consent", () => {
  const s = new TurnStage(functions);
  s.store.degraded = true;
  s.store.copiesMax = 1;
  assert.equal(s.call("box/a add", 1, from(1)).end, "degraded_offered");
  assert.equal(s.store.commits.length, 0);
  const agreed = s.call("box/a add", 1, from(1, { degradedAllowed: true })).outcome;
  assert.equal(agreed?.type === "ok" && agreed.degraded, true);
  assert.equal(s.call("box/a add", 1).end, "2");
  assert.equal(s.call("box/a total", undefined, from(2)).end, "2");
  assert.equal(s.turns.degradedReplyCount, 3);
});

test("without a majority, functions and calls that refuse do not run", () => {
  const s = new TurnStage(functions);
  s.store.degraded = true;
  for (const address of ["safe/a add", "safe/a total"]) {
    assert.equal(s.call(address, 1, { degradedAllowed: true }).end, "unavailable");
  }
  assert.equal(s.call("box/a add", 1, { whenSplit: "refuse" }).end, "unavailable");
  assert.equal(s.call("safe/a add", 1, { whenSplit: "serve" }).end, "1");
});

test("a node that does not serve the key refuses without running", () => {
  const s = new TurnStage(functions);
  s.store.isServing = false;
  assert.equal(s.call("box/a add", 1).end, "unavailable");
  assert.equal(s.call("box/a total").end, "unavailable");
});

test("what began in one reign does not commit in another", async () => {
  const s = new TurnStage(functions);
  const slow = s.call("box/a slow", 3);
  s.store.reign = {};
  await s.pass(150);
  assert.equal(slow.end, "unavailable");
  const gone = s.call("box/a slow", 3);
  s.store.isServing = false;
  await s.pass(150);
  assert.equal(gone.end, "unavailable");
  assert.equal(s.store.commits.length, 0);
});

test("the system's own changes take their turn behind handlers", async () => {
  const s = new TurnStage(functions);
  s.call("box/a slow", 1);
  const ends: string[] = [];
  s.turns.runInternal(
    new EntityAddress("box", "a", 0),
    (draft) => {
      draft.forgetCaller("c");
      ends.push("ran");
    },
    (outcome) => ends.push(outcome.type),
  );
  s.turns.runInternal(
    new EntityAddress("unknown", "a", 0),
    () => undefined,
    (outcome) => ends.push(outcome.type),
  );
  assert.deepEqual(ends, ["ok"]);
  await s.pass(150);
  assert.deepEqual(ends, ["ok", "ran", "ok"]);
  s.store.degraded = true;
  s.turns.runInternal(
    new EntityAddress("box", "a", 0),
    () => undefined,
    (outcome) => ends.push(outcome.type),
  );
  assert.equal(ends.at(-1), "failed");
});
