import assert from "node:assert/strict";
import { test } from "node:test";
import { RetryBudget, retryReserve } from "../../src/routing/retry-budget.ts";
import {
  errorCodeOf,
  isIndeterminate,
  maxAttemptsAtOnce,
  RetryPolicy,
  type AttemptEnd,
  type CallProgress,
} from "../../src/routing/retry-policy.ts";

const half = (): number => 0.5;
const policy = (): RetryPolicy => new RetryPolicy(half, new RetryBudget());

function call(overrides: Partial<CallProgress> = {}): CallProgress {
  return {
    isQuery: false,
    isProtected: true,
    whenSplit: "serve",
    isSole: false,
    mayHaveRun: false,
    degradedAllowed: false,
    wasOffered: false,
    keepsAge: false,
    attemptsAtOnce: 0,
    backOffs: 0,
    ...overrides,
  };
}

function end(code: AttemptEnd["code"], overrides: Partial<AttemptEnd> = {}): AttemptEnd {
  return {
    code,
    indeterminate: false,
    retryAfterMs: 0,
    othersLeft: true,
    remainingMs: 10_000,
    ...overrides,
  };
}

interface Case {
  readonly name: string;
  readonly call?: Partial<CallProgress>;
  readonly end: AttemptEnd;
  readonly expect: string;
  readonly mayHaveRun?: boolean;
}

const cases: readonly Case[] = [
  {
    name: "not sent: another owner",
    end: end("not_sent"),
    expect: "elsewhere",
  },
  {
    name: "not sent, unprotected: another owner",
    call: { isProtected: false },
    end: end("not_sent"),
    expect: "elsewhere",
  },
  {
    name: "not sent, nobody else: waits",
    end: end("not_sent", { othersLeft: false }),
    expect: "wait",
  },
  {
    name: "link lost, protected: another owner",
    end: end("link_lost"),
    expect: "elsewhere",
    mayHaveRun: true,
  },
  {
    name: "link lost, unprotected: over",
    call: { isProtected: false },
    end: end("link_lost"),
    expect: "settle",
    mayHaveRun: true,
  },
  {
    name: "link lost, query: another owner, nothing unknown",
    call: { isQuery: true, isProtected: false },
    end: end("link_lost"),
    expect: "elsewhere",
  },
  {
    name: "unavailable: another owner",
    end: end("unavailable"),
    expect: "elsewhere",
  },
  {
    name: "unavailable that may have run, unprotected: over",
    call: { isProtected: false },
    end: end("unavailable", { indeterminate: true }),
    expect: "settle",
    mayHaveRun: true,
  },
  {
    name: "unavailable that may have run, protected: another owner",
    end: end("unavailable", { indeterminate: true }),
    expect: "elsewhere",
    mayHaveRun: true,
  },
  {
    name: "not the owner: another one",
    end: end("not_owner"),
    expect: "elsewhere",
  },
  {
    name: "not the owner again and again: waits",
    call: { attemptsAtOnce: maxAttemptsAtOnce },
    end: end("not_owner"),
    expect: "wait",
  },
  { name: "aborted: waits", end: end("aborted"), expect: "wait" },
  {
    name: "aborted, nested: over, so that its turn lets go of what others wait for",
    call: { isSole: true },
    end: end("aborted"),
    expect: "settle",
  },
  {
    name: "overloaded: waits",
    end: end("overloaded", { retryAfterMs: 40 }),
    expect: "wait",
  },
  {
    name: "overloaded, nested: over, as if it were aborted",
    call: { isSole: true },
    end: end("overloaded", { retryAfterMs: 40 }),
    expect: "settle",
  },
  {
    name: "overloaded for longer than is left: over",
    end: end("overloaded", { retryAfterMs: 20_000 }),
    expect: "settle",
  },
  {
    name: "indeterminate, protected: waits",
    end: end("indeterminate", { indeterminate: true }),
    expect: "wait",
    mayHaveRun: true,
  },
  {
    name: "indeterminate, unprotected: over",
    call: { isProtected: false },
    end: end("indeterminate", { indeterminate: true }),
    expect: "settle",
    mayHaveRun: true,
  },
  {
    name: "unavailable with the deadline at hand: over",
    end: end("unavailable", { othersLeft: false, remainingMs: 1 }),
    expect: "settle",
  },
  {
    name: "degraded service offered: another owner first",
    end: end("degraded_offered"),
    expect: "elsewhere",
  },
  {
    name: "degraded service offered, nobody else: agrees",
    end: end("degraded_offered", { othersLeft: false }),
    expect: "agree",
  },
  {
    name: "degraded service offered to a call that refuses it: waits",
    call: { whenSplit: "refuse" },
    end: end("degraded_offered", { othersLeft: false }),
    expect: "wait",
  },
];

