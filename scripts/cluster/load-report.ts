/**
 * What a node process costs its machine, as plain data: how late its event loop runs, and its memory.
 * It begins to measure with the first question, and each answer is about the time since the last one.
 */
import { monitorEventLoopDelay, type IntervalHistogram } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

export interface LoadReport {
  /** Of how late callbacks ran since the last report, in milliseconds. */
  readonly loopDelayP99Ms: number;
  readonly loopDelayMaxMs: number;
  /** User and system time since the last report, in milliseconds. */
  readonly cpuMs: number;
  /** Of the process, and the most it ever had. */
  readonly residentBytes: number;
  readonly residentPeakBytes: number;
  /** What is in use of heap and buffers, after a collection. */
  readonly liveBytes: number;
}

const resolutionMs = 10;
const nanosecondsPerMs = 1e6;

export class LoadMeter {
  #histogram: IntervalHistogram | undefined;
  #cpu = process.cpuUsage();

  /** Collects garbage, which takes its time: the loop delay of the report does not include that. */
  take(): LoadReport {
    const histogram = this.#histogram;
    const loopDelayP99Ms = lateness(histogram?.percentile(99));
    const loopDelayMaxMs = lateness(histogram?.max);
    const { user, system } = process.cpuUsage(this.#cpu);
    collectGarbage();
    const { rss, heapUsed, external } = process.memoryUsage();
    // Begun anew, so that the collection counts nowhere.
    histogram?.disable();
    this.#histogram = monitorEventLoopDelay({ resolution: resolutionMs });
    this.#histogram.enable();
    this.#cpu = process.cpuUsage();
    return {
      loopDelayP99Ms,
      loopDelayMaxMs,
      cpuMs: (user + system) / 1_000,
      residentBytes: rss,
      residentPeakBytes: process.resourceUsage().maxRSS * 1_024,
      liveBytes: heapUsed + external,
    };
  }
}

/** A sample is the time between two firings of a timer that fires every `resolutionMs`. */
function lateness(sampleNs = 0): number {
  return Math.max(0, sampleNs / nanosecondsPerMs - resolutionMs);
}

function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}
