/** Calls through `node.get(…)` inside the node's own process, beside an awaited plain function. */
import { closed, type ClusterBench } from "../lib/cluster-bench.ts";

export const local: ClusterBench = {
  name: "local",
  title: "W1 inside the node's own process",
  subjects: ["latticework-in-process", "in-process"],
  references: ["in-process"],
  loads: [closed(1), closed(64)],
  smokeLoads: [closed(64)],
};
