/**
 * Runs one cluster bench: all subjects are up for the whole run and take turns, load by load, in
 * every repetition. So whatever else the machine does hits all of them, and a ratio within one
 * repetition means something where a rate alone does not.
 */
import type { ClusterBench } from "./cluster-bench.ts";
import { Fleet, type Measurement } from "./fleet.ts";
import type { Load } from "./load.ts";
import type { SubjectName } from "./subjects.ts";

export interface Cell {
  readonly subject: SubjectName;
  readonly load: Load;
  /** One per repetition, in order. */
  readonly measurements: readonly Measurement[];
}

export interface MeasureOptions {
  readonly loads: readonly Load[];
  readonly repetitions: number;
  /** Of each measurement, without its warm-up. */
  readonly measureMs: number;
  readonly profileFolder: string | undefined;
  /** Called before every measurement. */
  readonly progress: (subject: SubjectName, load: Load) => void;
}

/** Until code is compiled and buffers have their size, before anything counts. */
const firstWarmUpMs = 3_000;
/** Runs shorter than this, as the tests make them, warm up for as long as they measure. */
const shortMs = 500;
const warmUpLoad: Load = { type: "closed", concurrency: 64 };
/** What a measurement warms up with, as a share of its time: others ran in between. */
const warmUpShare = 0.2;

export async function measure(bench: ClusterBench, options: MeasureOptions): Promise<Cell[]> {
  const { loads, repetitions, measureMs, profileFolder, progress } = options;
  const fleets = new Map<SubjectName, Fleet>();
  try {
    for (const subject of bench.subjects) {
      fleets.set(subject, await Fleet.start(subject, profileFolder));
    }
    for (const fleet of fleets.values()) {
      await fleet.run(warmUpLoad, {
        warmUpMs: 0,
        measureMs: measureMs < shortMs ? measureMs : firstWarmUpMs,
      });
    }
    const timing = { warmUpMs: measureMs * warmUpShare, measureMs };
    const cells = loads.flatMap((load) =>
      bench.subjects.map((subject) => ({ subject, load, measurements: [] as Measurement[] })),
    );
    for (let repetition = 0; repetition < repetitions; repetition++) {
      for (const { subject, load, measurements } of cells) {
        progress(subject, load);
        measurements.push(await fleets.get(subject)!.run(load, timing));
      }
    }
    return cells;
  } finally {
    for (const fleet of fleets.values()) await fleet.end();
  }
}
