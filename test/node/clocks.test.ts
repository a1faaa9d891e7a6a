/** Nodes whose wall clocks are wrong, on virtual time: what they stamp, and what they tell. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { LatticeNode } from "../../src/node/lattice-node.ts";
import type { NodeEvent } from "../../src/node/events/node-event.ts";
import { hybridTicksPerMs, hybridTimeToMs } from "../../src/model/time.ts";
import { stampOf } from "../../src/state/delta-stamp.ts";
import { writeDelta } from "../../src/state/delta-bytes.ts";
import { VirtualCluster } from "./support/virtual-cluster.ts";

type Skew = Extract<NodeEvent, { readonly type: "clock.skew" }>;

const hourMs = 3_600_000;
const nearMs = 10;

/** What a node tells of clocks from now on. */
function skewsOf(node: LatticeNode): Skew[] {
  const skews: Skew[] = [];
  void (async () => {
    for await (const event of node.events()) if (event.type === "clock.skew") skews.push(event);
  })();
  return skews;
}

function briefly(skews: readonly Skew[]): readonly string[] {
  return skews.map(
    ({ source, node, aheadMs }) => `${source} ${node} ${(aheadMs / hourMs).toFixed(1)}`,
  );
}

/** How far the time of the cluster, as this node has it, is off the true one. */
function offOf(cluster: VirtualCluster, host: string): number {
  const { clusterClock } = cluster.node(host).parts;
  const { clock } = cluster.nodes.get(host)!.platform;
  return clusterClock.read(clock.now()) - cluster.time.wallNow;
}

void test("a wall clock that is set enters no stamp, and is told until it is right again", async () => {
  const cluster = new VirtualCluster(1);
  await cluster.form(["a", "b", "c"]);
  const own = skewsOf(cluster.node("b"));
  const others = skewsOf(cluster.node("a"));
  const { platform } = cluster.nodes.get("b")!;
  platform.jumpWallClock(hourMs);
  await cluster.sleep(2_000);
  assert.deepEqual(briefly(own), ["wall b 1.0"]);
  assert.ok(Math.abs(offOf(cluster, "b")) < nearMs);
  platform.jumpWallClock(-2 * hourMs);
  await cluster.sleep(2_000);
  await cluster.sleep(60_000);
  platform.jumpWallClock(hourMs);
  await cluster.sleep(120_000);
  assert.deepEqual(briefly(own), ["wall b 1.0", "wall b -1.0", "wall b -1.0", "wall b 0.0"]);
  assert.deepEqual(others, []);
  for (const host of ["a", "b", "c"]) assert.ok(Math.abs(offOf(cluster, host)) < nearMs);
  await cluster.end();
});

void test("a node that joins with a wrong wall clock has the time of the others before it stamps", async () => {
  for (const byMs of [hourMs, -hourMs]) {
    const cluster = new VirtualCluster(2);
    await cluster.form(["a", "b"]);
    const { node } = await cluster.begin("c", { join: [cluster.address("a")] }, byMs);
    const skews = skewsOf(node);
    await cluster.settled(node.whenReady());
    await cluster.sleep(2_000);
    assert.ok(Math.abs(offOf(cluster, "c")) < nearMs);
    const hours = (byMs / hourMs).toFixed(1);
    assert.deepEqual(briefly(skews), [`cluster c ${hours}`, `wall c ${hours}`]);
    await cluster.until("whole", () => cluster.isWhole && cluster.isHome, 60_000);
    const { primaries } = cluster.node("c").status();
    assert.ok(primaries.length > 0);
    const { clock } = cluster.nodes.get("c")!.platform;
    const stamp = cluster.node("c").parts.clusterClock.stamp(clock.now());
    assert.ok(Math.abs(hybridTimeToMs(stamp) - cluster.time.wallNow) < nearMs);
    for (const host of ["a", "b"]) assert.ok(Math.abs(offOf(cluster, host)) < nearMs);
    await cluster.end();
  }
});

void test("of three that create a cluster together the one with a wrong wall clock gives in", async () => {
  const cluster = new VirtualCluster(3);
  const join = ["a", "b", "c"].map((host) => cluster.address(host));
  const begin = (host: string, byMs: number) => cluster.begin(host, { join, minNodes: 3 }, byMs);
  const first = await begin("a", hourMs);
  await begin("b", 0);
  await begin("c", 0);
  await cluster.settled(first.node.whenReady());
  for (const host of ["a", "b", "c"]) assert.ok(Math.abs(offOf(cluster, host)) < nearMs, host);
  await cluster.end();
});

void test("a stamp from the future is told of, once a minute, and not followed", async () => {
  const cluster = new VirtualCluster(4);
  await cluster.form(["a", "b"]);
  const skews = skewsOf(cluster.node("a"));
  const { clockWatch, clusterClock } = cluster.node("a").parts;
  const { clock } = cluster.nodes.get("a")!.platform;
  const wallMs = (): number => Math.floor(cluster.time.wallNow);
  const at = (byMs: number): number => (wallMs() + byMs) * hybridTicksPerMs;
  clockWatch.observe("b", at(hourMs));
  clockWatch.observe("b", at(hourMs));
  clockWatch.observe("b", at(1_000));
  await cluster.sleep(1);
  assert.deepEqual(briefly(skews), ["stamp b 1.0"]);
  assert.equal(hybridTimeToMs(clusterClock.stamp(clock.now())), wallMs() - 1 + 1_000);
  await cluster.sleep(61_000);
  clockWatch.observe("b", at(hourMs));
  await cluster.sleep(1);
  assert.equal(skews.length, 2);
  await cluster.end();
});

void test("the stamp of a commit is read off its bytes", () => {
  for (const mark of [0, 1, 127, 128, 70_000]) {
    for (const hybridTime of [1, 127, 128, Date.UTC(2026, 0) * hybridTicksPerMs + 17]) {
      const delta = writeDelta({ mark, hybridTime, operations: [], begins: false, sequence: 1 });
      assert.equal(stampOf(delta), hybridTime);
      for (let end = 0; end < 3; end++) assert.equal(stampOf(delta.subarray(0, end)), 0);
    }
  }
  assert.equal(stampOf(new Uint8Array(20).fill(0xff)), 0);
});
