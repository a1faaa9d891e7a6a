/** What a cluster of membership cores achieves, measured on a virtual network and clock. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualCluster } from "./support/virtual-cluster.ts";

function seeds(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

function summary(durations: readonly number[]): string {
  const sorted = durations.toSorted((a, b) => a - b);
  const median = sorted[sorted.length >> 1] ?? Number.NaN;
  return `${sorted.length} runs, median ${median.toFixed(0)} ms, longest ${(sorted.at(-1) ?? Number.NaN).toFixed(0)} ms`;
}

test("a crash is known by all ten nodes within 2 s", (t) => {
  const durations = seeds(30).map((seed) => {
    const cluster = new VirtualCluster({ seed });
    const nodes = cluster.startMany(10);
    const victim = nodes[seed % 10]!;
    cluster.crash(victim);
    return cluster.runUntil(() => cluster.everybodyHolds(victim.id, "dead"), 60_000);
  });
  t.diagnostic(`crash known by all: ${summary(durations)}`);
  assert.ok(Math.max(...durations) <= 2000, summary(durations));
});

test("a silent loss is known by all ten nodes within 12 s", (t) => {
  const durations = seeds(30).map((seed) => {
    const cluster = new VirtualCluster({ seed });
    const nodes = cluster.startMany(10);
    const victim = nodes[seed % 10]!;
    cluster.unplug(victim);
    return cluster.runUntil(() => cluster.everybodyHolds(victim.id, "dead"), 60_000);
  });
  t.diagnostic(`silent loss known by all: ${summary(durations)}`);
  assert.ok(Math.max(...durations) <= 12_000, summary(durations));
});

test("a newcomer is known by all ten nodes within 1 s", (t) => {
  const durations = seeds(30).map((seed) => {
    const cluster = new VirtualCluster({ seed });
    cluster.startMany(9);
    cluster.start("newcomer", ["ws://node-004"]);
    return cluster.runUntil(
      () => cluster.everybodyHolds("newcomer", "alive") && cluster.viewsAgree(),
      60_000,
    );
  });
  t.diagnostic(`join known by all: ${summary(durations)}`);
  assert.ok(Math.max(...durations) <= 1000, summary(durations));
});

test("a departure is known by all ten nodes within 1 s and a node that left stays left", (t) => {
  const durations = seeds(30).map((seed) => {
    const cluster = new VirtualCluster({ seed });
    const nodes = cluster.startMany(10);
    const leaver = nodes[seed % 10]!;
    leaver.perform(leaver.core.leaving(cluster.now));
    cluster.run(2000);
    for (const { core } of cluster.running) {
      const placed = core.placementMembers(cluster.now).map(({ id }) => id);
      assert.ok(!placed.includes(leaver.id), "a leaving member takes no more partitions");
    }
    leaver.perform(leaver.core.leave(cluster.now));
    const known = cluster.runUntil(() => cluster.everybodyHolds(leaver.id, "left"), 60_000);
    cluster.run(300);
    cluster.sayGoodbye(leaver);
    cluster.run(90_000);
    assert.ok(cluster.everybodyHolds(leaver.id, "left"));
    assert.deepEqual(cluster.deaths, []);
    return known;
  });
  t.diagnostic(`leave known by all: ${summary(durations)}`);
  assert.ok(Math.max(...durations) <= 1000, summary(durations));
});

test("a member that left comes back at once at another address", () => {
  const cluster = new VirtualCluster({ seed: 5 });
  const leaver = cluster.startMany(6)[3]!;
  leaver.perform(leaver.core.leave(cluster.now));
  cluster.run(300);
  cluster.sayGoodbye(leaver);
  cluster.start(leaver.id, ["ws://node-001"], "ws://elsewhere");
  cluster.run(2000);
  assert.ok(cluster.everybodyHolds(leaver.id, "alive"));
  assert.ok(cluster.viewsAgree());
  assert.equal(cluster.running[0]!.core.members.get(leaver.id)?.address, "ws://elsewhere");
});

test("a crashed node that restarts at once is a new life of the same member", () => {
  for (const seed of seeds(10)) {
    const cluster = new VirtualCluster({ seed });
    const nodes = cluster.startMany(7);
    const victim = nodes[seed % 7]!;
    cluster.crash(victim);
    cluster.run(20 + cluster.random() * 3000);
    const placements = cluster.placementChanges;
    const reborn = cluster.start(victim.id, ["ws://node-000", "ws://node-001"]);
    cluster.run(5000);
    for (const { core } of cluster.running) {
      assert.equal(core.members.get(victim.id)?.boot, reborn.identity.boot);
      assert.equal(core.members.get(victim.id)?.status, "alive");
    }
    const own = reborn.placementChanges;
    assert.equal(cluster.placementChanges - own, placements, "a quick restart moves nothing");
  }
});

test("a second process with the id of a live one is refused and the first one stays", () => {
  const cluster = new VirtualCluster({ seed: 8 });
  const nodes = cluster.startMany(5);
  const twin = cluster.start("node-002", ["ws://node-000"], "ws://twin");
  cluster.run(20_000);
  assert.equal(twin.links.size, 0);
  assert.ok(cluster.refusals.includes("duplicate_node"));
  for (const node of nodes) {
    assert.equal(node.core.members.get("node-002")?.boot, nodes[2]!.identity.boot);
    assert.deepEqual(node.outdated, []);
  }
  assert.deepEqual(cluster.deaths, []);
});

test("two halves of a healed split find each other and agree within 60 s", (t) => {
  const durations = seeds(20).map((seed) => {
    const cluster = new VirtualCluster({ seed });
    cluster.startMany(10);
    const minority = 2 + (seed % 4);
    cluster.split((id) => (Number(id.slice(-3)) < minority ? 0 : 1));
    cluster.run(60_000);
    for (const { id, core } of cluster.running) {
      const alive = [...core.members.values()].filter(({ status }) => status === "alive");
      const side = Number(id.slice(-3)) < minority ? minority : 10 - minority;
      assert.equal(alive.length, side, "each side holds the other dead");
    }
    cluster.heal();
    const healed = cluster.runUntil(
      () =>
        cluster.viewsAgree() &&
        cluster.running.every(
          ({ core }) =>
            core.members.get("node-000")?.status === "alive" &&
            core.members.get("node-009")?.status === "alive",
        ),
      300_000,
    );
    cluster.run(30_000);
    assert.ok(cluster.viewsAgree());
    for (const { core } of cluster.running) {
      for (const member of core.members.values()) assert.equal(member.status, "alive");
    }
    return healed;
  });
  t.diagnostic(`split healed: ${summary(durations)}`);
  assert.ok(Math.max(...durations) <= 60_000, summary(durations));
});

test("a node at rest sends at most five control messages a second", (t) => {
  const rates = [2, 3, 10, 30].map((count) => {
    const cluster = new VirtualCluster({ seed: count });
    const nodes = cluster.startMany(count);
    cluster.run(20_000);
    for (const node of nodes) node.sentCount = 0;
    cluster.run(60_000);
    return Math.max(...nodes.map((node) => node.sentCount / 60));
  });
  t.diagnostic(`busiest of 2, 3, 10, 30 nodes: ${rates.map((r) => r.toFixed(2)).join(", ")} per s`);
  assert.ok(Math.max(...rates) <= 5);
});

test("a crash and a departure among a hundred nodes are known by all within 2 s", (t) => {
  const cluster = new VirtualCluster({ seed: 100 });
  const nodes = cluster.startMany(100);
  const leaver = nodes[7]!;
  leaver.perform(leaver.core.leave(cluster.now));
  const left = cluster.runUntil(() => cluster.everybodyHolds(leaver.id, "left"), 60_000);
  cluster.sayGoodbye(leaver);
  const victim = nodes[50]!;
  cluster.crash(victim);
  const dead = cluster.runUntil(() => cluster.everybodyHolds(victim.id, "dead"), 60_000);
  t.diagnostic(`100 nodes: leave ${left.toFixed(0)} ms, crash ${dead.toFixed(0)} ms`);
  assert.ok(left <= 2000 && dead <= 2000);
});

test("five messages in a hundred lost cost nobody their life", (t) => {
  const cluster = new VirtualCluster({ seed: 3, lossRate: 0.05 });
  cluster.startMany(10);
  cluster.run(300_000);
  const suspected = cluster.observations.filter(({ status }) => status === "suspect").length;
  t.diagnostic(`5 min with 5 % loss: ${suspected} suspicions, ${cluster.deaths.length} deaths`);
  assert.deepEqual(cluster.deaths, []);
});
