// That the simulator catches one, by `npm run mutants`, is what the proof `mutants` says in the same run.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import { readMutant } from "../../scripts/mutation/apply-mutant.ts";

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
