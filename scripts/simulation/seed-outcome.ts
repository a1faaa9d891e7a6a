import type { Violation } from "../../src/testing/simulation/invariants.ts";
import type { RunReport } from "../../src/testing/simulation/run-report.ts";

/** What a worker is asked. */
export interface SeedRequest {
  readonly seed: number;
  readonly isReadable: boolean;
}

/** What it answers. */
export interface SeedOutcome {
  readonly seed: number;
  readonly report: RunReport;
  readonly violations: readonly Violation[];
  /** What went wrong that is no named invariant. */
  readonly problem: string | undefined;
  readonly events: readonly string[];
  readonly transcript: readonly string[];
  readonly cpuMs: number;
}
