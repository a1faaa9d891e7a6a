/**
 * Latencies of one measurement. While calls run, a time is one store into a preallocated array;
 * the histogram (HdrHistogram, three significant digits) is made afterwards.
 */
import { build } from "hdr-histogram-js";

export interface LatencySummary {
  /** Microseconds. */
  readonly p50Us: number;
  readonly p90Us: number;
  readonly p99Us: number;
  readonly p999Us: number;
  readonly maxUs: number;
}

/** Beyond it every further one is still counted, but in no percentile. */
const samplesMax = 4_000_000;
/** A histogram holds integers: tenths of a microsecond. */
const unitsPerMs = 10_000;
const unitsPerUs = 10;
const highestMs = 60_000;

export class Latencies {
  /** Written once, so that no page of it is new while it is recorded. */
  readonly #samplesMs = new Float64Array(samplesMax).fill(0);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  record(ms: number): void {
    if (this.#count < samplesMax) this.#samplesMs[this.#count] = ms;
    this.#count++;
  }

  clear(): void {
    this.#count = 0;
  }

  summary(): LatencySummary {
    const histogram = build({
      lowestDiscernibleValue: 1,
      highestTrackableValue: highestMs * unitsPerMs,
      numberOfSignificantValueDigits: 3,
    });
    const kept = Math.min(this.#count, samplesMax);
    for (let index = 0; index < kept; index++) {
      const units = Math.round(this.#samplesMs[index]! * unitsPerMs);
      histogram.recordValue(Math.min(Math.max(1, units), highestMs * unitsPerMs));
    }
    const at = (percentile: number): number =>
      histogram.getValueAtPercentile(percentile) / unitsPerUs;
    return {
      p50Us: at(50),
      p90Us: at(90),
      p99Us: at(99),
      p999Us: at(99.9),
      maxUs: histogram.maxValue / unitsPerUs,
    };
  }
}
