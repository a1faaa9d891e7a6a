/**
 * `npm run simulate` runs whole clusters on virtual time, one per seed, on all cores; with `--seed N`
 * it runs one and tells what happened.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { invariants } from "../src/testing/simulation/invariants.ts";
import { Progress } from "./cluster/progress.ts";
import { runSeeds } from "./simulation/run-seeds.ts";
import type { SeedOutcome } from "./simulation/seed-outcome.ts";
import { Totals } from "./simulation/totals.ts";

const seedsDefault = 300;
const exits = { holds: 0, fails: 1, usage: 2 } as const;

const usage = `Usage: npm run simulate -- [options]

Runs whole clusters on a virtual clock and a simulated network, hurts them as the seed says, and
judges what is left by named invariants. At the end it prints what was exercised.

  --seeds N       so many seeds (default ${String(seedsDefault)})
  --from S        beginning with this one (default 1)
  --workers W     processes at once (default: one per core)
  --seed N        this seed alone: what happened in it, and why it failed
  --transcript    with --seed: every message
  --help          this text

Examples:
  npm run simulate -- --seeds 2000
  npm run simulate -- --seeds 500 --from 3000
  npm run simulate -- --seed 42 --transcript > transcript.txt

Exit codes: 0 no violation, 1 an invariant failed or something was hardly exercised, 2 usage
`;
/** Lines of the transcript that are shown for a failure without --transcript. */
const failureLines = 40;

process.exitCode = await main();

async function main(): Promise<number> {
  let options: Options | "help";
  try {
    options = readOptions();
  } catch (error) {
    console.error(`✖ ${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return exits.usage;
  }
  if (options === "help") {
    process.stdout.write(usage);
    return exits.holds;
  }
  return options.seed === undefined ? runMany(options) : runOne(options.seed, options.transcript);
}

interface Options {
  readonly seed: number | undefined;
  readonly seeds: number;
  readonly from: number;
  readonly workers: number;
  readonly transcript: boolean;
}

/** @throws Error that says what is wrong with the arguments */
function readOptions(): Options | "help" {
  const { values } = parseArgs({
    options: {
      seed: { type: "string" },
      seeds: { type: "string", default: String(seedsDefault) },
      from: { type: "string", default: "1" },
      workers: { type: "string", default: String(availableParallelism()) },
      transcript: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  return {
    seed: values.seed === undefined ? undefined : count("--seed", values.seed),
    seeds: count("--seeds", values.seeds),
    from: count("--from", values.from),
    workers: count("--workers", values.workers),
    transcript: values.transcript,
  };
}

function count(option: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new Error(`${option} takes a whole number from 1, not ${text}`);
}

async function runMany({ seeds, from, workers }: Options): Promise<number> {
  const totals = new Totals();
  const progress = new Progress("seeds", seeds);
  const startedAt = performance.now();
  let last = from - 1;
  console.log(`simulating seeds ${from} to ${from + seeds - 1} in ${workers} processes`);
  await runSeeds({
    workerCount: Math.min(workers, seeds),
    next: () => (last < from + seeds - 1 ? (last += 1) : undefined),
    ended: (outcome) => {
      totals.add(outcome);
      // At once, because a long run may be ended before it tells.
      if (totals.failed.at(-1) === outcome) console.log(`\n${failureLine(outcome)}`);
      progress.update(totals.seedCount, `${totals.failed.length} failed`);
      return false;
    },
  });
  progress.end();
  for (const outcome of totals.failed.sort((a, b) => a.seed - b.seed)) printFailure(outcome);
  for (const line of totals.lines()) console.log(line);
  const rare = totals.notExercised();
  if (rare.length > 0) console.error(`not exercised: ${rare.join(", ")}`);
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(`${(seeds / seconds).toFixed(1)} seeds per second`);
  const failed = totals.failed.map(({ seed }) => seed);
  console.log(failed.length === 0 ? "no violation" : `failed seeds: ${failed.join(" ")}`);
  return failed.length === 0 && rare.length === 0 ? exits.holds : exits.fails;
}

async function runOne(seed: number, transcript: boolean): Promise<number> {
  let result: SeedOutcome | undefined;
  let isAsked = false;
  await runSeeds({
    workerCount: 1,
    isReadable: true,
    next: () => {
      if (isAsked) return undefined;
      isAsked = true;
      return seed;
    },
    ended: (outcome) => {
      result = outcome;
      return true;
    },
  });
  if (result === undefined) return exits.fails;
  const { report, violations, problem } = result;
  const isBad = violations.length > 0 || problem !== undefined;
  const lines = transcript ? result.transcript : isBad ? result.events.slice(-failureLines) : [];
  for (const line of lines) console.log(line);
  console.log(JSON.stringify(report, undefined, 2));
  console.log(`seed ${seed} transcript ${report.hash}`);
  if (isBad) printFailure(result);
  else console.log("no violation");
  return isBad ? exits.fails : exits.holds;
}

function failureLine({ seed, violations, problem }: SeedOutcome): string {
  const names = [...new Set(violations.map(({ invariant }) => invariant))];
  const what = problem === undefined ? names.join(" ") : "an exception";
  return `  seed ${seed} failed: ${what}`;
}

function printFailure({ seed, violations, problem }: SeedOutcome): void {
  console.error(
    `\nseed ${seed} failed; replay with: npm run simulate -- --seed ${seed} --transcript`,
  );
  for (const { invariant, detail } of violations.slice(0, 6)) {
    console.error(`  ${invariant}: ${invariants[invariant]}\n      ${detail}`);
  }
  if (violations.length > 6) console.error(`  and ${violations.length - 6} more`);
  if (problem !== undefined) console.error(`  not an invariant: ${problem}`);
}
