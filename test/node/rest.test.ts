/** What a node in a crash loop does to a cluster of whole nodes: in the end, nothing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeOf } from "../../src/model/ids.ts";
import type { NodeEvent } from "../../src/node/events/node-event.ts";
import type { LatticeNode } from "../../src/node/lattice-node.ts";
import {
  SimulatedCluster,
  type SimulatedClusterOptions,
} from "../../src/testing/simulated-cluster.ts";
import { unrest } from "../../src/testing/unrest.ts";
import { functions } from "./support/functions.ts";

const downMs = 15_000;
const upMs = 20_000;
const settleLimitMs = 60_000;

async function started(
  nodeCount: number,
  seed: number,
  membership?: SimulatedClusterOptions["membership"],
): Promise<SimulatedCluster> {
  const options = { functions, seed, partitionCount: 16, membership };
  const cluster = await SimulatedCluster.create(options);
  for (let n = 1; n <= nodeCount; n++) {
    cluster.start(`n${String(n)}`, { join: n === 1 ? [] : ["n1"] });
  }
  await settled(cluster);
  return cluster;
}

async function settled(cluster: SimulatedCluster): Promise<void> {
  const untilAt = cluster.time.now + settleLimitMs;
  const condition = (): boolean => unrest(cluster.running()) === undefined;
  await cluster.time.run({ untilAt, condition });
  assert.equal(unrest(cluster.running()), undefined);
}

/** Kills a node and starts it anew after a while. */
async function crashAndReturn(cluster: SimulatedCluster, id: string): Promise<void> {
  cluster.crash(id);
  await cluster.time.sleep(downMs);
  cluster.start(id, { join: ["n1", "n2"] });
  await cluster.time.sleep(upMs);
}

function one(cluster: SimulatedCluster, id: string): LatticeNode {
  return cluster.life(id).node!;
}

/** The owner set of every partition, as its primary has it. */
function owners(cluster: SimulatedCluster): readonly string[] {
  const sets: string[] = [];
  for (let partition = 0; partition < cluster.partitionCount; partition++) {
    const leader = cluster.running().find(({ parts }) => parts.partitions.isPrimary(partition));
    const processes = leader?.parts.partitions.replica(partition)?.owners?.processes ?? [];
    sets.push([...processes].sort().join(" "));
  }
  return sets;
}

/** Owners by node id. */
function owningNodes(cluster: SimulatedCluster): ReadonlySet<string> {
  return new Set(owners(cluster).flatMap((set) => set.split(" ").map(nodeOf)));
}

/** Keeps what a node tells of some kinds of events; virtual time has to pass for it to be told. */
function heard(node: LatticeNode, prefix: string): string[] {
  const told: string[] = [];
  void (async () => {
    for await (const event of node.events() as AsyncIterable<NodeEvent>) {
      if (!event.type.startsWith(prefix)) continue;
      told.push("node" in event ? `${event.type} ${event.node}` : event.type);
    }
  })();
  return told;
}

test("the third comeback of a node in a crash loop moves nothing, and after its rest it is filled", async () => {
  const cluster = await started(5, 11);
  await crashAndReturn(cluster, "n4");
  await crashAndReturn(cluster, "n4");
  await settled(cluster);
  assert.ok(owningNodes(cluster).has("n4"));
  cluster.crash("n4");
  await cluster.time.sleep(downMs);
  await settled(cluster);
  const before = owners(cluster);
  const { tableId } = one(cluster, "n1").parts.routes;
  const moves = heard(one(cluster, "n1"), "owners.");
  const rests = heard(one(cluster, "n1"), "member.rest");
  cluster.start("n4", { join: ["n1", "n2"] });
  await cluster.time.sleep(upMs);
  await settled(cluster);
  await crashAndReturn(cluster, "n4");
  await settled(cluster);
  assert.deepEqual(owners(cluster), before);
  for (const { parts } of cluster.running()) assert.equal(parts.routes.tableId, tableId);
  assert.deepEqual(moves, []);
  assert.deepEqual(rests, ["member.resting n4", "member.resting n4"]);
  // It is a member like any other: ready, and forwards calls.
  const resting = one(cluster, "n4");
  assert.equal(resting.isReady, true);
  const self = resting.status().members.find(({ id }) => id === "n4");
  assert.equal(self?.resting, true);
  assert.equal(resting.status().copies, 0);
  const client = await cluster.time.settled(cluster.connect<typeof functions>(["n4"]));
  await cluster.time.settled(client.get("ledger", "x").add(2));
  assert.equal(await cluster.time.settled(client.get("ledger", "x").total()), 2);
  // Its fourth restart in a row: two minutes.
  await cluster.time.sleep(105_000);
  await settled(cluster);
  assert.deepEqual(rests.at(-1), "member.rested n4");
  assert.ok(owningNodes(cluster).has("n4"));
});

