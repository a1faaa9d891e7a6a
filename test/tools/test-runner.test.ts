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
import { bundle } from "../../scripts/programs/bundle.ts";

const copy = mkdtempSync(path.join(tmpdir(), "latticework-runner-"));
after(() => rmSync(copy, { recursive: true, force: true }));
for (const item of ["package.json", "tsconfig.json", "scripts"]) {
  cpSync(path.join(repositoryRoot, item), path.join(copy, item), { recursive: true });
}
symlinkSync(path.join(repositoryRoot, "node_modules"), path.join(copy, "node_modules"));
mkdirSync(path.join(copy, "test/ring"), { recursive: true });

const good = 'test("one and one", () => assert.equal(1 + 1, 2));';
const failing = 'test("one and one", () => assert.equal(1 + 1, 3));';
const crashing = 'throw new Error("broken at import");';
/** Those in `ring/` share a process. */
const tests: Readonly<Record<string, string>> = {
  good,
  failing,
  crashing,
  empty: "",
  skipping: 'test("paints", { skip: "needs chromium: none here" }, () => assert.fail());',
  "ring/failing": failing,
  "ring/crashing": crashing,
  "ring/empty": "",
  // Its hook must hold for no other file of the process.
  "ring/hooked": `beforeEach(({ name }) => assert.equal(name, "own")); test("own", () => {});`,
  "ring/hooked-not": good,
  "ring/dying": 'test("dies", () => process.exit(0));',
  "ring/dying-before": good,
  "ring/hanging": 'test("waits", () => new Promise((resolve) => setTimeout(resolve, 1e9)));',
  "ring/hanging-before": good,
  "ring/hanging-not": good,
};
for (const [name, text] of Object.entries(tests)) {
  const imports =
    'import assert from "node:assert/strict";\nimport { beforeEach, test } from "node:test";\n';
  writeFileSync(path.join(copy, `test/${name}.test.ts`), `${imports}void assert;\n${text}\n`);
}

const [runner = ""] = await bundle(["scripts/test.ts"], copy);

function runTests(words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [runner, ...words], {
    cwd: copy,
    encoding: "utf8",
    env: { ...process.env, CI_REQUIRE: "", ...env },
  });
  return { status, output: stdout + stderr };
}

test("passes when the tests pass, and shows node's closing lines and the slowest files", () => {
  const { status, output } = runTests(["test/good", "hooked"]);
  assert.equal(status, 0, output);
  assert.match(output, /running 3 test files in 2 processes/);
  assert.match(output, /pass 3\n/);
  assert.match(output, /slowest files\n(?:.+\n)* +\d+\.\d s {2}test\/good\.test\.ts/);
  assert.match(output, /3 tests in 3 files, 0 skipped/);
});

test("fails when a test fails, a file crashes or a file holds no test", () => {
  const { status, output } = runTests(["failing", "crashing", "empty"]);
  assert.equal(status, 1, output);
  assert.match(output, /running 6 test files in 4 processes/);
  for (const folder of ["test", "test/ring"]) {
    assert.match(output, new RegExp(`test at ${folder}/failing\\.test\\.ts:`));
    assert.match(output, new RegExp(`✖ ${folder}/crashing\\.test\\.ts`));
    assert.match(output, new RegExp(`${folder}/empty\\.test\\.ts ran no test`));
  }
});

test("fails when a test ends its process, and names its file", () => {
  const { status, output } = runTests(["dying"]);
  assert.equal(status, 1, output);
  assert.match(output, /no end came of test\/ring\/dying\.test\.ts\n/);
});

test("ends a run that hangs, and names the file", () => {
  const { status, output } = runTests(["hanging"], { TEST_BUDGET_S: "3" });
  assert.equal(status, 1, output);
  assert.match(output, /the run hung/);
  assert.match(output, /no end came of test\/ring\/hanging\.test\.ts\n/);
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
