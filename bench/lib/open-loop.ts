/** The open loop of `load.ts`. Calls that are due are made at every turn of the event loop. */
import { setImmediate as turn } from "node:timers/promises";
import { KeyDraw } from "./key-draw.ts";
import type { Latencies } from "./latencies.ts";
import type { LoadResult, OpenLoad, Timing } from "./load.ts";
import type { Caller } from "./subject.ts";

/** More than this under way: the subject cannot keep up, and to go on would only fill memory. */
const underWayMax = 50_000;

export async function openLoop(
  caller: Caller,
  load: OpenLoad,
  { warmUpMs, measureMs }: Timing,
  latencies: Latencies,
): Promise<LoadResult> {
  const keys = new KeyDraw();
  latencies.clear();
  const msPerCall = 1_000 / load.callsPerS;
  const begunAt = performance.now();
  const recordFrom = begunAt + warmUpMs;
  const endAt = recordFrom + measureMs;
  const failures: unknown[] = [];
  let made = 0;
  let answered = 0;
  let recordedInTime = 0;

  const answer = (dueAt: number): void => {
    answered++;
    if (dueAt < recordFrom) return;
    const now = performance.now();
    latencies.record(now - dueAt);
    if (now < endAt) recordedInTime++;
  };
  const fail = (error: unknown): void => {
    answered++;
    failures.push(error);
  };
  for (let dueAt = begunAt; dueAt < endAt && failures.length === 0;) {
    const now = performance.now();
    for (; dueAt <= now && dueAt < endAt; dueAt = begunAt + made * msPerCall) {
      const due = dueAt;
      made++;
      caller.call(keys.next()).then(() => {
        answer(due);
      }, fail);
    }
    if (made - answered > underWayMax) {
      throw new Error(`${String(load.callsPerS)} calls/s are more than it can answer`);
    }
    await turn();
  }
  while (answered < made) await turn();
  if (failures.length > 0) throw failures[0];
  const callsPerS = (recordedInTime / measureMs) * 1_000;
  return { callsPerS, callsInAll: made, ...latencies.summary() };
}
