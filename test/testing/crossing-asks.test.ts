/** Controls of L2: calls that ask each other, answered and not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeCrossingAsk } from "../../src/testing/simulation/crossing-asks.ts";
import type { Answer, CallRecord } from "../../src/testing/simulation/history.ts";
import { Violations } from "../../src/testing/simulation/invariants.ts";

const call: CallRecord = {
  id: "c1",
  client: "client-1",
  functionName: "vault",
  key: "a",
  operation: "ask",
  isProtected: true,
  acks: undefined,
  readFrom: undefined,
  session: undefined,
  targets: [["vault", "b"]],
  removes: "",
  timer: undefined,
  timeoutMs: 10_000,
  sentAt: 5,
  sentOrder: 1,
  answer: undefined,
};

function verdict(answer: Answer | undefined) {
  const violations = new Violations();
  judgeCrossingAsk({ ...call, answer }, violations);
  return violations.found.map(({ invariant, detail }) => `${invariant} ${detail}`);
}

test("a call that asks others and is answered is good", () => {
  const how = {
    type: "ok",
    degraded: false,
    copies: 2,
    hops: 1,
    node: "n1",
    seen: ["c1"],
  } as const;
  assert.deepEqual(verdict({ ...how, at: 30, order: 2 }), []);
});

test("one that waited for its deadline, or gave up before, is L2", () => {
  const name = "L2 call c1 of vault/a, which asks others, was answered";
  for (const code of ["deadline_exceeded", "aborted"] as const) {
    const how = { type: "failed", code, indeterminate: false, message: "no" } as const;
    assert.deepEqual(verdict({ ...how, at: 10_005, order: 2 }), [
      `${name} ${code}: no after 10000 ms`,
    ]);
  }
  assert.deepEqual(verdict(undefined), [`${name} not at all`]);
});
