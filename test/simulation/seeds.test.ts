import assert from "node:assert/strict";
import { test } from "node:test";
import { runSeeds } from "../../scripts/simulation/run-seeds.ts";
import { Totals } from "../../scripts/simulation/totals.ts";

const seedCount = 302;
const countingMin = 300;

// In one process, beside those of other tests that wait for something.
test("hundreds of simulated clusters keep every invariant", { timeout: 600_000 }, async () => {
  const totals = new Totals();
  let last = 0;
  await runSeeds({
    workerCount: 1,
    next: () => (last < seedCount ? (last += 1) : undefined),
    ended: (outcome) => {
      totals.add(outcome);
      return false;
    },
  });
  const failures = totals.failed.map(({ seed, violations, problem }) => {
    const [first] = violations;
    const what = first === undefined ? (problem ?? "") : `${first.invariant} ${first.detail}`;
    return `seed ${seed}: ${what} (npm run simulate -- --seed ${seed} --transcript)`;
  });
  assert.deepEqual(failures, []);
  assert.ok(totals.countingCount >= countingMin, `only ${totals.countingCount} seeds count`);
  assert.deepEqual(totals.notExercised(), []);
});
