/**
 * What Node's runner lets pass and this project does not: a file without a test, a test marked
 * `todo` (it cannot fail), a skip whose cause `CI_REQUIRE` declares impossible, a run over budget.
 */
import path from "node:path";

/** One line of `record-reporter.mjs`. */
export interface TestOutcome {
  readonly name: string;
  readonly file?: string;
  readonly nesting: number;
  /** The reason, or `true` when none was given. */
  readonly skip?: string | boolean;
  readonly todo?: string | boolean;
  readonly durationMs: number;
  readonly isSuite: boolean;
}

export interface FileTime {
  readonly file: string;
  readonly durationMs: number;
}

export interface Skip {
  readonly test: string;
  readonly reason: string;
}

export interface RunJudgement {
  readonly testCount: number;
  /** Slowest first. */
  readonly slowest: readonly FileTime[];
  readonly skips: readonly Skip[];
  /** Sentences; the run has failed when there is one. */
  readonly problems: readonly string[];
}

export interface RunLimits {
  /** Needs that count as present: a test that is skipped for want of one has failed. */
  readonly required: readonly string[];
  readonly budgetMs: number;
}

const slowestCount = 10;
const noReason = "no reason given";

/** Judges the record of a whole run that took `totalMs`. */
export function judgeRun(
  outcomes: readonly TestOutcome[],
  totalMs: number,
  limits: RunLimits,
): RunJudgement {
  const files = outcomes.filter(isFile);
  const tests = outcomes.filter((outcome) => !isFile(outcome) && !outcome.isSuite);
  const skips = tests.filter(({ skip }) => skip !== undefined && skip !== false).map(toSkip);
  return {
    testCount: tests.length,
    slowest: files
      .map(({ name, durationMs }) => ({ file: shown(name), durationMs }))
      .sort((a, b) => b.durationMs - a.durationMs)
      .slice(0, slowestCount),
    skips,
    problems: [
      ...emptyFiles(files, tests),
      ...todos(tests),
      ...unexplained(skips),
      ...impossible(skips, limits.required),
      ...overBudget(totalMs, limits.budgetMs),
    ],
  };
}

/** Node's runner reports each file as a test that bears the file's path as its name. */
function isFile({ name, file, nesting }: TestOutcome): boolean {
  return nesting === 0 && file !== undefined && path.resolve(name) === path.resolve(file);
}

function toSkip({ name, file, skip }: TestOutcome): Skip {
  const place = file === undefined ? "" : `${shown(file)}: `;
  return { test: place + name, reason: typeof skip === "string" ? skip : noReason };
}

function shown(file: string): string {
  return path.relative(process.cwd(), path.resolve(file));
}

function emptyFiles(files: readonly TestOutcome[], tests: readonly TestOutcome[]): string[] {
  const withTests = new Set(tests.map(({ file }) => path.resolve(file ?? "")));
  return files
    .filter(({ name }) => !withTests.has(path.resolve(name)))
    .map(({ name }) => `${shown(name)} ran no test`);
}

function todos(tests: readonly TestOutcome[]): string[] {
  return tests
    .filter(({ todo }) => todo !== undefined && todo !== false)
    .map((test) => `${toSkip(test).test} is marked todo, so it cannot fail`);
}

function unexplained(skips: readonly Skip[]): string[] {
  return skips
    .filter(({ reason }) => reason === noReason)
    .map(({ test }) => `${test} is skipped without a reason`);
}

/** The reasons that `test/support/requires.ts` gives begin with `needs <name>:`. */
function impossible(skips: readonly Skip[], required: readonly string[]): string[] {
  return skips
    .filter(({ reason }) => required.some((need) => reason.startsWith(`needs ${need}:`)))
    .map(({ test, reason }) => `${test} was skipped (${reason}), which CI_REQUIRE forbids`);
}

function overBudget(totalMs: number, budgetMs: number): string[] {
  if (totalMs <= budgetMs) return [];
  const seconds = (ms: number) => (ms / 1000).toFixed(0);
  return [
    `the run took ${seconds(totalMs)} s and its budget is ${seconds(budgetMs)} s ` +
      "(TEST_BUDGET_S sets another one on a slow machine)",
  ];
}
