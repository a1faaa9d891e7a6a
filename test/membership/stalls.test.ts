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
 * A node stalls for less than the least suspicion (4 s at 10), is suspected, and refutes in time. One
 * that suspects it stalls meanwhile, and wakes with an overdue verdict and the refutation unread.
 */
function wakeWithOverdueVerdict(seed: number, settings: Partial<MembershipSettings>) {
  const cluster = new VirtualCluster({ seed, settings });
  const nodes = cluster.startMany(10);
  const subject = nodes[seed % 10]!;
  const observer = nodes[(seed + 1) % 10]!;
  const view = () => observer.core.members.get(subject.id)?.status;
  subject.pause(3900);
  const suspected = cluster.runUntil(() => view() === "suspect", 3800) <= 3800;
  if (suspected) observer.pause(25_000);
  cluster.run(40_000);
  assert.equal(view(), "alive", "it is believed in the end");
  return { suspected, deaths: cluster.deaths.filter((death) => death.subject === subject.id) };
}

test("who refuted in time is declared dead only if timers go before sockets", (t) => {
  const seeds = Array.from({ length: 20 }, (_, index) => index + 1);
  const count = (settings: Partial<MembershipSettings>) => {
    const runs = seeds.map((seed) => wakeWithOverdueVerdict(seed, settings));
    return {
      suspected: runs.filter(({ suspected }) => suspected).length,
      declaredDead: runs.flatMap(({ deaths }) => deaths).length,
    };
  };
  const drainFirst = count({});
  const timersFirst = count({ verdictLatenessMs: 1e9 });
  t.diagnostic(
    `of ${drainFirst.suspected} wakers ${drainFirst.declaredDead} declared the subject dead, ` +
      `of ${timersFirst.suspected} with timers first ${timersFirst.declaredDead}`,
  );
  assert.ok(drainFirst.suspected >= 10);
  assert.equal(drainFirst.declaredDead, 0);
  assert.equal(timersFirst.declaredDead, timersFirst.suspected);
});
