/**
 * How late Node runs callbacks. `monitorEventLoopDelay` records the time between two firings of its
 * own sampling timer, so that an idle process shows its resolution; that is subtracted here.
 */
import { monitorEventLoopDelay, type IntervalHistogram } from "node:perf_hooks";
import type { LoopDelay } from "../platform.ts";

const resolutionMs = 10;
const nanosecondsPerMs = 1e6;

export interface NodeLoopDelay extends LoopDelay {
  /** Stops sampling. */
  close(): void;
}

/**
 * Samples from the first question on: a client never asks, and a thousand of them in one process
 * would wake it a hundred thousand times a second.
 */
export function nodeLoopDelay(): NodeLoopDelay {
  let histogram: IntervalHistogram | undefined;
  return {
    takeP99() {
      if (histogram === undefined) {
        histogram = monitorEventLoopDelay({ resolution: resolutionMs });
        histogram.enable();
      }
      // Without a sample the percentile is 0, or NaN in some releases.
      const sampleMs = histogram.count > 0 ? histogram.percentile(99) / nanosecondsPerMs : 0;
      histogram.reset();
      return Math.max(0, sampleMs - resolutionMs);
    },
    close() {
      histogram?.disable();
    },
  };
}
