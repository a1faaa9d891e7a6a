/**
 * `npm test` itself: in a small copy of the repository whose tests fail, hide or are missing, the
 * run must fail and say why. Node's runner alone reports success for most of these.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { repositoryRoot } from "../../scripts/checks/source-files.ts";

const copy = mkdtempSync(path.join(tmpdir(), "latticework-runner-"));
after(() => rmSync(copy, { recursive: true, force: true }));
for (const item of ["package.json", "tsconfig.json", "scripts"]) {
  cpSync(path.join(repositoryRoot, item), path.join(copy, item), { recursive: true });
}
symlinkSync(path.join(repositoryRoot, "node_modules"), path.join(copy, "node_modules"));
mkdirSync(path.join(copy, "test"));

const tests: Readonly<Record<string, string>> = {
  good: 'test("one and one", () => assert.equal(1 + 1, 2));',
  failing: 'test("one and one", () => assert.equal(1 + 1, 3));',
  crashing: 'throw new Error("broken at import");',
  empty: "",
  skipping: 'test("paints", { skip: "needs chromium: none here" }, () => assert.fail());',
};
for (const [name, text] of Object.entries(tests)) {
  const imports = 'import assert from "node:assert/strict";\nimport { test } from "node:test";\n';
  writeFileSync(path.join(copy, `test/${name}.test.ts`), `${imports}void assert;\n${text}\n`);
}

function runTests(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const script = path.join(copy, "scripts/test.ts");
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--import", "tsx", script, ...words],
    { cwd: copy, encoding: "utf8", env: { ...process.env, CI_REQUIRE: "", ...env } },
  );
  return { status, output: stdout + stderr };
}

test("passes when the tests pass, and shows node's closing lines and the slowest files", () => {
  const { status, output } = runTests(["good"]);
  assert.equal(status, 0, output);
  assert.match(output, /pass 1\n/);
  assert.match(output, /slowest files\n +\d+\.\d s {2}test\/good\.test\.ts/);
  assert.match(output, /1 tests in 1 files, 0 skipped/);
});

test("fails when a test fails, a file crashes or a file holds no test", () => {
  const { status, output } = runTests(["failing", "crashing", "empty"]);
  assert.equal(status, 1, output);
  assert.match(output, /fail 2\n/);
  assert.match(output, /test\/empty\.test\.ts ran no test/);
});

test("fails when a filter matches nothing", () => {
  const { status, output } = runTests(["no-such-room"]);
  assert.equal(status, 1);
  assert.match(output, /no test file's path contains "no-such-room"/);
});

test("lists a skip with its reason, and fails on it when CI_REQUIRE forbids it", () => {
  const lenient = runTests(["skipping"]);
  assert.equal(lenient.status, 0, lenient.output);
  assert.match(lenient.output, /skipped: test\/skipping\.test\.ts: paints \(needs chromium: none/);
  const severe = runTests(["skipping"], { CI_REQUIRE: "chromium" });
  assert.equal(severe.status, 1);
  assert.match(severe.output, /which CI_REQUIRE forbids/);
});

test("fails on a need that it does not know and on a run over its budget", () => {
  assert.match(runTests(["good"], { CI_REQUIRE: "chrmium" }).output, /it knows chromium, netns/);
  // No machine starts a process in that; one of today's runs a test file in a third of a second.
  const late = runTests(["good"], { TEST_BUDGET_S: "0.01" });
  assert.equal(late.status, 1, late.output);
  assert.match(late.output, /budget/);
});