test("a node that never rests is filled at each of its comebacks", async () => {
  const cluster = await started(5, 11, { flapCountMin: 16 });
  const moves = heard(one(cluster, "n1"), "owners.");
  for (let count = 0; count < 4; count++) {
    moves.length = 0;
    await crashAndReturn(cluster, "n4");
    await settled(cluster);
    assert.ok(moves.length > 0);
    assert.ok(owningNodes(cluster).has("n4"));
  }
});

test("one of three nodes is filled however often it restarts, when there are three copies", async () => {
  const cluster = await started(3, 12);
  for (let count = 0; count < 4; count++) await crashAndReturn(cluster, "n2");
  await settled(cluster);
  assert.equal(
    one(cluster, "n2")
      .status()
      .members.find(({ id }) => id === "n2")?.resting,
    true,
  );
  for (const set of owners(cluster)) {
    assert.deepEqual(set.split(" ").map(nodeOf), ["n1", "n2", "n3"]);
  }
  for (const node of cluster.running()) assert.deepEqual(node.status().underReplicated, []);
});

test("a node that leaves in order and returns is given its share each time", async () => {
  const cluster = await started(4, 13);
  for (let count = 0; count < 4; count++) {
    await cluster.time.settled(cluster.leave("n3"));
    await cluster.time.sleep(1_000);
    cluster.start("n3", { join: ["n1"] });
    await cluster.time.sleep(upMs);
    await settled(cluster);
    assert.ok(owningNodes(cluster).has("n3"));
  }
});

test("a node without join addresses that comes back to its cluster again and again rests too", async () => {
  const cluster = await started(4, 14);
  const rests = heard(one(cluster, "n2"), "member.rest");
  for (let count = 0; count < 3; count++) {
    cluster.crash("n1");
    await cluster.time.sleep(downMs);
    cluster.start("n1", { join: [] });
    // Those who hold it dead look for it now and then.
    await cluster.time.sleep(100_000);
  }
  await settled(cluster);
  const seen = one(cluster, "n2")
    .status()
    .members.find(({ id }) => id === "n1");
  assert.equal(seen?.status, "alive");
  assert.ok(rests.includes("member.resting n1"), rests.join());
});

test("a node that rests may create the cluster: others hold it, and it is given its share later", async () => {
  const cluster = await SimulatedCluster.create({ functions, seed: 15, partitionCount: 16 });
  const ids = ["n1", "n2", "n3", "n4"];
  const start = (id: string): void => {
    cluster.start(id, { join: ids.filter((other) => other !== id), createWith: 4 });
  };
  for (const id of ids.slice(0, 3)) start(id);
  await cluster.time.sleep(5_000);
  for (let count = 0; count < 3; count++) {
    cluster.crash("n1");
    await cluster.time.sleep(3_000);
    start("n1");
    await cluster.time.sleep(5_000);
  }
  start("n4");
  await settled(cluster);
  assert.deepEqual([...owningNodes(cluster)].sort(), ["n2", "n3", "n4"]);
  await cluster.time.sleep(60_000);
  await settled(cluster);
  assert.ok(owningNodes(cluster).has("n1"));
});
