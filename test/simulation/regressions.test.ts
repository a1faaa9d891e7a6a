/** Faults that the simulator found once, as the shortest stories that show them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { crdt, defineFunction } from "../../src/entry/main.ts";
import { createTestCluster } from "../../src/entry/testing.ts";
import { nodeOf } from "../../src/model/ids.ts";
import { partitionOf } from "../../src/ring/partition.ts";
import { SimulatedCluster } from "../../src/testing/simulated-cluster.ts";
import { unrest } from "../../src/testing/unrest.ts";
import { jitteryLink } from "../../src/testing/simulated-network.ts";

const tally = defineFunction({
  state: { sum: crdt.counter() },
  handlers: {
    add(ctx, by: number) {
      ctx.state.sum.add(by);
    },
  },
  queries: { sum: (ctx) => ctx.state.sum.value },
});

test("a degraded primary does not spin on a handover that was due meanwhile", async () => {
  await using cluster = await createTestCluster({ functions: { tally }, nodes: 3, seed: 1 });
  const one = cluster.client.get("tally", "one");
  await one.add(1);
  const home = cluster.primaryOf("tally", "one");
  cluster.crash(home);
  await one.add(1);
  await cluster.restart(home);
  await cluster.settled();
  const primary = cluster.primaryOf("tally", "one");
  assert.notEqual(primary, home);
  // Cut off with something uncommitted, it is degraded when its time to hand over comes.
  const others = cluster.nodes.map(({ id }) => id).filter((id) => id !== primary);
  cluster.split([primary], others);
  const alone = await cluster.node(primary).get("tally", "one").with({ reply: "full" }).add(1);
  assert.equal(alone.degraded, true);
  const { eventCount } = cluster.time;
  await cluster.advance(40_000);
  assert.ok(cluster.time.eventCount - eventCount < 20_000);
  cluster.heal();
  await cluster.settled();
  assert.equal(await one.sum(), 3);
});

test("nodes that held each other dead know each other alive once they are linked", async () => {
  for (const seed of [1, 2, 3, 4, 5, 6]) {
    await using cluster = await createTestCluster({ functions: { tally }, nodes: 3, seed });
    // Each channel of a link takes its own time, so that one is open well before the other.
    cluster.network.paths.setAllLinks(jitteryLink(8, 0.6));
    cluster.split(["node-1"], ["node-2"], ["node-3"]);
    await cluster.advance(40_000);
    for (const [a, b] of [
      ["node-1", "node-2"],
      ["node-1", "node-3"],
      ["node-2", "node-3"],
    ] as const) {
      cluster.network.paths.heal(a, b);
    }
    await cluster.settled();
  }
});

test("an owner that misses what is committed learns it from the next digest", async () => {
  const cluster = await SimulatedCluster.create({
    functions: { tally },
    seed: 1,
    replicas: 5,
    partitionCount: 4,
    // Of five owners no two can conclude it by themselves.
    buggify: {
      losesBatch: ({ entries }) => entries.some(({ message }) => message.type === "committed"),
    },
  });
  const ids = ["n1", "n2", "n3", "n4", "n5"];
  for (const id of ids) cluster.start(id, { join: id === "n1" ? [] : ["n1"] });
  const isAtRest = (): boolean => unrest(cluster.running()) === undefined;
  assert.equal(await cluster.time.run({ untilAt: 30_000, condition: isAtRest }), "condition");
  const client = await cluster.time.settled(cluster.connect<{ tally: typeof tally }>(ids));
  await cluster.time.settled(client.get("tally", "one").add(1));
  await cluster.time.sleep(20_000);
  const partition = partitionOf("tally", "one", cluster.partitionCount);
  const sums = cluster.running().map(({ parts }) => {
    const entity = parts.partitions.replica(partition)?.committedEntity("tally/one");
    return entity?.digest;
  });
  assert.equal(sums.length, 5);
  assert.equal(new Set(sums).size, 1);
  assert.notEqual(sums[0], undefined);
});

test("nobody leaves before the owners who stay know that they are enough", async () => {
  const lagging = { id: "" };
  const cluster = await SimulatedCluster.create({
    functions: { tally },
    seed: 1,
    replicas: 3,
    partitionCount: 1,
    buggify: {
      losesBatch: ({ entries }, to) =>
        nodeOf(to) === lagging.id &&
        entries.some(({ message }) => message.type === "delta" && message.owners !== undefined),
    },
  });
  const ids = ["n1", "n2", "n3"];
  for (const id of ids) cluster.start(id, { join: id === "n1" ? [] : ["n1"] });
  const isAtRest = (): boolean => unrest(cluster.running()) === undefined;
  assert.equal(await cluster.time.run({ untilAt: 30_000, condition: isAtRest }), "condition");
  const leads = (id: string): boolean =>
    cluster.life(id).node?.parts.partitions.isPrimary(0) === true;
  const primary = ids.find(leads)!;
  const [leaver, other] = ids.filter((id) => id !== primary) as [string, string];
  lagging.id = other;
  const left = cluster.leave(leaver);
  await cluster.time.settled(left);
  // The one crash that everything has to survive.
  lagging.id = "";
  cluster.crash(primary);
  await cluster.time.sleep(1_000);
  cluster.start(primary, { join: [other] });
  const untilAt = cluster.time.now + 60_000;
  assert.equal(await cluster.time.run({ untilAt, condition: isAtRest }), "condition");
});
