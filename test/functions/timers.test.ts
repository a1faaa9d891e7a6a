/** Timers in turns: set with what the turn does, and taken out with what the turn that they start does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Caller } from "../../src/definition/contexts.ts";
import { defineFunction } from "../../src/definition/define-function.ts";
import { crdt } from "../../src/definition/kinds.ts";
import {
  timerDelayMsMax,
  timerIdLengthMax,
  timerPeriodMsMin,
} from "../../src/definition/timers.ts";
import type { ScheduleOptions, TimerView } from "../../src/definition/timers.ts";
import type { LatticeError } from "../../src/model/error.ts";
import type { Value } from "../../src/model/value.ts";
import { timerInputBytesMax, timersMax } from "../../src/state/timers.ts";
import { TurnStage } from "../support/turn-stage.ts";
import type { StagedCall } from "../support/turn-stage.ts";

const seen: { caller?: Caller; timers?: readonly TimerView[] } = {};

interface Wish {
  readonly when: ScheduleOptions;
  readonly handler?: string;
  readonly input?: Value;
}

const alarm = defineFunction({
  deadlineMs: 5_000,
  state: { rung: crdt.set<string>() },
  handlers: {
    // Inputs are values, and dates are none: the tests give them by closure.
    set(ctx) {
      const { when, handler = "ring", input } = wish;
      return ctx.schedule(handler, when, input);
    },
    setAndThrow(ctx) {
      ctx.schedule("ring", { inMs: 1 });
      throw new Error("no");
    },
    cancel: (ctx, id: string) => ctx.cancelTimer(id),
    wipe(ctx) {
      ctx.delete();
    },
    ring(ctx, name: string) {
      seen.caller = ctx.caller;
      seen.timers = ctx.timers();
      ctx.state.rung.add(name);
    },
    ringAgain(ctx, name: string) {
      ctx.state.rung.add(name);
      if (ctx.caller.type === "timer") ctx.schedule("ring", { inMs: 50, id: ctx.caller.id }, name);
    },
    ringLast(ctx, name: string) {
      ctx.state.rung.add(name);
      if (ctx.caller.type === "timer") ctx.cancelTimer(ctx.caller.id);
    },
    async ringLate(ctx, name: string) {
      await ctx.sleep(60_000);
      ctx.state.rung.add(name);
    },
    refuse(ctx) {
      ctx.state.rung.add("never");
      ctx.fail("failed_precondition", "not today");
    },
    full(ctx) {
      for (let n = 0; n <= timersMax; n += 1) ctx.schedule("ring", { inMs: 1 });
    },
  },
  queries: {
    rung: (ctx) => [...ctx.state.rung.values()],
    timers: (ctx) => ctx.timers().map(({ id, at, every }) => ({ id, at, every: every ?? 0 })),
    writing(ctx) {
      const { schedule, cancelTimer } = ctx as unknown as Record<string, (id: string) => unknown>;
      return [schedule, cancelTimer].map((use) => {
        try {
          return String(use?.("ring"));
        } catch (thrown) {
          return (thrown as LatticeError).code;
        }
      });
    },
  },
});
let wish: Wish = { when: { inMs: 0 } };

function set(s: TurnStage, when: ScheduleOptions, rest: Omit<Wish, "when"> = {}): StagedCall {
  wish = { when, ...rest };
  return s.call("alarm/a set");
}

/** Fires the timer that is due next. */
function fire(s: TurnStage, at = 0): StagedCall {
  const timer = s.store.entity("alarm/a").timers[at]!;
  return s.call(`alarm/a ${timer.operation}`, undefined, { timer, input: timer.input });
}

function due(s: TurnStage): string[] {
  return s.store.entity("alarm/a").timers.map(({ id, at }) => `${id} ${String(at - started)}`);
}

const started = new TurnStage({ alarm }).node.clock.wallNow();

function failureOf(call: StagedCall): LatticeError {
  assert.ok(call.outcome?.type === "failed", call.end);
  return call.outcome.error;
}

