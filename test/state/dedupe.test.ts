import assert from "node:assert/strict";
import { test } from "node:test";
import { hybridTicksPerMs } from "../../src/model/time.ts";
import { callersMax, callerSilenceMs, resultsPerCallerMax } from "../../src/state/dedupe.ts";
import { firstAsker, nextAsker } from "../../src/state/caller-family.ts";
import { Draft } from "../../src/state/draft.ts";
import { Entity } from "../../src/state/entity.ts";
import { callDigest } from "../../src/state/outcome.ts";
import type { Outcome } from "../../src/state/outcome.ts";

const none: Outcome = { type: "ok", value: new Uint8Array(0) };

interface Call {
  readonly caller?: string;
  readonly number: number;
  readonly received?: number;
  readonly outcome?: Outcome;
  readonly writer?: number;
  readonly at?: number;
}

function record(entity: Entity, call: Call): void {
  const { caller = "c", number, received = 1, outcome = none, writer = 1, at = 1 } = call;
  const draft = new Draft({ entity, shape: {}, writer, hybridTime: at });
  draft.recordResult({ caller, number, received, digest: number * 7, outcome });
  entity.apply(draft.finish()!);
}

test("a call that was recorded is answered with its outcome, also on another owner", () => {
  const entity = Entity.create("f/k");
  const outcome: Outcome = {
    type: "failed",
    code: "failed_precondition",
    message: "out of stock",
    data: Uint8Array.of(1, 2),
  };
  record(entity, { number: 3, outcome });
  const other = Entity.decode("f/k", entity.encode());
  assert.deepEqual(other.dedupe.lookup("c", 3, 1), { type: "hit", outcome, digest: 21 });
  assert.deepEqual(other.dedupe.lookup("c", 4, 1), { type: "new" });
  assert.deepEqual(other.dedupe.lookup("d", 3, 1), { type: "new" });
});

test("a call whose answer its caller has is forgotten and does not run again", () => {
  const entity = Entity.create("f/k");
  record(entity, { number: 3 });
  record(entity, { number: 5, received: 5 });
  assert.equal(entity.dedupe.lookup("c", 3, 1).type, "forgotten");
  assert.equal(entity.dedupe.lookup("c", 4, 1).type, "forgotten");
  assert.equal(entity.dedupe.lookup("c", 5, 1).type, "hit");
  assert.equal(entity.dedupe.records().length, 1);
});

test("what a caller has received does not fall when an older call comes late", () => {
  const entity = Entity.create("f/k");
  record(entity, { number: 9, received: 8 });
  record(entity, { number: 8, received: 2 });
  assert.equal(entity.dedupe.lookup("c", 7, 2).type, "forgotten");
});

test("calls of an outbox keep one record: the highest number applied", () => {
  const entity = Entity.create("f/k");
  for (const number of [1_024, 2_048, 2_049]) record(entity, { number, received: number });
  assert.equal(entity.dedupe.records().length, 1);
  assert.equal(entity.dedupe.lookup("c", 2_048, 0).type, "forgotten");
  assert.equal(entity.dedupe.lookup("c", 2_049, 0).type, "hit");
  assert.equal(entity.dedupe.lookup("c", 3_072, 0).type, "new");
});

test("a full table refuses and forgets nothing", () => {
  const entity = Entity.create("f/k");
  for (let number = 1; number <= resultsPerCallerMax; number += 1) record(entity, { number });
  const refused = { code: "overloaded", retryable: true };
  assert.equal(entity.dedupe.hasRoom("c", 1, 1), false);
  assert.throws(() => record(entity, { number: 999 }), refused);
  assert.equal(entity.dedupe.lookup("c", 1, 1).type, "hit");
  assert.equal(entity.dedupe.hasRoom("c", 2, 1), true);
  record(entity, { number: 999, received: 2 });
  const big: Outcome = { type: "ok", value: new Uint8Array(64 * 1024) };
  assert.throws(() => record(entity, { caller: "d", number: 1, outcome: big }), refused);
});

test("a table full of callers refuses another until one has been silent for long", () => {
  const entity = Entity.create("f/k");
  for (let caller = 0; caller < callersMax; caller += 1) {
    record(entity, { caller: `c${String(caller)}`, number: 1, received: 1 });
  }
  assert.equal(entity.dedupe.callerCount, callersMax);
  assert.throws(() => record(entity, { caller: "one more", number: 1 }), { code: "overloaded" });
  const later = (callerSilenceMs + 1) * hybridTicksPerMs;
  assert.equal(entity.dedupe.hasRoom("one more", 1, later), true);
  const backup = entity.clone();
  const draft = new Draft({ entity, shape: {}, writer: 2, hybridTime: later });
  const call = { caller: "one more", number: 1, received: 1, digest: 1, outcome: none };
  draft.recordResult(call);
  const commit = draft.finish()!;
  for (const copy of [entity, backup]) {
    copy.apply(commit);
    assert.deepEqual(
      copy.dedupe.records().map((each) => each.caller),
      ["one more"],
    );
  }
  assert.equal(entity.contentHash(), backup.contentHash());
});

test("a caller that says goodbye is dropped", () => {
  const entity = Entity.create("f/k");
  record(entity, { number: 1 });
  const draft = new Draft({ entity, shape: {}, writer: 2, hybridTime: 5 });
  draft.forgetCaller("c");
  entity.apply(draft.finish()!);
  assert.equal(entity.dedupe.callerCount, 0);
  assert.equal(entity.dedupe.bytes, 0);
});

