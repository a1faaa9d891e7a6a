import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { readMutant } from "../../scripts/mutation/apply-mutant.ts";
import { hunt } from "../../scripts/mutation/hunt.ts";
import { plantMutant } from "../../scripts/mutation/mutant-tree.ts";

const root = path.join(import.meta.dirname, "../..");
const folder = path.join(root, "scripts/mutants");
const files = readdirSync(folder).map((file) => path.join(folder, file));

test("every mutant applies to the source as it is", () => {
  assert.ok(files.length >= 12);
  for (const { name, hunks } of files.map(readMutant)) {
    for (const { file, before } of hunks) {
      const pieces = readFileSync(path.join(root, file), "utf8").split(before);
      assert.equal(
        pieces.length,
        2,
        `${name}: ${file} has ${pieces.length - 1} places like\n${before}`,
      );
    }
  }
});

for (const name of ["answer-before-replicating", "deposed-primary-says-not-run"]) {
  test(`the simulator catches ${name}`, { timeout: 240_000 }, async () => {
    using tree = plantMutant(readMutant(path.join(folder, `${name}.patch`)));
    const caught = await hunt({
      from: 1,
      seedsMax: 60,
      workerCount: availableParallelism(),
      workerFile: tree.workerFile,
      progress: () => undefined,
    });
    assert.match(caught?.invariant ?? "none", /^[MPCLB]\d$/);
  });
}
