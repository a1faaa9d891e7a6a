/** A bench of whole processes: what is measured beside what, under which loads. */
import type { Load } from "./load.ts";
import type { SubjectName } from "./subjects.ts";

export interface ClusterBench {
  readonly name: string;
  readonly title: string;
  /** Measured one right after the other in every repetition; the product first. */
  readonly subjects: readonly SubjectName[];
  /** Ratios are against these. */
  readonly references: readonly SubjectName[];
  readonly loads: readonly Load[];
  /** Those of the smoke size. */
  readonly smokeLoads: readonly Load[];
  /** What makes a run meaningless, if anything does. */
  check?(ratio: RatioOf): string | undefined;
}

/** The median ratio of the throughput of two subjects under a load; `undefined` when not measured. */
export type RatioOf = (
  subject: SubjectName,
  reference: SubjectName,
  load: Load,
) => number | undefined;

export function closed(concurrency: number): Load {
  return { type: "closed", concurrency };
}

export function open(callsPerS: number): Load {
  return { type: "open", callsPerS };
}