test("of a family the highest received counts for all, and drops what it settles", () => {
  const family = firstAsker("client", "f/a");
  const [one, other] = [nextAsker(family, 1, "f/b"), nextAsker(family, 1, "f/c")];
  const entity = Entity.create("f/k");
  record(entity, { caller: one, number: 1_025, received: 1_024 });
  record(entity, { caller: family, number: 1_026, received: 1_024 });
  record(entity, { caller: "client", number: 1, received: 1 });
  assert.equal(entity.dedupe.callerCount, 3);
  assert.equal(entity.dedupe.lookup(one, 1_025, 1_024).type, "hit");

  // All before call 3 of the client are settled, on whichever way they came here.
  record(entity, { caller: other, number: 3_073, received: 3_072 });
  const copy = Entity.decode("f/k", entity.encode());
  for (const { dedupe } of [entity, copy]) {
    const callers = dedupe.records().map(({ caller }) => caller);
    assert.deepEqual(callers.sort(), ["client", other]);
    assert.equal(dedupe.lookup(one, 1_025, 1_024).type, "forgotten");
    assert.equal(dedupe.lookup(nextAsker(family, 9, "f/z"), 2_049, 1_024).type, "forgotten");
    assert.equal(dedupe.lookup(one, 3_073, 1_024).type, "new");
    assert.equal(dedupe.lookup("client", 1, 1).type, "hit");
    assert.equal(dedupe.lookup(firstAsker("client", "f/other"), 1_025, 1_024).type, "new");
  }
});

test("a lone record of a family settles late calls of the others too", () => {
  const family = firstAsker("client", "f/a");
  const entity = Entity.create("f/k");
  record(entity, { caller: family, number: 2_049, received: 2_048 });
  assert.equal(entity.dedupe.lookup(nextAsker(family, 1, "f/b"), 1_025, 1_024).type, "forgotten");
  record(entity, { caller: nextAsker(family, 1, "f/b"), number: 3_073, received: 3_072 });
  assert.deepEqual(
    entity.dedupe.records().map(({ number }) => number),
    [3_073],
  );
});

test("an entity that one client reaches on ever new ways keeps what is not settled, and no more", () => {
  const family = firstAsker("client", "f/a");
  const entity = Entity.create("f/k");
  const inFlight = 20;
  for (let call = 1; call <= 2 * callersMax; call++) {
    const received = 1_024 * Math.max(1, call - inFlight);
    const caller = nextAsker(family, 1, `f/${String(call)}`);
    assert.ok(entity.dedupe.hasRoom(caller, received, call));
    record(entity, { caller, number: 1_024 * call + 1, received, at: call });
    assert.ok(entity.dedupe.callerCount <= inFlight + 1);
  }
  // A call that settles much at once has room, however full the table is.
  const full = Entity.create("f/k");
  for (let call = 1; call <= callersMax; call++) {
    const caller = nextAsker(family, 1, `f/${"x".repeat(90)}${String(call)}`);
    if (!full.dedupe.hasRoom(caller, 1_024, call)) break;
    record(full, { caller, number: 1_024 * call + 1, received: 1_024, at: call });
  }
  const next = nextAsker(family, 2, "f/next");
  assert.equal(full.dedupe.hasRoom(nextAsker(family, 2, "f/next".repeat(20)), 1_024, 2_000), false);
  assert.equal(full.dedupe.hasRoom(next, 1_024 * 2_000, 2_000), true);
  record(full, { caller: next, number: 1_024 * 2_000 + 1, received: 1_024 * 2_000, at: 2_000 });
  assert.equal(full.dedupe.callerCount, 1);
});

test("the table outlives a delete of the entity", () => {
  const entity = Entity.create("f/k");
  record(entity, { number: 1 });
  const draft = new Draft({ entity, shape: {}, writer: 1, hybridTime: 5 });
  draft.delete();
  draft.recordResult({ caller: "c", number: 2, received: 1, digest: 1, outcome: none });
  entity.apply(draft.finish()!);
  assert.ok(entity.dead);
  assert.equal(entity.dedupe.lookup("c", 1, 1).type, "hit");
  assert.equal(entity.dedupe.lookup("c", 2, 1).type, "hit");
  record(entity, { number: 3 });
  assert.ok(entity.dead, "recording a result does not revive it");
});

test("a call that ran on both sides of a fork is answered the same everywhere", () => {
  const left = Entity.create("f/k");
  const right = Entity.create("f/k");
  const outcome = (byte: number): Outcome => ({ type: "ok", value: Uint8Array.of(byte) });
  record(left, { number: 1, writer: 1, at: 20, outcome: outcome(1) });
  record(right, { number: 1, writer: 2, at: 10, outcome: outcome(2) });
  left.merge(right);
  right.merge(left);
  for (const side of [left, right]) {
    assert.deepEqual(side.dedupe.lookup("c", 1, 1), {
      type: "hit",
      outcome: outcome(2),
      digest: 7,
    });
  }
});

test("the digest of a call tells operations and inputs apart", () => {
  const digests = [
    callDigest("add", Uint8Array.of(1)),
    callDigest("add", Uint8Array.of(2)),
    callDigest("sub", Uint8Array.of(1)),
    callDigest("add", Uint8Array.of()),
  ];
  assert.equal(new Set(digests).size, digests.length);
  assert.ok(digests.every(Number.isSafeInteger));
  assert.equal(callDigest("add", Uint8Array.of(1)), digests[0]);
});

test("a writer whose id is a sequence of another one is told apart from it", () => {
  const entity = Entity.create("f/k");
  record(entity, { number: 1, writer: 6 });
  record(entity, { number: 2, writer: 6 });
  record(entity, { number: 3, writer: 2 });
  assert.deepEqual(entity.dedupe.seenOf("c", 8), [6, 2, 2, 1]);
  record(entity, { number: 4, writer: 8 });
  assert.equal(entity.dedupe.records().length, 4);
});
