import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeRun, type TestOutcome } from "../../scripts/testing/judge-run.ts";

const ringFile = "test/ring/table.test.ts";
const limits = { files: [ringFile], required: ["chromium"], budgetMs: 300_000 };

function fileOutcome(file: string, durationMs: number): TestOutcome {
  return { name: file, file, durationMs, isSuite: true, isFile: true };
}

function testOutcome(parts: Partial<TestOutcome> = {}): TestOutcome {
  const test = { name: "balances", file: ringFile, durationMs: 1 };
  return { ...test, isSuite: false, isFile: false, ...parts };
}

test("a run of passing tests within its budget has no problem", () => {
  const judgement = judgeRun([testOutcome(), fileOutcome(ringFile, 40)], 1000, limits);
  assert.deepEqual(judgement, {
    testCount: 1,
    slowest: [{ file: ringFile, durationMs: 40 }],
    skips: [],
    problems: [],
  });
});

test("a file that runs no test is a problem", () => {
  const { problems } = judgeRun([fileOutcome(ringFile, 40)], 1000, limits);
  assert.deepEqual(problems, [`${ringFile} ran no test`]);
  assert.deepEqual(judgeRun([], 1000, limits).problems, problems);
});

test("a test marked todo is a problem", () => {
  const { problems } = judgeRun([testOutcome({ todo: true })], 1000, limits);
  assert.match(problems.join(), /balances is marked todo/);
});

test("a skip without a reason is a problem, one with a reason is listed", () => {
  const silent = judgeRun([testOutcome({ skip: true })], 1000, limits);
  assert.match(silent.problems.join(), /skipped without a reason/);
  const explained = judgeRun([testOutcome({ skip: "needs netns: not root" })], 1000, limits);
  assert.deepEqual(explained.problems, []);
  assert.equal(explained.skips[0]?.reason, "needs netns: not root");
});

test("a skip for want of what CI_REQUIRE names is a problem", () => {
  const { problems } = judgeRun([testOutcome({ skip: "needs chromium: none" })], 1000, limits);
  assert.match(problems.join(), /which CI_REQUIRE forbids/);
});

test("a run over its budget is a problem, one at its budget is not", () => {
  assert.match(judgeRun([testOutcome()], 300_001, limits).problems.join(), /its budget is 300 s/);
  assert.deepEqual(judgeRun([testOutcome()], 300_000, limits).problems, []);
});

test("the ten slowest files come first", () => {
  const files = Array.from({ length: 12 }, (_, i) => fileOutcome(`${i}.test.ts`, i));
  const { slowest } = judgeRun(files, 1000, limits);
  assert.deepEqual(
    slowest.map(({ durationMs }) => durationMs),
    [11, 10, 9, 8, 7, 6, 5, 4, 3, 2],
  );
});