test("a timer is kept with the state: due from now on, at a time, or after each period", async () => {
  const s = new TurnStage({ alarm });
  set(s, { inMs: 99.5, id: "in" });
  set(s, { at: started + 50, id: "at" }, { input: "one" });
  set(s, { at: new Date(started + 70), id: "date" }, { input: { name: "x" } });
  assert.equal(set(s, { every: 2_000, id: "every" }).end, '"every"');
  assert.deepEqual(due(s), ["at 50", "date 70", "in 100", "every 2000"]);
  assert.deepEqual(
    s.call("alarm/a timers").end,
    JSON.stringify([
      { id: "at", at: started + 50, every: 0 },
      { id: "date", at: started + 70, every: 0 },
      { id: "in", at: started + 100, every: 0 },
      { id: "every", at: started + 2_000, every: 2_000 },
    ]),
  );
  await s.pass(50);
  assert.equal(fire(s).end, "done");
  assert.deepEqual(seen.timers?.[0], {
    id: "date",
    handler: "ring",
    at: started + 70,
    input: { name: "x" },
  });
  assert.equal(seen.timers[2]?.every, 2_000);
});

test("without an id each timer has one of its own; under an id it replaces the one before", () => {
  const s = new TurnStage({ alarm });
  const ids = [set(s, { inMs: 5 }).end, set(s, { inMs: 5 }).end];
  assert.equal(new Set(ids).size, 2);
  set(s, { inMs: 10, id: "x" });
  set(s, { inMs: 20, id: "x" });
  assert.deepEqual(
    due(s).filter((timer) => timer.startsWith("x")),
    ["x 20"],
  );
  assert.equal(s.call("alarm/a cancel", "x").end, "true");
  assert.equal(s.call("alarm/a cancel", "x").end, "false");
  assert.equal(due(s).length, 2);
  s.call("alarm/a wipe");
  assert.deepEqual(due(s), []);
});

test("a turn that throws has set nothing, and a query can only look", () => {
  const s = new TurnStage({ alarm });
  assert.equal(s.call("alarm/a setAndThrow").end, "handler_error");
  assert.deepEqual(due(s), []);
  const refused = '["invalid_argument","invalid_argument"]';
  assert.equal(s.call("alarm/a writing").end, refused);
});

test("what cannot be scheduled is refused at once, with what would do", () => {
  const s = new TurnStage({ alarm });
  const message = (when: object, rest: Omit<Wish, "when"> = {}): string => {
    const refused = failureOf(set(s, when as ScheduleOptions, rest));
    // It was thrown into the handler, which did not catch it.
    assert.equal(refused.code, "handler_error");
    return refused.message;
  };
  assert.match(message({ inMs: 1 }, { handler: "rign" }), /did you mean 'ring'/);
  assert.match(message({ inMs: 1 }, { handler: "rung" }), /no handler/);
  const wrong: readonly (readonly [object, RegExp])[] = [
    [{}, /exactly one of inMs, at and every, not 0/],
    [{ inMs: 1, every: 1_000 }, /not 2/],
    [{ inMs: -1 }, /inMs must be/],
    [{ inMs: NaN }, /got NaN/],
    [{ inMs: "5" }, /got string/],
    [{ inMs: timerDelayMsMax + 1 }, /ten years/],
    [{ at: Infinity }, /at must be/],
    [{ at: new Date(NaN) }, /got NaN/],
    [{ at: started + timerDelayMsMax + 1_000 }, /ten years/],
    [{ every: timerPeriodMsMin - 1 }, /every must be/],
    [{ inMS: 5 }, /unknown option 'inMS' \(did you mean 'inMs'\?\)/],
    [{ inMs: 1, id: "" }, /the id of a timer/],
    [{ inMs: 1, id: "x".repeat(timerIdLengthMax + 1) }, /the id of a timer/],
    [{ inMs: 1, id: "a\nb" }, /the id of a timer/],
    [{ inMs: 1, id: "__proto__" }, /the id of a timer/],
    [{ inMs: 1, id: 5 }, /the id of a timer/],
    [5 as unknown as object, /it takes when the timer is due/],
  ];
  for (const [when, words] of wrong) assert.match(message(when), words);
  assert.match(
    message({ inMs: 1 }, { input: "x".repeat(timerInputBytesMax) }),
    /above 65536 bytes/,
  );
  assert.equal(failureOf(s.call("alarm/a full")).code, "overloaded");
  assert.deepEqual(due(s), []);
});

