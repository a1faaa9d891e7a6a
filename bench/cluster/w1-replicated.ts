/** W1 on three nodes, answered when two owners have the change, beside a bare relay of that shape. */
import { closed, type ClusterBench } from "../lib/cluster-bench.ts";

export const w1Replicated: ClusterBench = {
  name: "w1-replicated",
  title: "W1 on 3 nodes, acks: 2",
  subjects: ["latticework-replicated", "relay"],
  references: ["relay"],
  loads: [closed(1), closed(64), closed(256)],
  smokeLoads: [closed(1)],
};
