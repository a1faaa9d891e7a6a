/**
 * `npm run simulate -- --seeds N [--from S]` runs whole clusters on virtual time, one per seed, on
 * all cores; `--seed N` runs one and tells what happened, with `--transcript` message by message.
 * Ends with 1 when an invariant fails, or when a fault or mechanism was hardly met.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { invariants } from "../src/testing/simulation/invariants.ts";
import { Progress } from "./cluster/progress.ts";
import { runSeeds } from "./simulation/run-seeds.ts";
import type { SeedOutcome } from "./simulation/seed-outcome.ts";
import { Totals } from "./simulation/totals.ts";

const usage = `usage: npm run simulate -- [--seeds N] [--from S] [--workers W]
       npm run simulate -- --seed N [--transcript]`;
const seedsDefault = 300;
/** Lines of the transcript that are shown for a failure without --transcript. */
const failureLines = 40;

process.exitCode = await main();

async function main(): Promise<number> {
  const options = readOptions();
  if (options === undefined) {
    console.error(usage);
    return 2;
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

function readOptions(): Options | undefined {
  try {
    const { values } = parseArgs({
      options: {
        seed: { type: "string" },
        seeds: { type: "string" },
        from: { type: "string" },
        workers: { type: "string" },
        transcript: { type: "boolean" },
      },
    });
    const seed = values.seed === undefined ? undefined : Number(values.seed);
    const options = {
      seed,
      seeds: Number(values.seeds ?? seedsDefault),
      from: Number(values.from ?? 1),
      workers: Number(values.workers ?? availableParallelism()),
      transcript: values.transcript ?? false,
    };
    const numbers = [options.seeds, options.from, options.workers, seed ?? 1];
    if (numbers.every((number) => Number.isSafeInteger(number) && number >= 1)) return options;
    console.error("every number must be an integer from 1");
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
  }
  return undefined;
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
  return failed.length === 0 && rare.length === 0 ? 0 : 1;
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
  if (result === undefined) return 1;
  const { report, violations, problem } = result;
  const isBad = violations.length > 0 || problem !== undefined;
  const lines = transcript ? result.transcript : isBad ? result.events.slice(-failureLines) : [];
  for (const line of lines) console.log(line);
  console.log(JSON.stringify(report, undefined, 2));
  console.log(`seed ${seed} transcript ${report.hash}`);
  if (isBad) printFailure(result);
  else console.log("no violation");
  return isBad ? 1 : 0;
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
