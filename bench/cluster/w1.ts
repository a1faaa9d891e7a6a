/**
 * W1: increment one of 10,000 counters and get its new value; one node, `acks: 1`, the client as it
 * ships. Beside it the floor (an echo of one message per call) and the ceiling (batches and nothing
 * else). A ceiling that is near the floor was not reached, and says nothing.
 */
import { closed, open, type ClusterBench } from "../lib/cluster-bench.ts";

/** A batched reference below so many echoes is no reference. */
const ceilingMin = 4;
const saturating = closed(256);

export const w1: ClusterBench = {
  name: "w1",
  title: "W1: increment a counter by key, 1 node, acks: 1",
  subjects: ["latticework", "batched-counter", "raw-echo"],
  references: ["batched-counter", "raw-echo"],
  loads: [closed(1), closed(64), saturating, open(10_000)],
  smokeLoads: [closed(1), saturating],
  check(ratioOf) {
    const ratio = ratioOf("batched-counter", "raw-echo", saturating);
    if (ratio === undefined || ratio >= ceilingMin) return undefined;
    return (
      `the batched reference is ${ratio.toFixed(2)} × the raw echo at c = 256, ` +
      `below ${String(ceilingMin)}: something else used the processors`
    );
  },
};
