import assert from "node:assert/strict";
import { test } from "node:test";
import { repositoryRoot } from "../../scripts/checks/source-files.ts";
import { bundle } from "../../scripts/programs/bundle.ts";
import { runSeeds } from "../../scripts/simulation/run-seeds.ts";
import { Totals } from "../../scripts/simulation/totals.ts";
import { runProgram } from "../support/run-program.ts";

const seedCount = 310;
const countingMin = 300;
/** Hash of the transcript of each seed, as the process of the seeds told it. */
const hashes = new Map<number, string>();

// In one process, beside those of other tests that wait for something.
test("hundreds of simulated clusters keep every invariant", { timeout: 600_000 }, async () => {
  const totals = new Totals();
  let last = 0;
  await runSeeds({
    workerCount: 1,
    next: () => (last < seedCount ? (last += 1) : undefined),
    ended: (outcome) => {
      totals.add(outcome);
      hashes.set(outcome.seed, outcome.report.hash);
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

test("a seed is replayed message by message in another process", async () => {
  const [script = ""] = await bundle(["scripts/simulate.ts"]);
  const options = { cwd: repositoryRoot, timeoutMs: 120_000 };
  const { code, output } = await runProgram(process.execPath, [script, "--seed", "10"], options);
  assert.equal(code, 0, output);
  assert.equal(/transcript ([0-9a-f]{16})/.exec(output)?.[1], hashes.get(10));
  assert.equal(new Set(hashes.values()).size, seedCount);
});
