import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualCluster } from "./support/virtual-cluster.ts";

function births(cluster: VirtualCluster): string[] {
  return cluster
    .lines("info")
    .filter(({ message }) => message === "created the cluster")
    .map(({ node }) => node);
}

void test("a node without join addresses creates the cluster at once", async () => {
  const cluster = new VirtualCluster(1);
  const { node } = await cluster.begin("a");
  assert.equal(node.isReady, true);
  assert.deepEqual(births(cluster), ["a"]);
  await cluster.end();
});

void test("a node whose only join address is its own creates the cluster at once", async () => {
  const cluster = new VirtualCluster(1);
  const { node } = await cluster.begin("a", { join: [cluster.address("a")] });
  assert.equal(node.isReady, true);
  await cluster.end();
});

void test("a node that meets only itself, under another name, creates the cluster at once", async () => {
  const cluster = new VirtualCluster(1);
  const join = [cluster.address("a")];
  const { node } = await cluster.begin("a", { join, advertise: "ws://alias:7400" });
  await cluster.until("it serves", () => node.isReady, 200);
  assert.deepEqual(births(cluster), ["a"]);
  assert.deepEqual(cluster.lines("warn"), []);
  await cluster.end();
});

void test("a node that meets itself and a silent address waits for the silent one", async () => {
  const cluster = new VirtualCluster(1);
  const join = [cluster.address("a"), cluster.address("nobody")];
  const { node } = await cluster.begin("a", { join, advertise: "ws://alias:7400" });
  await cluster.sleep(2_900);
  assert.equal(node.isReady, false);
  await cluster.until("it serves", () => node.isReady, 500);
  const warned = cluster.lines("warn").map(({ message }) => message);
  assert.equal(warned.length, 1);
  assert.match(warned[0]!, /^none of ws:\/\/nobody:\d+ answered in 3000 ms/);
  await cluster.end();
});

void test("a node with minNodes that meets itself under another name goes on waiting", async () => {
  const cluster = new VirtualCluster(1);
  const join = [cluster.address("a")];
  const { node } = await cluster.begin("a", { join, advertise: "ws://alias:7400", minNodes: 2 });
  await cluster.sleep(20_000);
  assert.equal(node.isReady, false);
  await cluster.end();
});

void test("a node that reaches nobody serves alone after three seconds", async () => {
  const cluster = new VirtualCluster(1);
  const { node } = await cluster.begin("a", { join: [cluster.address("nobody")] });
  await cluster.sleep(2_900);
  assert.equal(node.isReady, false);
  await cluster.sleep(300);
  assert.equal(node.isReady, true);
  await cluster.end();
});

void test("two nodes that only join each other create one cluster", async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const cluster = new VirtualCluster(seed);
    await cluster.begin("a", { join: [cluster.address("b")] });
    await cluster.begin("b", { join: [cluster.address("a")] });
    await cluster.until("whole", () => cluster.isWhole, 10_000);
    assert.deepEqual(births(cluster), ["a"], `seed ${String(seed)}`);
    await cluster.end();
  }
});

void test("with minNodes nobody creates anything before so many see each other", async () => {
  const cluster = new VirtualCluster(2);
  const join = ["a", "b", "c"].map((host) => cluster.address(host));
  await cluster.begin("c", { join, minNodes: 3 });
  await cluster.begin("b", { join, minNodes: 3 });
  await cluster.sleep(20_000);
  assert.deepEqual(births(cluster), []);
  assert.ok(cluster.lines("warn").some(({ message }) => message === "waits for a cluster"));
  await cluster.begin("a", { join, minNodes: 3 });
  await cluster.until("whole", () => cluster.isWhole, 5_000);
  assert.deepEqual(births(cluster), ["a"]);
  await cluster.end();
});

void test("a node with minNodes that comes late joins what is there", async () => {
  const cluster = new VirtualCluster(3);
  await cluster.form(["b", "c", "d"]);
  const join = ["b", "c", "d"].map((host) => cluster.address(host));
  await cluster.start("a", { join, minNodes: 3 });
  await cluster.until("whole", () => cluster.isWhole, 20_000);
  assert.deepEqual(births(cluster), ["b"]);
  await cluster.end();
});

// The table of members was complete before there was anything to share: nothing changed any more
// that made the creator look at it.
void test("a cluster that is born when everybody is already here is shared at once", async () => {
  const cluster = new VirtualCluster(4);
  const join = ["a", "b", "c"].map((host) => cluster.address(host));
  for (const host of ["a", "b", "c"]) await cluster.begin(host, { join, minNodes: 3 });
  const took = await cluster.until("whole", () => cluster.isWhole, 5_000);
  assert.ok(took < 2_000, `took ${String(took)} ms`);
  await cluster.end();
});

void test("two clusters that were born apart become one, with what both hold", async () => {
  const cluster = new VirtualCluster(5);
  cluster.network.cut("a", "b");
  await cluster.begin("a", { join: [cluster.address("b")] });
  await cluster.sleep(50);
  await cluster.begin("b", { join: [cluster.address("a")] });
  await cluster.sleep(9_000);
  assert.deepEqual(births(cluster).sort(), ["a", "b"]);
  const first = await cluster.client("client-1", ["a"]);
  const second = await cluster.client("client-2", ["b"]);
  await cluster.settled(first.get("ledger", "k").add(1));
  await cluster.settled(second.get("ledger", "k").add(10));
  cluster.network.healAll();
  await cluster.until("whole", () => cluster.isWhole, 120_000);
  assert.equal(await cluster.settled(first.get("ledger", "k").total()), 11);
  assert.equal(await cluster.settled(second.get("ledger", "k").total()), 11);
  await cluster.end();
});