for (const code of [
  "invalid_argument",
  "not_found",
  "already_exists",
  "failed_precondition",
  "unauthenticated",
  "permission_denied",
  "deadline_exceeded",
  "cancelled",
  "too_large",
  "incompatible",
  "handler_error",
  "internal",
] as const) {
  test(`${code} ends the call`, () => {
    assert.deepEqual(policy().decide(call(), end(code)), { type: "settle" });
  });
}

for (const { name, call: overrides, end: how, expect, mayHaveRun } of cases) {
  test(name, () => {
    const progress = call(overrides);
    assert.equal(policy().decide(progress, how).type, expect);
    assert.equal(progress.mayHaveRun, mayHaveRun ?? false);
  });
}

test("consent to degraded service is given once and stays", () => {
  const progress = call();
  const offered = end("degraded_offered", { othersLeft: false });
  assert.equal(policy().decide(progress, offered).type, "agree");
  assert.equal(progress.degradedAllowed, true);
  assert.equal(policy().decide(progress, offered).type, "wait");
});

test("an offer of degraded service that comes again is taken even if others could be asked", () => {
  const progress = call();
  assert.equal(policy().decide(progress, end("degraded_offered")).type, "elsewhere");
  assert.equal(policy().decide(progress, end("unavailable", { othersLeft: false })).type, "wait");
  assert.equal(policy().decide(progress, end("degraded_offered")).type, "agree");
});

test("an aborted call keeps its age from then on", () => {
  const progress = call();
  policy().decide(progress, end("aborted"));
  assert.equal(progress.keepsAge, true);
});

test("waits grow from 10 ms to one second, with full jitter and after what the node asked for", () => {
  const progress = call();
  const delays: number[] = [];
  for (let i = 0; i < 9; i++) {
    const decision = policy().decide(
      progress,
      end("unavailable", { othersLeft: false, remainingMs: 1e6 }),
    );
    delays.push(decision.type === "wait" ? decision.delayMs : -1);
  }
  assert.deepEqual(delays, [5, 10, 20, 40, 80, 160, 320, 500, 500]);
  const asked = policy().decide(call(), end("overloaded", { retryAfterMs: 100 }));
  assert.deepEqual(asked, { type: "wait", delayMs: 105 });
});

test("after a wait owners may be asked at once again", () => {
  const progress = call({ attemptsAtOnce: maxAttemptsAtOnce });
  policy().decide(progress, end("unavailable"));
  assert.equal(policy().decide(progress, end("unavailable")).type, "elsewhere");
});

test("retries of overloaded calls stay within a tenth of all calls", () => {
  const budget = new RetryBudget();
  const limited = new RetryPolicy(half, budget);
  let retried = 0;
  for (let i = 0; i < 10_000; i++) {
    budget.earn();
    if (limited.decide(call(), end("overloaded")).type === "wait") retried++;
  }
  assert.ok(retried >= 990 && retried <= 1_000 + retryReserve, `${String(retried)} of 10,000`);
});

test("every failure after an attempt of unknown outcome is indeterminate, but for queries", () => {
  assert.equal(isIndeterminate(call(), false), false);
  assert.equal(isIndeterminate(call(), true), true);
  assert.equal(isIndeterminate(call({ mayHaveRun: true }), false), true);
  assert.equal(isIndeterminate(call({ isQuery: true, mayHaveRun: true }), true), false);
});

test("users meet unavailable where no node could be reached or only degraded service was left", () => {
  assert.equal(errorCodeOf("not_sent"), "unavailable");
  assert.equal(errorCodeOf("link_lost"), "unavailable");
  assert.equal(errorCodeOf("degraded_offered"), "unavailable");
  assert.equal(errorCodeOf("aborted"), "aborted");
});
