/** Timers of whole clusters: they outlive their primary, fire on time, and take effect once. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { crdt, defineFunction } from "../../src/entry/main.ts";
import { createTestCluster, type TestCluster } from "../../src/entry/testing.ts";
import { clusterEvents } from "../../src/node/node-events.ts";
import { SimulatedCluster } from "../../src/testing/simulated-cluster.ts";

const alarm = defineFunction({
  state: { rung: crdt.map(crdt.counter()), lateMs: crdt.max() },
  handlers: {
    set(ctx, { id, inMs }: { id: string; inMs: number }) {
      return ctx.schedule("ring", { inMs, id }, id);
    },
    repeat(ctx, { id, every }: { id: string; every: number }) {
      ctx.schedule("ring", { every, id }, id);
    },
    cancel: (ctx, id: string) => ctx.cancelTimer(id),
    ring(ctx, id: string) {
      ctx.state.rung.at(id).add(1);
      if (ctx.caller.type === "timer") ctx.state.lateMs.observe(ctx.now() - ctx.caller.at);
    },
    /** Sets what will be refused: at once, or again and again. */
    setRefused(ctx, { id, every }: { id: string; every: number }) {
      ctx.schedule("refuse", every > 0 ? { every, id } : { at: 0, id }, id);
    },
    refuse(ctx, id: string) {
      ctx.state.rung.at(id).add(1);
      ctx.fail("failed_precondition", `${id} is not to be rung`);
    },
    /** For ever, and at once. */
    spin(ctx, id: string) {
      ctx.state.rung.at(id).add(1);
      ctx.schedule("spin", { inMs: 0, id }, id);
    },
    tell(ctx, to: string) {
      ctx.schedule("tellNow", { inMs: 100 }, to);
    },
    tellNow(ctx, to: string): void {
      ctx.send(alarm, to).ring("told");
    },
    async slow(ctx, id: string) {
      ctx.schedule("ring", { inMs: 10, id }, id);
      await ctx.sleep(1_000);
    },
  },
  queries: {
    rung: ({ state }) => Object.fromEntries(state.rung.entries()),
    lateMs: ({ state }) => state.lateMs.value ?? -1,
    timers: (ctx) => ctx.timers().map(({ id }) => id),
  },
});
const functions = { alarm };
type Cluster = TestCluster<typeof functions>;

function start(seed: number, nodes = 3): Promise<Cluster> {
  return createTestCluster({ functions, nodes, seed, partitions: 8 });
}

function sum(cluster: Cluster, counter: "timersFired" | "timersFailed"): number {
  const running = cluster.nodes.filter(({ isRunning }) => isRunning);
  return running.reduce((total, node) => total + node.status().counters[counter], 0);
}

function waiting(cluster: Cluster): number {
  const running = cluster.nodes.filter(({ isRunning }) => isRunning);
  return running.reduce((total, node) => total + node.status().timers, 0);
}

test("a timer fires when it is due, and once", async () => {
  await using cluster = await start(1);
  const a = cluster.client.get("alarm", "a");
  assert.equal(await a.set({ id: "x", inMs: 2_000 }), "x");
  await a.set({ id: "y", inMs: 3_000 });
  assert.equal(waiting(cluster), 2);
  await cluster.advance(1_900);
  assert.deepEqual(await a.rung(), {});
  await cluster.advance(200);
  assert.deepEqual(await a.rung(), { x: 1 });
  assert.deepEqual(await a.timers(), ["y"]);
  await cluster.advance(10_000);
  assert.deepEqual(await a.rung(), { x: 1, y: 1 });
  assert.deepEqual([waiting(cluster), sum(cluster, "timersFired")], [0, 2]);
  assert.ok((await a.lateMs()) <= 10);
});

test("timers of a thousand keys fire on time", async () => {
  await using cluster = await start(2);
  const keys = Array.from({ length: 1_000 }, (_, n) => `k${String(n)}`);
  await Promise.all(
    keys.map((key, n) => cluster.client.get("alarm", key).set({ id: "x", inMs: 5_000 + (n % 7) })),
  );
  await cluster.advance(6_000);
  for (const key of keys.filter((_, n) => n % 50 === 0)) {
    const handle = cluster.client.get("alarm", key);
    assert.deepEqual(await handle.rung(), { x: 1 });
    assert.ok((await handle.lateMs()) <= 100);
  }
  assert.deepEqual([waiting(cluster), sum(cluster, "timersFired")], [0, 1_000]);
});

test("a timer outlives the crash of its primary, before it is due and while it fires", async () => {
  for (const crashAtMs of [500, 2_000, 2_000.3]) {
    await using cluster = await start(3, 4);
    const a = cluster.client.get("alarm", "a");
    await a.set({ id: "x", inMs: 2_000 });
    const setAt = cluster.time.now;
    const primary = cluster.primaryOf("alarm", "a");
    cluster.time.timers.after(crashAtMs, () => {
      cluster.crash(primary);
    });
    await cluster.advance(5_000);
    assert.ok(cluster.time.now - setAt >= 5_000);
    assert.notEqual(cluster.primaryOf("alarm", "a"), primary);
    await cluster.settled();
    assert.deepEqual(await a.rung(), { x: 1 });
    assert.deepEqual(await a.timers(), []);
  }
});

test("a primary that leaves hands its timers over", async () => {
  await using cluster = await start(4);
  const a = cluster.client.get("alarm", "a");
  await a.set({ id: "x", inMs: 4_000 });
  await a.repeat({ id: "y", every: 3_000 });
  await cluster.leave(cluster.primaryOf("alarm", "a"));
  await cluster.advance(6_500);
  await cluster.settled();
  const { x, y } = await a.rung();
  assert.equal(x, 1);
  assert.ok(y === 2 || y === 3);
  assert.ok((await a.lateMs()) <= 1_000);
});

