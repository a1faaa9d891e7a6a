/** Runs seeds one by one for `run-seeds.ts`, in a process of its own. */
import { simulate } from "../../src/testing/simulation/simulation.ts";
import type { SeedOutcome, SeedRequest } from "./seed-outcome.ts";

/** Rejections that nobody handles belong to the seed that runs. */
const rejections: string[] = [];
process.on("unhandledRejection", (reason) => {
  rejections.push(reason instanceof Error ? (reason.stack ?? reason.message) : String(reason));
});

process.on("message", (request: SeedRequest) => {
  void runSeed(request).then((outcome) => {
    process.send?.(outcome);
  });
});

async function runSeed({ seed, isReadable }: SeedRequest): Promise<SeedOutcome> {
  const before = process.cpuUsage();
  const { report, violations, problem, events, transcript } = await simulate(seed, { isReadable });
  const { user, system } = process.cpuUsage(before);
  const unhandled = rejections.splice(0).map((text) => ({
    invariant: "B2" as const,
    detail: `a rejection that nobody handled: ${text}`,
  }));
  return {
    seed,
    report,
    violations: [...violations, ...unhandled],
    problem,
    events,
    transcript,
    cpuMs: (user + system) / 1000,
  };
}
