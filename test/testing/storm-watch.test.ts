/** Controls of B3. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Violations } from "../../src/testing/simulation/invariants.ts";
import { StormWatch } from "../../src/testing/simulation/storm-watch.ts";

test("a busy cluster is no storm, one that never stops is", () => {
  const violations = new Violations();
  let now = 0;
  const watch = new StormWatch(() => now, violations);
  for (let frame = 0; frame < 200_000; frame += 1) {
    watch.frame();
    now += 0.15;
  }
  assert.deepEqual(violations.found, []);
  assert.throws(() => {
    for (let frame = 0; frame < 60_000; frame += 1) watch.frame();
  }, /10000 frames in \d+ ms/);
  assert.deepEqual(
    violations.found.map(({ invariant }) => invariant),
    ["B3"],
  );
});
