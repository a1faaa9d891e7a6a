/** The hour that a deleted key is remembered for, by the clock of a whole node. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { crdt } from "../../src/definition/kinds.ts";
import { defineFunction } from "../../src/definition/define-function.ts";
import { SimulatedCluster } from "../../src/testing/simulated-cluster.ts";

const note = defineFunction({
  state: { text: crdt.register("") },
  handlers: {
    write: (ctx, text: string) => {
      ctx.state.text.set(text);
    },
    erase: (ctx) => {
      ctx.delete();
    },
  },
});
const hourMs = 3_600_000;

test("a deleted key is known for an hour, and then no more", async () => {
  const cluster = await SimulatedCluster.create({
    functions: { note },
    seed: 1,
    partitionCount: 1,
  });
  cluster.start("a", { join: [] });
  await cluster.time.sleep(1_000);
  const { partitions } = cluster.running()[0]!.parts;
  const names = (): readonly string[] => [...(partitions.replica(0)?.entityNames() ?? [])].sort();
  const client = await cluster.time.settled(cluster.connect<{ note: typeof note }>(["a"]));
  for (const key of ["kept", "erased"]) {
    await cluster.time.settled(client.get("note", key).write("x"));
  }
  await cluster.time.settled(client.get("note", "erased").erase());
  await cluster.time.sleep(hourMs - 60_000);
  assert.deepEqual(names(), ["note/erased", "note/kept"]);
  await cluster.time.sleep(120_000);
  assert.deepEqual(names(), ["note/kept"]);
});
