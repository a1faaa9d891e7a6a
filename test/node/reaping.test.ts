/** The hour that a deleted key is remembered for, by the clock of a whole node. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { crdt } from "../../src/definition/kinds.ts";
import { defineFunction } from "../../src/definition/define-function.ts";
import { partitionOf } from "../../src/ring/partition.ts";
import { SimulatedCluster } from "../../src/testing/simulated-cluster.ts";
import { createTestCluster } from "../../src/testing/test-cluster.ts";

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

test("what was written to a deleted key on the far side of a long split is told as refused", async () => {
  await using cluster = await createTestCluster({ functions: { note }, partitions: 4, seed: 3 });
  const key = "k";
  await cluster.client.get("note", key).write("before");
  cluster.split(["node-1"], ["node-2", "node-3"]);
  await cluster.node("node-1").get("note", key).write("without a majority");
  await cluster.node("node-2").get("note", key).erase();
  for (let passed = 0; passed <= hourMs; passed += 300_000) await cluster.advance(300_000);
  const events = cluster.node(cluster.primaryOf("note", key)).events();
  cluster.heal();
  for await (const { at: _, ...event } of events) {
    if (event.type !== "fork.refused") continue;
    const partition = partitionOf("note", key, 4);
    const refused = { partition, node: "node-1", entities: ["note/k"] };
    assert.deepEqual(event, { type: "fork.refused", ...refused });
    break;
  }
  await cluster.settled();
});
