import assert from "node:assert/strict";
import { test } from "node:test";
import { hybridTicksPerMs } from "../../src/model/time.ts";
import { callersMax, callerSilenceMs, resultsPerCallerMax } from "../../src/state/dedupe.ts";
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
