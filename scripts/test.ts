/**
 * Runs the tests: `npm test`, or `npm test -- ring codec` for the files whose path contains one of
 * the words. Node's own runner does the work. For each process, of one test file or of several that
 * share it, it gets a small file that imports them; and the run is judged by what it overlooks.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { repositoryRoot } from "./checks/source-files.ts";
import { judgeRun, type RunJudgement, type TestOutcome } from "./testing/judge-run.ts";
import { listTestFiles } from "./testing/list-test-files.ts";
import { planProcesses } from "./testing/plan-processes.ts";
import { notesVariable } from "./testing/run-test-files.ts";
import { unendedFiles, writeEntries, type Entry } from "./testing/write-entries.ts";

const defaultBudgetS = 300;
/** Beyond budget × this the run hangs, and is ended. */
const hangFactor = 2;
/** What the runner gets to end its children before it is killed itself. */
const graceMs = 10_000;
const hung = "the run hung: it was ended at twice its budget";
const knownNeeds = ["chromium", "netns"];

const words = process.argv.slice(2);
const budgetMs = Number(process.env["TEST_BUDGET_S"] ?? defaultBudgetS) * 1000;
const required = (process.env["CI_REQUIRE"] ?? "").split(",").filter((need) => need !== "");
const files = listTestFiles(repositoryRoot, words);
const problem = inputProblem();

if (problem === undefined) process.exitCode = await runAll();
else {
  console.error(problem);
  process.exitCode = 1;
}

function inputProblem(): string | undefined {
  if (files.length === 0) {
    return words.length === 0
      ? "there is no test: test/ holds no *.test.ts"
      : `no test file's path contains ${words.map((word) => `"${word}"`).join(" or ")}`;
  }
  if (!(budgetMs > 0)) return "TEST_BUDGET_S must be a number of seconds above 0";
  const unknown = required.filter((need) => !knownNeeds.includes(need));
  if (unknown.length === 0) return undefined;
  return `CI_REQUIRE names ${unknown.join(", ")}; it knows ${knownNeeds.join(", ")}`;
}

/** Returns the exit code. */
async function runAll(): Promise<number> {
  const folder = mkdtempSync(path.join(tmpdir(), "latticework-test-"));
  const record = path.join(folder, "record.jsonl");
  const entries = await writeEntries(folder, planProcesses(files));
  console.log(`running ${files.length} test files in ${entries.length} processes`);
  const startedAt = performance.now();
  try {
    const failure = await runNode(entries, record, folder);
    const totalMs = performance.now() - startedAt;
    // Node's runner does not write the end of its record when it is ended.
    const due = failure === hung ? [] : files;
    const judgement = judgeRun(readRecord(record), totalMs, { files: due, required, budgetMs });
    const unended = unendedFiles(entries).map((file) => `no end came of ${file}`);
    const problems = [failure ?? [], unended, judgement.problems].flat();
    print({ ...judgement, problems });
    return problems.length === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Resolves with a sentence when node's runner has not ended with 0. */
function runNode(
  entries: readonly Entry[],
  record: string,
  notes: string,
): Promise<string | undefined> {
  const reporter = pathToFileURL(path.join(import.meta.dirname, "testing/record-reporter.mjs"));
  const args = [
    ...["--enable-source-maps", "--test", "--test-concurrency=3"],
    ...["--test-reporter=spec", "--test-reporter-destination=stdout"],
    ...[`--test-reporter=${reporter.href}`, `--test-reporter-destination=${record}`],
    ...entries.map((entry) => entry.path),
  ];
  // A runner that is itself started by a test must not take itself for a part of that run.
  const { NODE_TEST_CONTEXT: _context, ...others } = process.env;
  const env = { ...others, [notesVariable]: notes };
  const child = spawn(process.execPath, args, { cwd: repositoryRoot, stdio: "inherit", env });
  let failure: string | undefined;
  const hang = setTimeout(() => {
    failure = hung;
    child.kill("SIGTERM");
    setTimeout(() => child.kill("SIGKILL"), graceMs).unref();
  }, budgetMs * hangFactor);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => child.kill(signal));
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      clearTimeout(hang);
      if (code === 0) resolve(undefined);
      else resolve(failure ?? `node's test runner ended with ${signal ?? `code ${String(code)}`}`);
    });
  });
}

/** Empty when the runner was ended before it wrote anything. */
function readRecord(record: string): TestOutcome[] {
  if (!existsSync(record)) return [];
  return readFileSync(record, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as TestOutcome);
}

function print({ slowest, skips, problems, testCount }: RunJudgement): void {
  console.log("\nslowest files");
  for (const { file, durationMs } of slowest) {
    console.log(`  ${(durationMs / 1000).toFixed(1).padStart(6)} s  ${file}`);
  }
  console.log(`\n${testCount} tests in ${files.length} files, ${skips.length} skipped`);
  for (const { test, reason } of skips) console.log(`  skipped: ${test} (${reason})`);
  for (const sentence of problems) console.error(`✖ ${sentence}`);
}
