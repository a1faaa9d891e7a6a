/** From a key to the node that is asked. */
import { partitionOf } from "../../src/ring/partition.ts";
import { RoutingTable } from "../../src/routing/routing-table.ts";
import { chooseTarget, noneTried, standings } from "../../src/routing/target.ts";
import { KeyDraw } from "../lib/key-draw.ts";
import type { MicroBench } from "../lib/micro.ts";

const partitionCount = 1_024;
const nodes = ["a", "b", "c"];

export const route: MicroBench = {
  name: "route",
  add(bench) {
    const keys = new KeyDraw();
    const table = threeNodes();
    const standing = new Uint8Array(nodes.length).fill(standings.linked);
    bench.add("partition of a key", () => {
      partitionOf("counter", keys.next(), partitionCount);
    });
    bench.add("partition and owner of a key", () => {
      const partition = partitionOf("counter", keys.next(), partitionCount);
      if (chooseTarget(table, partition, standing, noneTried) < 0) throw new Error("no owner");
    });
  },
};

function threeNodes(): RoutingTable {
  const table = new RoutingTable();
  table.apply({
    type: "table",
    version: 1,
    tableId: 1,
    partitionCount,
    members: nodes.map((id) => ({ id, address: `ws://127.0.0.1/${id}`, boot: 1 })),
    full: true,
    owners: Array.from({ length: partitionCount }, (_, partition) => ({
      partition,
      members: nodes.map((_id, rank) => (partition + rank) % nodes.length),
    })),
    functions: [],
  });
  return table;
}
