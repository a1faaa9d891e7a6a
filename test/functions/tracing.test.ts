/** What log lines, errors and outgoing calls of a turn say of where it stands. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defineFunction } from "../../src/definition/define-function.ts";
import type { Trace } from "../../src/definition/contexts.ts";
import { crdt } from "../../src/definition/kinds.ts";
import type { TurnRequest } from "../../src/functions/turn-request.ts";
import { LatticeError, ofCall } from "../../src/model/error.ts";
import { isTraceparent } from "../../src/model/traceparent.ts";
import type { Logger } from "../../src/platform/platform.ts";
import { TurnStage, type StagedCall } from "../support/turn-stage.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const traceparent = `00-${traceId}-00f067aa0ba902b7-03`;
const seen: Trace[] = [];

const box = defineFunction({
  state: { count: crdt.counter() },
  handlers: {
    add(ctx, by: number) {
      ctx.state.count.add(by);
    },
    look(ctx) {
      seen.push(ctx.trace, ctx.trace);
    },
    say(ctx) {
      ctx.log.info("said", { more: 1 });
    },
    send(ctx) {
      ctx.send(box, "other").add(1);
      ctx.send(box, "other").add(2);
      seen.push(ctx.trace);
    },
    async ask(ctx): Promise<number> {
      seen.push(ctx.trace);
      return await ctx.get(box, "other").total();
    },
    half() {
      throw new Error("half way");
    },
    refuse(ctx) {
      ctx.fail("not_found", "no");
    },
    bad: () => new Set([1]) as unknown as string,
    after(ctx) {
      ctx.state.count.add(1);
      ctx.afterCommit(() => {
        throw new Error("in vain");
      });
    },
  },
  queries: {
    total: (ctx) => ctx.state.count.value,
    peek(ctx) {
      seen.push(ctx.trace);
    },
    broken() {
      throw new Error("half way");
    },
  },
});

type Line = Readonly<Record<string, unknown>>;

function stage(): { s: TurnStage; lines: Line[]; hexCount: () => number } {
  const lines: Line[] = [];
  const s = new TurnStage({ box });
  let count = 0;
  const { traceIds } = s.node;
  const counted = {
    hex: (digits: number) => {
      count += 1;
      return traceIds.hex(digits);
    },
  };
  Object.assign(s.node, { traceIds: counted, logger: loggerTo(lines, {}) });
  seen.length = 0;
  return { s, lines, hexCount: () => count };
}

function loggerTo(lines: Line[], bound: Line): Logger {
  const write = (message: string, fields: Line = {}): void => {
    lines.push({ message, ...bound, ...fields });
  };
  const child = (fields: Line): Logger => loggerTo(lines, { ...bound, ...fields });
  return { level: "info", debug: write, info: write, warn: write, error: write, child };
}

const from = (number: number, more: Partial<TurnRequest> = {}): Partial<TurnRequest> => ({
  caller: "c",
  number,
  ...more,
});

function errorOf({ outcome }: StagedCall): LatticeError {
  assert.ok(outcome?.type === "failed");
  return outcome.error;
}

test("a turn that asks for nothing makes no ids, whoever called it", () => {
  const { s, hexCount } = stage();
  s.call("box/a add", 1);
  s.call("box/a add", 1, from(1));
  s.call("box/a add", 1, { trace: traceparent });
  s.call("box/a total");
  assert.equal(hexCount(), 0);
});

test("a run has a span of its own in the trace of its caller, with its flags", () => {
  const { s } = stage();
  s.call("box/a look", undefined, { trace: traceparent });
  const [first, again] = seen;
  assert.equal(first, again);
  assert.equal(first?.traceId, traceId);
  assert.notEqual(first.spanId, "00f067aa0ba902b7");
  assert.equal(first.traceparent, `00-${traceId}-${first.spanId}-03`);
  s.call("box/a look", undefined, { trace: traceparent });
  assert.notEqual(seen[2]?.spanId, first.spanId);
});

test("a trace begins with the first run that asks for one, and nobody records it", () => {
  const { s } = stage();
  s.call("box/a look");
  s.call("box/a look");
  const [first, , second] = seen;
  assert.ok(isTraceparent(first?.traceparent));
  assert.match(first.traceparent, /-00$/);
  assert.notEqual(first.traceId, second?.traceId);
});

test("queries have a trace too", () => {
  const { s } = stage();
  s.call("box/a peek", undefined, { trace: traceparent });
  assert.equal(seen[0]?.traceId, traceId);
});

test("the same seed makes the same ids", () => {
  const runs = [1, 2].map(() => {
    const { s } = stage();
    s.call("box/a look");
    return seen[0]?.traceparent;
  });
  assert.equal(runs[0], runs[1]);
});

test("what a handler sends and asks stands below its own span", async () => {
  const { s } = stage();
  s.call("box/a send", undefined, { trace: traceparent });
  const sent = s.store.entity("box/a").outbox.entries;
  assert.deepEqual(
    sent.map(({ trace }) => trace),
    [seen[0]?.traceparent, seen[0]?.traceparent],
  );
  s.call("box/b ask", undefined, { trace: traceparent });
  await s.pass();
  assert.equal(s.asks[0]?.trace, seen[1]?.traceparent);
  assert.notEqual(seen[0]?.spanId, seen[1]?.spanId);
  // Without a caller's trace one begins here, and it is one for all that the run does.
  s.call("box/c send");
  const [entry] = s.store.entity("box/c").outbox.entries;
  assert.equal(entry?.trace, seen[2]?.traceparent);
});

test("a handler's log lines say which call of which trace it is", () => {
  const { s, lines } = stage();
  s.call("box/a say", undefined, from(7, { trace: traceparent }));
  s.call("box/a say", undefined, { caller: "order-7", number: 0 });
  s.call("box/a say");
  const where = { message: "said", function: "box", key: "a", operation: "say", more: 1 };
  assert.deepEqual(lines[0], { ...where, call: "c:7", traceId });
  assert.equal(lines[1]?.["call"], "order-7:0");
  assert.match(String(lines[1]["traceId"]), /^[0-9a-f]{32}$/);
  assert.match(String(lines[2]?.["call"]), /^[0-9a-f]{16}$/);
});

test("the node's own lines about a run carry the same, and a trace where there is one", () => {
  const { s, lines } = stage();
  const failed = "a handler or query failed";
  const untraced = errorOf(s.call("box/a half", undefined, from(1)));
  const traced = errorOf(s.call("box/a half", undefined, from(2, { trace: traceparent })));
  const query = errorOf(s.call("box/a broken"));
  s.call("box/a after", undefined, from(3));
  const shown = lines.map(({ message, call, traceId: trace }) => ({ message, call, trace }));
  assert.deepEqual(shown.slice(0, 2), [
    { message: failed, call: "c:1", trace: undefined },
    { message: failed, call: "c:2", trace: traceId },
  ]);
  assert.equal(shown[2]?.call, query.call);
  assert.match(query.call ?? "", /^[0-9a-f]{16}$/);
  assert.deepEqual(
    [shown[3]?.message, shown[3]?.call, untraced.call, traced.call],
    ["ctx.afterCommit failed", "c:3", "c:1", "c:2"],
  );
});

test("every error of a call names it, whoever makes the error", () => {
  const { s } = stage();
  s.store.isServing = true;
  const failures: [string, Partial<TurnRequest>][] = [
    ["box/a refuse", {}],
    ["box/a bad", {}],
    ["box/a ad", {}],
    ["box/a add", { input: Uint8Array.of(0xc1) }],
    ["box/a add", { deadlineAt: s.node.clock.now() }],
    ["box/a add", { chain: ["box/a"] }],
  ];
  for (const [index, [address, details]] of failures.entries()) {
    const number = index + 1;
    const { call, code } = errorOf(s.call(address, undefined, from(number, details)));
    assert.equal(call, `c:${String(number)}`, `${address}: ${code}`);
  }
  // A retry of a failure that was recorded is about the same call.
  errorOf(s.call("box/b refuse", undefined, from(1, { retry: true })));
  assert.equal(errorOf(s.call("box/b refuse", undefined, from(1, { retry: true }))).call, "c:1");
});

test("an error that is said of a call keeps all that it says", () => {
  const cause = new Error("inner");
  const error = new LatticeError("overloaded", "x", {
    indeterminate: true,
    retryAfterMs: 5,
    node: "a",
    function: "f",
    key: "k",
    data: 7,
    cause,
  });
  const named = ofCall(error, "c:1");
  assert.equal(named.call, "c:1");
  assert.equal(ofCall(named, "c:2"), named);
  const { call: _, ...rest } = named;
  const { call: __, ...before } = error;
  assert.deepEqual(rest, before);
  assert.deepEqual([named.message, named.cause, named.stack], ["x", cause, error.stack]);
});
