import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { majority } from "../../src/model/acks.ts";
import { assert as assertHolds, unreachable } from "../../src/model/assert.ts";
import { noEffects } from "../../src/model/effect-list.ts";
import { errorCodes, LatticeError } from "../../src/model/error.ts";
import { bootOf, entityName, nodeOf, processId, splitEntityName } from "../../src/model/ids.ts";
import { randomBelow } from "../../src/model/random.ts";
import { compareTerms, sameTerm } from "../../src/model/term.ts";
import { hybridTimeToMs, nextHybridTime } from "../../src/model/time.ts";
import { includesCommit } from "../../src/model/version-vector.ts";
import { forkWriter, isTermWriter, termWriter } from "../../src/model/writer.ts";

test("a majority is more than half", () => {
  assert.deepEqual([1, 2, 3, 4, 5].map(majority), [1, 2, 2, 3, 3]);
});

test("a failed assertion is an internal error, not a crash of another kind", () => {
  assertHolds(true, "fine");
  for (const fail of [
    () => {
      assertHolds(0, "broken");
    },
    () => unreachable("x" as never),
  ]) {
    assert.throws(
      fail,
      (error: unknown) => error instanceof LatticeError && error.code === "internal",
    );
  }
});

test("the shared empty effect list cannot be filled by mistake", () => {
  assert.throws(() => (noEffects as unknown as unknown[]).push(1), TypeError);
});

test("errors know whether a retry helps and whether the call may have run", () => {
  const retryable = errorCodes.filter((code) => new LatticeError(code, "x").retryable);
  assert.deepEqual(retryable, ["aborted", "overloaded", "unavailable", "not_owner"]);
  assert.equal(new LatticeError("indeterminate", "x").indeterminate, true);
  assert.equal(new LatticeError("deadline_exceeded", "x").indeterminate, false);
  const cause = new Error("inner");
  const error = new LatticeError("unavailable", "x", { indeterminate: true, node: "a", cause });
  assert.equal(error.indeterminate, true);
  assert.equal(error.node, "a");
  assert.equal(error.cause, cause);
  assert.ok(!("cause" in new LatticeError("aborted", "x")));
});

test("a process id splits into the node and boot it was made of", () => {
  fc.assert(
    fc.property(fc.string(), fc.maxSafeNat(), (node, boot) => {
      const process = processId(node, boot);
      assert.equal(nodeOf(process), node);
      assert.equal(bootOf(process), boot);
    }),
  );
});

test("an entity name splits at its first slash", () => {
  assert.deepEqual(splitEntityName(entityName("cart", "a/b/c")), {
    functionName: "cart",
    key: "a/b/c",
  });
});

test("terms are totally ordered, nothing first", () => {
  const terms = [
    undefined,
    { number: 1, process: "a#1" },
    { number: 1, process: "b#1" },
    { number: 2, process: "a#1" },
  ];
  for (const [i, a] of terms.entries()) {
    for (const [j, b] of terms.entries()) {
      assert.equal(Math.sign(compareTerms(a, b)), Math.sign(i - j));
      assert.equal(sameTerm(a, b), i === j);
    }
  }
});

test("hybrid time rises with every event and never lags the clock", () => {
  const clock = fc.array(fc.nat(5_000_000_000_000), { minLength: 1 });
  fc.assert(
    fc.property(clock, (readings) => {
      let last = 0;
      for (const reading of readings) {
        const next = nextHybridTime(last, reading + 0.7);
        assert.ok(next > last && hybridTimeToMs(next) >= reading && Number.isSafeInteger(next));
        last = next;
      }
    }),
  );
});

test("a version vector includes every commit up to its number", () => {
  const vector = new Map([[7, 3]]);
  assert.equal(includesCommit(vector, 7, 3), true);
  assert.equal(includesCommit(vector, 7, 4), false);
  assert.equal(includesCommit(vector, 8, 1), false);
});

test("random numbers stay in their ranges at both ends", () => {
  const almostOne = 1 - Number.EPSILON / 2;
  assert.equal(
    randomBelow(() => 0, 10),
    0,
  );
  assert.equal(
    randomBelow(() => almostOne, 10),
    9,
  );
});

test("a writer id says whether it is of a term or of a fork, and is never 0", () => {
  const draws = [0, 0.25, 0.5, 1 - Number.EPSILON / 2];
  const terms = draws.map((draw) => termWriter(() => draw));
  const forks = draws.map((draw) => forkWriter(() => draw));
  assert.deepEqual([terms[0], terms[3]], [2, Number.MAX_SAFE_INTEGER - 1]);
  assert.deepEqual([forks[0], forks[3]], [1, Number.MAX_SAFE_INTEGER]);
  assert.ok([...terms, ...forks].every((writer) => Number.isSafeInteger(writer)));
  assert.ok(terms.every(isTermWriter));
  assert.ok(!forks.some(isTermWriter));
});
