/** Sessions, copies and linearizable reads, as turns see them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defineFunction } from "../../src/definition/define-function.ts";
import { crdt } from "../../src/definition/kinds.ts";
import type { TurnRequest } from "../../src/functions/turn-request.ts";
import { TurnStage } from "../support/turn-stage.ts";

const counter = defineFunction({
  state: { count: crdt.counter() },
  handlers: {
    add(ctx) {
      ctx.state.count.add(1);
      return ctx.state.count.value;
    },
    look: (ctx) => ctx.state.count.value,
    async addTo(ctx, key: string): Promise<number> {
      return ctx.get(counter, key).total();
    },
  },
  queries: {
    total: (ctx) => ctx.state.count.value,
    async slow(ctx) {
      await Promise.resolve();
      return ctx.state.count.value;
    },
  },
});

const mark = (position: number): TurnRequest["seen"] => ({
  term: { number: 1, process: "p#1" },
  position,
});

const stage = (): TurnStage => new TurnStage({ counter });

test("an answer in a session tells what was seen, and others tell nothing", () => {
  const { call } = bound(stage());
  const told = call("counter/a add", { inSession: true });
  assert.deepEqual(told.type === "ok" && told.seen, [{ partition: 0, mark: mark(5) }]);
  const untold = call("counter/a add", {});
  assert.deepEqual(untold.type === "ok" && untold.seen, []);
});

test("a session is refused where it has seen what is not here, and where no majority is", () => {
  const at = stage();
  const { call } = bound(at);
  assert.equal(call("counter/a add", { inSession: true, seen: mark(5) }).type, "ok");
  const ahead = call("counter/a add", { inSession: true, seen: mark(6) });
  assert.match(errorOf(ahead), /unavailable.*its session has seen what came later/);
  at.store.degraded = true;
  const cutOff = call("counter/a total", { inSession: true });
  assert.match(errorOf(cutOff), /unavailable.*a session is never served without one/);
  assert.equal(call("counter/a total", {}).type, "ok", "others are served degraded");
});

test("a query that may run anywhere runs on a copy as new as its session, else on what is led", () => {
  const at = stage();
  const { call } = bound(at);
  at.store.copiesRead = 2;
  at.store.isImmediate = false;
  const read = call("counter/a total", { readFrom: "any", seen: mark(5), inSession: true });
  assert.equal(read.type === "ok" && read.copies, 2, "nothing has to be confirmed");
  call("counter/a total", { readFrom: "any", seen: mark(6) });
  assert.equal(at.ended.at(-1), "counter/a total: unavailable", "led here, and not as new");
  call("counter/a add", { readFrom: "any" });
  assert.equal(at.store.heldCount, 1, "handlers run on the primary, whatever is asked");
});

test("an asynchronous query goes on with its copy when this node leads nothing", async () => {
  const at = stage();
  at.store.copiesRead = 2;
  at.store.isServing = false;
  const slow = at.call("counter/a slow", undefined, { readFrom: "any" });
  await at.pass();
  assert.equal(slow.outcome?.type, "ok");
});

test("a linearizable query is confirmed anew, a plain one is not, and degraded there is none", () => {
  const at = stage();
  const { call } = bound(at);
  call("counter/a total", {});
  assert.equal(at.store.freshCount, 0);
  call("counter/a total", { readFrom: "linearizable" });
  assert.equal(at.store.freshCount, 1);
  call("counter/a add", { readFrom: "linearizable" });
  assert.equal(at.store.freshCount, 1, "a commit confirms itself");
  at.store.degraded = true;
  const refused = call("counter/a total", { readFrom: "linearizable" });
  assert.match(errorOf(refused), /unavailable.*to confirm a linearizable read/);
});

test("what a session's turn asks for is confirmed anew, and seen by its caller", async () => {
  const at = stage();
  const outer = at.call("counter/a addTo", "b", { inSession: true });
  await at.pass();
  assert.equal(at.asks[0]?.inSession, true);
  at.asks[0].noteSeen([{ partition: 9, mark: mark(3)! }]);
  assert.equal(outer.outcome?.type, "ok");
  assert.equal(at.store.freshCount, 1, "the inner call changed nothing, and shows that it is new");
});

test("marks of what was asked are told beside the turn's own", async () => {
  const at = stage();
  at.onAsk = (request) => {
    request.noteSeen([{ partition: 9, mark: mark(3)! }]);
    return Promise.resolve(0);
  };
  const outer = at.call("counter/a addTo", "b", { inSession: true });
  await at.pass();
  const { outcome } = outer;
  assert.deepEqual(
    outcome?.type === "ok" && outcome.seen.map(({ partition }) => partition),
    [0, 9],
  );
});

function bound(at: TurnStage): {
  readonly call: (
    address: string,
    details: Partial<TurnRequest>,
  ) => NonNullable<ReturnType<TurnStage["call"]>["outcome"]>;
} {
  return {
    call: (address, details) => {
      const { outcome } = at.call(address, undefined, details);
      return outcome ?? { type: "failed", error: new Error("it waits") as never };
    },
  };
}

function errorOf(outcome: { readonly type: string; readonly error?: unknown }): string {
  const { code, message } = outcome.error as { readonly code: string; readonly message: string };
  return `${code} ${message}`;
}
