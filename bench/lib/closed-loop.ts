/** The closed loop of `load.ts`. One reading of the clock per call: an answer is the next start. */
import { KeyDraw } from "./key-draw.ts";
import type { Latencies } from "./latencies.ts";
import type { ClosedLoad, LoadResult, Timing } from "./load.ts";
import type { Caller } from "./subject.ts";

export async function closedLoop(
  caller: Caller,
  load: ClosedLoad,
  { warmUpMs, measureMs }: Timing,
  latencies: Latencies,
): Promise<LoadResult> {
  const keys = new KeyDraw();
  latencies.clear();
  const begunAt = performance.now();
  const recordFrom = begunAt + warmUpMs;
  const endAt = recordFrom + measureMs;
  let callsInAll = 0;

  const work = async (): Promise<void> => {
    let startedAt = performance.now();
    while (startedAt < endAt) {
      await caller.call(keys.next());
      const now = performance.now();
      callsInAll++;
      if (now >= recordFrom && now < endAt) latencies.record(now - startedAt);
      startedAt = now;
    }
  };
  await Promise.all(Array.from({ length: load.concurrency }, work));
  const callsPerS = (latencies.count / measureMs) * 1_000;
  return { callsPerS, callsInAll, ...latencies.summary() };
}
