/**
 * Stalled processes: those that stall long are declared dead, the others never. As in Node, timers
 * run before sockets are read after a stall.
 */
import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { test } from "node:test";
import type { MembershipSettings } from "../../src/membership/settings.ts";
import { VirtualCluster } from "./support/virtual-cluster.ts";

interface Stalls {
  readonly count: number;
  readonly share: number;
  readonly stallMs: number;
  readonly awakeMs: number;
  readonly settings?: Partial<MembershipSettings>;
}

/** Runs two minutes in which the same nodes stall again and again. */
function runStalls(seed: number, { count, share, stallMs, awakeMs, settings = {} }: Stalls) {
  const cluster = new VirtualCluster({ seed, settings });
  const nodes = cluster.startMany(count);
  const stalled = new Set(nodes.slice(0, Math.floor(count * share)).map(({ id }) => id));
  const start = cluster.now;
  for (const node of nodes.slice(0, stalled.size)) {
    const again = (): void => {
      if (cluster.now - start > 120_000) return;
      const durationMs = stallMs * (0.5 + cluster.random() / 2);
      node.pause(durationMs);
      cluster.after(durationMs + awakeMs * (0.5 + cluster.random()), again);
    };
    cluster.after(cluster.random() * stallMs, again);
  }
  cluster.run(120_000);
  const healthy = cluster.observations.filter(({ subject }) => !stalled.has(subject));
  const result = {
    stalled: cluster.deaths.filter(({ subject }) => stalled.has(subject)).length,
    healthy: healthy.filter(({ status }) => status === "dead").length,
    suspected: healthy.filter(({ status }) => status === "suspect").length,
  };
  cluster.run(90_000);
  assert.ok(cluster.viewsAgree(), "once stalls end all agree again");
  return result;
}

function report(t: TestContext, name: string, runs: readonly ReturnType<typeof runStalls>[]) {
  const total = { stalled: 0, healthy: 0, suspected: 0 };
  for (const run of runs) {
    total.stalled += run.stalled;
    total.healthy += run.healthy;
    total.suspected += run.suspected;
  }
  t.diagnostic(
    `${name}: ${runs.length} runs of 120 s; declared dead: ${total.healthy} healthy, ` +
      `${total.stalled} stalled; healthy suspected ${total.suspected} times`,
  );
  return total;
}

for (const stallMs of [1000, 4000, 12_000]) {
  test(`no healthy node is declared dead while a quarter stalls up to ${stallMs} ms`, (t) => {
    const runs = [1, 2, 3].flatMap((seed) =>
      [2, 2000].map((awakeMs) => runStalls(seed, { count: 16, share: 0.25, stallMs, awakeMs })),
    );
    const total = report(t, `stalls to ${stallMs} ms`, runs);
    assert.equal(total.healthy, 0);
    if (stallMs === 12_000) assert.ok(total.stalled > 0, "long stalls are noticed");
  });
}

test("nobody is declared dead for stalls of at most 2 s", (t) => {
  const runs = [1, 2, 3, 4].map((seed) =>
    runStalls(seed, { count: 10, share: 0.25, stallMs: 2000, awakeMs: 300 }),
  );
  const total = report(t, "stalls to 2 s", runs);
  assert.equal(total.healthy + total.stalled, 0);
});

/**
 * Some nodes stall for less than the least suspicion (4.8 s at 16): they are suspected and refute in
 * time. Others stall for long, and wake with an overdue verdict and the refutation still unread.
 */
function deathsOfShortStalls(seed: number, settings: Partial<MembershipSettings>): number {
  const cluster = new VirtualCluster({ seed, settings });
  const nodes = cluster.startMany(16);
  const end = cluster.now + 120_000;
  for (const [index, node] of nodes.slice(0, 8).entries()) {
    const again = (): void => {
      if (cluster.now > end) return;
      const spread = cluster.random();
      const stallMs = index < 4 ? 6000 + 6000 * spread : 2400 + 1500 * spread;
      node.pause(stallMs);
      cluster.after(stallMs + (index < 4 ? 500 : 3000) * (0.1 + cluster.random()), again);
    };
    cluster.after(cluster.random() * 5000, again);
  }
  cluster.run(120_000);
  const short = new Set(nodes.slice(4).map(({ id }) => id));
  return cluster.deaths.filter(({ subject }) => short.has(subject)).length;
}

test("who refuted in time is declared dead only if timers go before sockets", (t) => {
  const seeds = Array.from({ length: 12 }, (_, index) => index + 1);
  const deaths = (settings: Partial<MembershipSettings>): number =>
    seeds.reduce((sum, seed) => sum + deathsOfShortStalls(seed, settings), 0);
  const drainFirst = deaths({});
  const timersFirst = deaths({ verdictLatenessMs: 1e9 });
  t.diagnostic(`wrong deaths: ${drainFirst} with drain first, ${timersFirst} without`);
  assert.equal(drainFirst, 0);
  assert.ok(timersFirst > 0, "the rule is exercised");
});
