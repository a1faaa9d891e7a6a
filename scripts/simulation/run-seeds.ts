/** Runs seeds in several processes, in any order, and tells of each as it ends. */
import { fork, type ChildProcess } from "node:child_process";
import { repositoryRoot } from "../checks/source-files.ts";
import { bundle } from "../programs/bundle.ts";
import type { SeedOutcome, SeedRequest } from "./seed-outcome.ts";

export interface RunSeedsOptions {
  /** Asked for the next one until it gives none. */
  next(): number | undefined;
  readonly workerCount: number;
  readonly isReadable?: boolean;
  /** Of another tree: that of a mutant. @default this tree's */
  readonly root?: string;
  /** A process that tells nothing for so long hangs. @default 120,000 */
  readonly hangMs?: number;
  /** Return true to stop early. */
  ended(outcome: SeedOutcome): boolean;
}

/** A process that was to end for a reason of its own: it died, or it hangs. */
export class SeedProcessError extends Error {}

const program = "scripts/simulation/seed-worker.ts";
const hangMsDefault = 120_000;
/** Time is counted in ticks, so that none passes for it while this program is itself stopped. */
const tickMs = 1_000;

/** Resolves when all are done. @throws SeedProcessError that names the seed */
export async function runSeeds(options: RunSeedsOptions): Promise<void> {
  const run = { isStopped: false };
  const [script = ""] = await bundle([program], options.root ?? repositoryRoot);
  const workers = Array.from({ length: options.workerCount }, () =>
    runWorker(script, options, run),
  );
  const ends = await Promise.allSettled(workers);
  for (const end of ends) if (end.status === "rejected") throw end.reason;
}

function runWorker(
  script: string,
  options: RunSeedsOptions,
  run: { isStopped: boolean },
): Promise<void> {
  const { hangMs = hangMsDefault } = options;
  const worker = fork(script, { execArgv: ["--enable-source-maps"] });
  return new Promise((resolve, reject) => {
    let seed: number | undefined;
    let hang: NodeJS.Timeout | undefined;
    let problem: string | undefined;
    const end = (why?: string): void => {
      clearInterval(hang);
      problem ??= why;
      run.isStopped ||= why !== undefined;
      stop(worker);
    };
    const goOn = (): void => {
      clearInterval(hang);
      seed = run.isStopped ? undefined : options.next();
      if (seed === undefined) {
        end();
        return;
      }
      const request: SeedRequest = { seed, isReadable: options.isReadable ?? false };
      worker.send(request);
      let ticks = 0;
      hang = setInterval(() => {
        if (++ticks * tickMs >= hangMs) end(`has not ended in ${hangMs} ms`);
      }, tickMs);
    };
    worker.on("message", (outcome: SeedOutcome) => {
      run.isStopped ||= options.ended(outcome);
      goOn();
    });
    worker.once("error", (error) => {
      end(error.message);
    });
    worker.once("exit", (code, signal) => {
      clearInterval(hang);
      if (seed === undefined && problem === undefined) resolve();
      else {
        run.isStopped = true;
        const why = problem ?? `its process ended with ${signal ?? `code ${String(code)}`}`;
        reject(new SeedProcessError(`seed ${seed ?? "?"}: ${why}`));
      }
    });
    goOn();
  });
}

/** It has nothing to lose. */
function stop(worker: ChildProcess): void {
  worker.kill("SIGKILL");
}
