/** Runs a micro bench: small pieces of the path of a call, measured by tinybench in this process. */
import { Bench } from "tinybench";

export interface MicroBench {
  readonly name: string;
  /** Adds its tasks; every task does one thing once. */
  add(bench: Bench): void;
}

export interface MicroResult {
  readonly bench: string;
  readonly task: string;
  /** Nanoseconds, median. */
  readonly nsPerOperation: number;
  readonly samples: number;
}

/** @throws what a task throws */
export async function runMicro(micro: MicroBench, timeMs: number): Promise<MicroResult[]> {
  const bench = new Bench({ time: timeMs, warmupTime: timeMs / 4, throws: true });
  micro.add(bench);
  await bench.run();
  return bench.tasks.map(({ name, result }) => {
    if (!("latency" in result)) throw new Error(`${micro.name}: ${name} did not run`);
    return {
      bench: micro.name,
      task: name,
      nsPerOperation: result.latency.p50 * 1e6,
      samples: result.latency.samplesCount,
    };
  });
}
