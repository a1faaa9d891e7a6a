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