test("a timer that fires is out of the state by the commit of what its handler does", async () => {
  const s = new TurnStage({ alarm });
  set(s, { inMs: 10, id: "x" }, { input: "one" });
  await s.pass(10);
  const { length } = s.store.commits;
  const timer = s.store.entity("alarm/a").timers[0]!;
  assert.equal(fire(s).end, "done");
  assert.equal(s.store.commits.length, length + 1);
  assert.deepEqual(seen.caller, { type: "timer", id: "x", at: started + 10 });
  assert.deepEqual(seen.timers, []);
  assert.deepEqual([due(s), s.call("alarm/a rung").end], [[], '["one"]']);
  // Fired again, as by a primary that does not know better, it does nothing.
  const again = s.call("alarm/a ring", "one", { timer });
  assert.equal(failureOf(again).code, "aborted");
  assert.equal(s.store.commits.length, length + 1);
});

test("a timer is not fired before it is due, nor once it was replaced or cancelled", async () => {
  const s = new TurnStage({ alarm });
  set(s, { inMs: 10, id: "x" }, { input: "one" });
  const timer = s.store.entity("alarm/a").timers[0]!;
  assert.equal(failureOf(fire(s)).code, "aborted");
  await s.pass(10);
  set(s, { at: timer.at, id: "x" }, { input: "two" });
  assert.equal(failureOf(s.call("alarm/a ring", "one", { timer })).code, "aborted");
  s.call("alarm/a cancel", "x");
  assert.equal(failureOf(s.call("alarm/a ring", "one", { timer })).code, "aborted");
  assert.equal(s.call("alarm/a rung").end, "[]");
});

test("one with a period is due again after the periods that have passed", async () => {
  const s = new TurnStage({ alarm });
  set(s, { every: 1_000, id: "x" }, { input: "one" });
  await s.pass(1_000);
  assert.equal(fire(s).end, "done");
  assert.deepEqual(due(s), ["x 2000"]);
  assert.equal(seen.timers?.[0]?.at, started + 2_000);
  await s.pass(4_700);
  assert.equal(fire(s).end, "done");
  assert.deepEqual(due(s), ["x 6000"]);
});

test("a handler may set its own timer anew, or cancel its own period", async () => {
  const s = new TurnStage({ alarm });
  set(s, { inMs: 0, id: "x" }, { handler: "ringAgain", input: "one" });
  assert.equal(fire(s).end, "done");
  assert.deepEqual(due(s), ["x 50"]);
  set(s, { every: 1_000, id: "x" }, { handler: "ringLast", input: "two" });
  await s.pass(1_000);
  assert.equal(fire(s).end, "done");
  assert.deepEqual(due(s), []);
});

test("what fails leaves the timer as it was", async () => {
  const s = new TurnStage({ alarm });
  set(s, { inMs: 0, id: "x" }, { handler: "refuse" });
  assert.equal(failureOf(fire(s)).code, "failed_precondition");
  set(s, { inMs: 0, id: "y" }, { handler: "ringLate", input: "late" });
  const late = fire(s, 1);
  assert.equal(late.end, "open");
  await s.pass(5_100);
  assert.equal(failureOf(late).code, "deadline_exceeded");
  assert.deepEqual(due(s), ["x 0", "y 0"]);
  assert.equal(s.call("alarm/a rung").end, "[]");
});

test("without a majority no timer fires, whatever its function says of splits", () => {
  const s = new TurnStage({ alarm });
  set(s, { inMs: 0, id: "x" });
  s.store.degraded = true;
  assert.equal(failureOf(fire(s)).code, "unavailable");
  assert.deepEqual(due(s), ["x 0"]);
});

test("what is a query by now, or nothing, is refused for good", () => {
  const s = new TurnStage({ alarm });
  set(s, { inMs: 0, id: "x" });
  const timer = s.store.entity("alarm/a").timers[0]!;
  assert.equal(failureOf(s.call("alarm/a rung", undefined, { timer })).code, "not_found");
  assert.equal(failureOf(s.call("alarm/a gone", undefined, { timer })).code, "not_found");
});
