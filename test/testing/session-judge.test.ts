/** Controls of C14 to C17: histories of sessions known to be good, and bad in one way each. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CallRecord, History } from "../../src/testing/simulation/history.ts";
import { Violations } from "../../src/testing/simulation/invariants.ts";
import { judgeSessions } from "../../src/testing/simulation/session-judge.ts";

let lastId = 0;

/** Sent just before it is answered, which is the `order`-th thing that happens. */
function call(order: number, seen: readonly string[], rest: Partial<CallRecord> = {}): CallRecord {
  lastId += 1;
  const how = { type: "ok", degraded: false, copies: 2, hops: 1, node: "n1" } as const;
  return {
    id: `c${String(lastId)}`,
    client: "session-first",
    functionName: "vault",
    key: "k",
    operation: "seen",
    isProtected: true,
    acks: undefined,
    readFrom: "any",
    session: "first",
    targets: [],
    removes: "",
    timer: undefined,
    timeoutMs: 1_000,
    sentAt: order,
    sentOrder: order - 0.5,
    answer: { ...how, at: order, order, seen },
    ...rest,
  };
}

const put = (order: number, id: string, rest: Partial<CallRecord> = {}): CallRecord =>
  call(order, [id], { id, operation: "put", readFrom: undefined, ...rest });

function verdict(calls: readonly CallRecord[], rest: Partial<History> = {}): string[] {
  const violations = new Violations();
  const empty = { slateCalls: [], relays: [], shown: [], lossy: [], replicas: 3 };
  const none = { ...empty, wasDegraded: false, endCount: 1 };
  judgeSessions({ calls, ...none, handedOnAt: undefined, ...rest }, violations);
  return violations.found.map(({ invariant }) => invariant);
}

test("a session that sees what it wrote and was shown is good", () => {
  assert.deepEqual(verdict([put(1, "a"), call(2, ["a", "b"]), call(3, ["b", "a"])]), []);
});

test("a session that misses its own write is C14, and what it was shown C15", () => {
  assert.deepEqual(verdict([put(1, "a"), call(2, [])]), ["C14", "C15"]);
  assert.deepEqual(verdict([call(1, ["x"]), call(2, [])]), ["C15"]);
  assert.deepEqual(verdict([put(1, "a"), call(2, [], { key: "other" })]), [], "another key");
  assert.deepEqual(verdict([call(2, []), put(1, "a", { acks: 1 })]), [], "not promised");
  const degraded = call(2, ["a"]);
  degraded.answer = { ...degraded.answer!, degraded: true } as typeof degraded.answer;
  assert.deepEqual(verdict([put(1, "a"), degraded]), ["C14"]);
});

test("what was under way when a read was sent need not show", () => {
  const early = call(2, [], { sentOrder: 0.5 });
  assert.deepEqual(verdict([put(1, "a"), early]), []);
});

test("a session that goes on with a token sees what the first had seen by then, and no more", () => {
  const second = { session: "second", client: "session-second" } as const;
  const both = call(3, ["a", "b"], { id: "b", operation: "put", readFrom: undefined });
  const calls = [put(1, "a"), both, call(5, ["a"], second)];
  assert.deepEqual(verdict(calls, { handedOnAt: 2 }), []);
  assert.deepEqual(verdict(calls, { handedOnAt: 4 }), ["C14", "C15"]);
});

test("a linearizable read that misses anybody's answered call is C16", () => {
  const others = put(1, "a", { session: undefined, client: "client-1" });
  const exact = { readFrom: "linearizable", session: undefined } as const;
  assert.deepEqual(verdict([others, call(2, ["a"], exact)]), []);
  assert.deepEqual(verdict([others, call(2, [], exact)]), ["C16"]);
  assert.deepEqual(verdict([others, call(2, [], { session: undefined })]), [], "any may be old");
});

test("a read of a majority of the owners that misses anybody's answered call is C17", () => {
  const others = put(1, "a", { session: undefined, client: "client-1" });
  const of = (readFrom: 2 | 3): Partial<CallRecord> => ({ readFrom, session: undefined });
  assert.deepEqual(verdict([others, call(2, ["a"], of(2))]), []);
  assert.deepEqual(verdict([others, call(2, [], of(2))]), ["C17"]);
  assert.deepEqual(verdict([others, call(2, [], of(2))], { replicas: 5 }), [], "two of five");
  assert.deepEqual(verdict([others, call(2, [], of(3))], { replicas: 5 }), ["C17"]);
});

test("where a majority was lost nothing is held against sessions", () => {
  const lossy = [{ from: 0, until: 1 }];
  assert.deepEqual(verdict([put(1, "a"), call(2, [])], { lossy }), []);
});
