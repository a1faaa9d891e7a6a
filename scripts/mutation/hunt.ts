/**
 * Runs seeds on a mutant until a named invariant fails. An exception, a hang or an assertion does
 * not count: a mistake in production would not be so kind as to announce itself. Neither does a
 * seed on which the unchanged source fails alike.
 */
import type { InvariantName } from "../../src/testing/simulation/invariants.ts";
import { runSeeds, SeedProcessError } from "../simulation/run-seeds.ts";
import type { SeedOutcome } from "../simulation/seed-outcome.ts";

export interface Catch {
  readonly seed: number;
  readonly invariant: InvariantName;
  readonly detail: string;
  /** Seeds that were run until then. */
  readonly seedCount: number;
}

export interface Hunt {
  readonly from: number;
  readonly seedsMax: number;
  readonly workerCount: number;
  /** Of the tree with the mistake. */
  readonly root: string;
  /** Told now and then. */
  progress(seedCount: number): void;
}

/** `undefined` when the mutant survived. */
export async function hunt(options: Hunt): Promise<Catch | undefined> {
  const run: { next: number; count: number; caught: SeedOutcome[] } = {
    next: options.from,
    count: 0,
    caught: [],
  };
  while (run.count < options.seedsMax) {
    run.caught = [];
    await runSome(options, run);
    // The lowest of those that ended together, so that a second hunt finds the same.
    run.caught.sort((a, b) => a.seed - b.seed);
    for (const outcome of run.caught) {
      const found = await confirm(outcome, options.from);
      if (found !== undefined) return found;
    }
    if (run.next - options.from >= options.seedsMax) return undefined;
  }
  return undefined;
}

async function runSome(
  options: Hunt,
  run: { next: number; count: number; caught: SeedOutcome[] },
): Promise<void> {
  const end = options.from + options.seedsMax;
  try {
    await runSeeds({
      workerCount: options.workerCount,
      root: options.root,
      hangMs: 60_000,
      next: () => (run.next < end ? run.next++ : undefined),
      ended: (outcome) => {
        run.count += 1;
        options.progress(run.count);
        if (outcome.violations.length > 0) run.caught.push(outcome);
        return outcome.violations.length > 0;
      },
    });
  } catch (error) {
    // A process that dies or hangs proves nothing: go on behind it.
    if (!(error instanceof SeedProcessError)) throw error;
  }
}

/** Whether the unchanged source keeps what the mutant broke on this seed. */
async function confirm(caught: SeedOutcome, from: number): Promise<Catch | undefined> {
  let own: SeedOutcome | undefined;
  let isAsked = false;
  await runSeeds({
    workerCount: 1,
    next: () => {
      if (isAsked) return undefined;
      isAsked = true;
      return caught.seed;
    },
    ended: (outcome) => {
      own = outcome;
      return true;
    },
  });
  const broken = new Set(own?.violations.map(({ invariant }) => invariant));
  const first = caught.violations.find(({ invariant }) => !broken.has(invariant));
  return first && { ...first, seed: caught.seed, seedCount: caught.seed - from + 1 };
}