test("what nobody could run is due as soon as somebody can, and once for all periods", async () => {
  await using cluster = await start(5);
  const a = cluster.client.get("alarm", "a");
  await a.repeat({ id: "x", every: 1_000 });
  await a.set({ id: "y", inMs: 20_000 });
  await cluster.advance(2_100);
  assert.deepEqual(await a.rung(), { x: 2 });
  // Of three owners one is left, which may not fire anything.
  const [one, other] = cluster.nodes.map(({ id }) => id);
  cluster.pause(one!);
  cluster.pause(other!);
  await cluster.advance(60_000);
  cluster.resume(one!);
  cluster.resume(other!);
  await cluster.settled();
  const { x = 0, y } = await a.rung();
  assert.equal(y, 1);
  assert.ok(x >= 3 && x <= 6, `x rang ${String(x)} times`);
  await cluster.advance(3_000);
  const { x: later = 0 } = await a.rung();
  assert.equal(later, x + 3);
});

test("a side of a split without a majority fires nothing, the other one does", async () => {
  await using cluster = await start(6);
  const a = cluster.client.get("alarm", "a");
  await a.set({ id: "x", inMs: 15_000 });
  const primary = cluster.primaryOf("alarm", "a");
  const others = cluster.nodes.map(({ id }) => id).filter((id) => id !== primary);
  cluster.split([primary], others);
  await cluster.advance(30_000);
  assert.equal(cluster.node(primary).status().counters.timersFired, 0);
  const [first] = others;
  assert.deepEqual(await cluster.node(first!).get("alarm", "a").rung(), { x: 1 });
  cluster.heal();
  await cluster.settled();
  assert.deepEqual(await a.rung(), { x: 1 });
});

test("what is cancelled or replaced does not fire", async () => {
  await using cluster = await start(7);
  const a = cluster.client.get("alarm", "a");
  await a.set({ id: "x", inMs: 1_000 });
  await a.set({ id: "y", inMs: 1_000 });
  await a.set({ id: "y", inMs: 3_000 });
  assert.equal(await a.cancel("x"), true);
  await cluster.advance(2_000);
  assert.deepEqual(await a.rung(), {});
  await cluster.advance(2_000);
  assert.deepEqual(await a.rung(), { y: 1 });
  assert.equal(await a.cancel("y"), false);
});

test("a handler that refuses is told of, and its timer waits no more, or for its next period", async () => {
  await using cluster = await start(8);
  const a = cluster.client.get("alarm", "a");
  const events = cluster.node(cluster.primaryOf("alarm", "a")).events();
  await a.setRefused({ id: "x", every: 0 });
  for await (const event of events) {
    if (event.type !== "timer.failed") continue;
    const { at: _, ...told } = event;
    assert.deepEqual(told, {
      type: "timer.failed",
      entity: "alarm/a",
      id: "x",
      operation: "refuse",
      code: "failed_precondition",
      message: "x is not to be rung",
    });
    break;
  }
  await cluster.settled();
  assert.deepEqual(await a.timers(), []);
  await a.setRefused({ id: "y", every: 1_000 });
  await cluster.advance(3_500);
  assert.deepEqual(await a.timers(), ["y"]);
  assert.deepEqual([await a.rung(), sum(cluster, "timersFailed")], [{}, 4]);
  assert.equal(sum(cluster, "timersFired"), 0);
});

test("a timer waits for its turn like any call, and what it sends arrives once", async () => {
  await using cluster = await start(9);
  const a = cluster.client.get("alarm", "a");
  await a.slow("x");
  await a.slow("y");
  await a.tell("b");
  await cluster.advance(500);
  await cluster.settled();
  assert.deepEqual(await a.rung(), { x: 1, y: 1 });
  assert.deepEqual(await cluster.client.get("alarm", "b").rung(), { told: 1 });
});

test("a handler that schedules itself at once leaves time for everything else", async () => {
  await using cluster = await start(10, 1);
  const a = cluster.client.get("alarm", "a");
  await a.spin("x");
  await cluster.advance(200);
  const { x = 0 } = await a.rung();
  assert.ok(x > 20 && x <= 210, `it ran ${String(x)} times`);
  await cluster.client.get("alarm", "b").set({ id: "y", inMs: 0 });
  await cluster.advance(10);
  assert.deepEqual(await cluster.client.get("alarm", "b").rung(), { y: 1 });
});

test("a clock that is set to a later time makes due what it has passed", async () => {
  const cluster = await SimulatedCluster.create({ functions, seed: 11, partitionCount: 1 });
  const { time } = cluster;
  cluster.start("a", { join: [] });
  await time.sleep(1_000);
  const client = await time.settled(cluster.connect<typeof functions>(["a"]));
  const a = client.get("alarm", "a");
  await time.settled(a.set({ id: "x", inMs: 600_000 }));
  const { parts } = cluster.running()[0]!;
  // Two others agree that it is ten minutes later: with these three the clock is set.
  const now = parts.foundation.platform.clock.now();
  const readMs = parts.clusterClock.read(now) + 599_000;
  const reading = { readMs, isSettled: true, askedAt: now, answeredAt: now };
  parts.clusterClock.sample("b", reading);
  const aheadMs = parts.clusterClock.sample("c", reading);
  assert.ok(aheadMs < -500_000);
  clusterEvents(parts).clockSet(aheadMs);
  await time.sleep(900);
  assert.deepEqual(await time.settled(a.rung()), {});
  await time.sleep(200);
  assert.deepEqual(await time.settled(a.rung()), { x: 1 });
});
