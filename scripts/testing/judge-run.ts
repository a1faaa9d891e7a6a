/**
 * What Node's runner lets pass and this project does not: a file without a test, a test marked
 * `todo` (it cannot fail), a skip whose cause `CI_REQUIRE` declares impossible, a run over budget.
 */
/** One line of `record-reporter.mjs`. */
export interface TestOutcome {
  readonly name: string;
  /** Its path from the root. */
  readonly file: string;
  /** The reason, or `true` when none was given. */
  readonly skip?: string | boolean;
  readonly todo?: string | boolean;
  readonly durationMs: number;
  readonly isSuite: boolean;
  /** The suite that stands for a whole file. */
  readonly isFile: boolean;
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
  /** All that had to run. */
  readonly files: readonly string[];
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
  const tests = outcomes.filter(({ isSuite }) => !isSuite);
  const skips = tests.filter(({ skip }) => skip !== undefined && skip !== false).map(toSkip);
  return {
    testCount: tests.length,
    slowest: outcomes
      .filter(({ isFile }) => isFile)
      .map(({ file, durationMs }) => ({ file, durationMs }))
      .sort((a, b) => b.durationMs - a.durationMs)
      .slice(0, slowestCount),
    skips,
    problems: [
      ...emptyFiles(limits.files, tests),
      ...todos(tests),
      ...unexplained(skips),
      ...impossible(skips, limits.required),
      ...overBudget(totalMs, limits.budgetMs),
    ],
  };
}

function toSkip({ name, file, skip }: TestOutcome): Skip {
  return { test: `${file}: ${name}`, reason: typeof skip === "string" ? skip : noReason };
}

function emptyFiles(files: readonly string[], tests: readonly TestOutcome[]): string[] {
  const withTests = new Set(tests.map(({ file }) => file));
  return files.filter((file) => !withTests.has(file)).map((file) => `${file} ran no test`);
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
