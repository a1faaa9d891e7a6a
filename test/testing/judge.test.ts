/** The judge's own controls: histories known to be good, and known to be bad in one way each. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { CallRecord, History } from "../../src/testing/simulation/history.ts";
import { Violations } from "../../src/testing/simulation/invariants.ts";
import { judge } from "../../src/testing/simulation/judge.ts";
import type { Look } from "../../src/testing/simulation/simulated-functions.ts";

const call: CallRecord = {
  id: "1",
  client: "client-1",
  functionName: "vault",
  key: "k",
  operation: "put",
  isProtected: true,
  acks: undefined,
  readFrom: undefined,
  session: undefined,
  targets: [],
  removes: "",
  timer: undefined,
  timeoutMs: 1_000,
  sentAt: 10,
  sentOrder: 1,
  answer: okAnswer(2, ["1"]),
};

function okAnswer(order: number, seen: readonly string[], degraded = false) {
  const how = { type: "ok", degraded, copies: 2, hops: 1, node: "n1" } as const;
  return { ...how, at: order * 10, order, seen };
}

function failedAnswer(indeterminate: boolean) {
  const how = { type: "failed", code: "unavailable", message: "" } as const;
  return { ...how, at: 20, order: 2, indeterminate };
}

function historyOf(calls: readonly CallRecord[], rest: Partial<History> = {}): History {
  const empty = { slateCalls: [], relays: [], shown: [], lossy: [], replicas: 3 };
  const none = { ...empty, wasDegraded: false, endCount: 1 };
  return { calls, ...none, handedOnAt: undefined, ...rest };
}

function looks(effects: Readonly<Record<string, number>>, rest: Partial<Look> = {}): Look {
  const count = Object.values(effects).reduce((sum, times) => sum + times, 0);
  return { effects, count, tags: [], high: 0, values: {}, latest: "", text: "", ...rest };
}

function verdict(history: History, entities: Readonly<Record<string, Look>>): string[] {
  const violations = new Violations();
  judge(history, new Map(Object.entries(entities)), violations);
  return violations.found.map(({ invariant }) => invariant);
}

test("a call that was answered and is there once is good", () => {
  assert.deepEqual(verdict(historyOf([call]), { "vault/k": looks({ 1: 1 }) }), []);
});

test("an acknowledged call that is gone is P1, and what its reply showed P5", () => {
  assert.deepEqual(verdict(historyOf([call]), { "vault/k": looks({}) }), ["P1", "P5"]);
});

test("what was acknowledged in a lossy time may be gone, but not what came after", () => {
  const lossy = [{ from: 0, until: 30 }];
  assert.deepEqual(verdict(historyOf([call], { lossy }), { "vault/k": looks({}) }), []);
  const later = { ...call, answer: okAnswer(9, ["1"]) };
  assert.deepEqual(verdict(historyOf([later], { lossy }), { "vault/k": looks({}) }), ["P1", "P5"]);
});

test("a call that is there twice is P2, unless its caller agreed to degraded service", () => {
  assert.deepEqual(verdict(historyOf([call]), { "vault/k": looks({ 1: 2 }) }), ["P2"]);
  const agreed: CallRecord = { ...call, functionName: "ledger", answer: okAnswer(2, ["1"], true) };
  const history = historyOf([agreed], { wasDegraded: true });
  assert.deepEqual(verdict(history, { "ledger/k": looks({ 1: 2 }) }), []);
  const firm: CallRecord = { ...call, functionName: "ledger" };
  const other = historyOf([firm], { wasDegraded: true });
  assert.deepEqual(verdict(other, { "ledger/k": looks({ 1: 2 }) }), ["P2"]);
});

test("a call that was answered as not run and is there is P6; an unknown one may be", () => {
  const refused = { ...call, answer: failedAnswer(false) };
  assert.deepEqual(verdict(historyOf([refused]), { "vault/k": looks({ 1: 1 }) }), ["P6"]);
  const unknown = { ...call, answer: failedAnswer(true) };
  assert.deepEqual(verdict(historyOf([unknown]), { "vault/k": looks({ 1: 1 }) }), []);
  assert.deepEqual(verdict(historyOf([unknown]), { "vault/k": looks({}) }), []);
});

test("what a watcher was shown and is gone is P5", () => {
  const shown = [{ functionName: "vault", key: "k", at: 5, ids: ["1", "2"] }] as const;
  const state = { "vault/k": looks({ 1: 1 }) };
  assert.deepEqual(verdict(historyOf([call], { shown }), state), ["P5"]);
});

test("a register that shows what was answered before a later write was sent is C10", () => {
  const later: CallRecord = { ...call, id: "2", sentAt: 1_500, answer: okAnswer(160, ["1", "2"]) };
  const state = (latest: string) => ({ "vault/k": looks({ 1: 1, 2: 1 }, { latest }) });
  assert.deepEqual(verdict(historyOf([call, later]), state("1")), ["C10"]);
  assert.deepEqual(verdict(historyOf([call, later]), state("2")), []);
  // Too close for clocks to tell.
  const close = { ...later, sentAt: 900 };
  assert.deepEqual(verdict(historyOf([call, close]), state("1")), []);
});

test("a counter that differs from its calls is C2", () => {
  const state = { "vault/k": looks({ 1: 1 }, { count: 2 }) };
  assert.deepEqual(verdict(historyOf([call]), state), ["C2"]);
});

test("a sent call that is missing or doubled is C3", () => {
  const sender: CallRecord = { ...call, operation: "send", targets: [["vault", "t"]] };
  const from = looks({ 1: 1 });
  const judged = (times: number): string[] =>
    verdict(historyOf([sender]), { "vault/k": from, "vault/t": looks({ "1>0": times }) });
  assert.deepEqual(judged(1), []);
  assert.deepEqual(judged(2), ["C3"]);
  assert.deepEqual(verdict(historyOf([sender]), { "vault/k": from }), ["C3"]);
});

test("a timer that is missing or doubled, or fires though it was cancelled, is C13", () => {
  const timer = { name: "", inMs: 5, every: 0, times: 0 };
  const arm: CallRecord = { ...call, operation: "arm", timer };
  const judged = (effects: Readonly<Record<string, number>>, of = arm): string[] =>
    verdict(historyOf([of]), { "vault/k": looks({ 1: 1, ...effects }) });
  assert.deepEqual(judged({ "1!": 1 }), []);
  assert.deepEqual(judged({ "1~": 1 }), []);
  assert.deepEqual(judged({}), ["C13"]);
  assert.deepEqual(judged({ "1!": 2 }), ["C13"]);
  assert.deepEqual(judged({ "1!": 1, "1~": 1 }), ["C13"]);
  assert.deepEqual(judged({ "1~": 2 }), ["C13"]);
  const often = { ...arm, timer: { ...timer, every: 1_000, times: 2 } };
  assert.deepEqual(judged({ "1!1000": 1, "1!2000": 1 }, often), []);
  assert.deepEqual(judged({ "1!1000": 1, "1~": 1 }, often), []);
  assert.deepEqual(judged({ "1!1000": 1 }, often), ["C13"]);
  assert.deepEqual(judged({ "1!1000": 2 }, often), ["C13"]);
  assert.deepEqual(judged({ "1!1000": 1, "1!2000": 1, "1!3000": 1 }, often), ["C13"]);
});

test("an inner call that is missing or doubled is C4", () => {
  const asker: CallRecord = { ...call, operation: "ask", targets: [["vault", "t"]] };
  const judged = (times: number): string[] =>
    verdict(historyOf([asker]), {
      "vault/k": looks({ 1: 1 }),
      "vault/t": looks({ "1?": times }),
    });
  assert.deepEqual(judged(1), []);
  assert.deepEqual(judged(0), ["C4"]);
  assert.deepEqual(judged(2), ["C4"]);
});

test("a call that misses what was acknowledged before it was sent is C5", () => {
  const second: CallRecord = { ...call, id: "2", sentOrder: 3, answer: okAnswer(4, ["2"]) };
  const state = { "vault/k": looks({ 1: 1, 2: 1 }) };
  assert.deepEqual(verdict(historyOf([call, second]), state), ["C5"]);
  const concurrent = { ...second, sentOrder: 1 };
  assert.deepEqual(verdict(historyOf([call, concurrent]), state), []);
});

test("a removed element that is there is C6", () => {
  const tag: CallRecord = { ...call, operation: "tag" };
  const untag: CallRecord = {
    ...call,
    id: "2",
    operation: "untag",
    removes: "1",
    sentOrder: 3,
    answer: okAnswer(4, ["1", "2"]),
  };
  const state = (tags: readonly string[]) => ({ "vault/k": looks({ 1: 1, 2: 1 }, { tags }) });
  assert.deepEqual(verdict(historyOf([tag, untag]), state(["1"])), ["C6"]);
  assert.deepEqual(verdict(historyOf([tag, untag]), state([])), []);
});

const mark: CallRecord = { ...call, id: "s1", functionName: "slate", operation: "mark" };
const wipe: CallRecord = {
  ...mark,
  id: "s2",
  operation: "wipe",
  sentOrder: 3,
  answer: okAnswer(4, []),
};

function slateVerdict(slateCalls: readonly CallRecord[], tags: readonly string[]): string[] {
  return verdict(historyOf([], { slateCalls }), { "slate/k": looks({}, { tags }) });
}

test("what is deleted and comes back is C11, and what was marked afterwards and is gone is C12", () => {
  const later = { ...mark, id: "s3", sentOrder: 5, answer: okAnswer(6, []) };
  assert.deepEqual(slateVerdict([mark, wipe, later], ["s3"]), []);
  assert.deepEqual(slateVerdict([mark, wipe, later], ["s1", "s3"]), ["C11"]);
  assert.deepEqual(slateVerdict([mark, wipe, later], []), ["C12"]);
});

test("a delete that may have run before or after a mark says nothing of it", () => {
  for (const unsure of [failedAnswer(true), undefined, { ...okAnswer(9, []) }]) {
    const beside = { ...wipe, sentOrder: 1.5, answer: unsure };
    assert.deepEqual(slateVerdict([mark, beside], []), []);
    assert.deepEqual(slateVerdict([mark, beside], ["s1"]), []);
  }
  const degraded = { ...wipe, answer: okAnswer(4, [], true) };
  assert.deepEqual(slateVerdict([mark, degraded], ["s1"]), []);
});

test("a relay is judged by what it asked for: once, and at least once when it was answered", () => {
  const relayed = (answer: "ok" | "failed" | undefined, count: number, rest = {}): string[] => {
    const relays = [{ id: "r1", target: ["vault", "k"], answer } as const];
    return verdict(historyOf([], { relays, ...rest }), {
      "vault/k": looks(count === 0 ? {} : { "r1?": count }),
    });
  };
  assert.deepEqual(relayed("ok", 1), []);
  assert.deepEqual(relayed("failed", 0), []);
  assert.deepEqual(relayed("failed", 1), []);
  assert.deepEqual(relayed("ok", 0), ["C18"]);
  assert.deepEqual(relayed("ok", 0, { lossy: [{ from: 0, until: 1 }] }), []);
  assert.deepEqual(relayed("failed", 2), ["C18"]);
  assert.deepEqual(relayed(undefined, 0), ["C7"]);
});
