import assert from "node:assert/strict";
import { test } from "node:test";
import { crdt, defineFunction } from "../../src/entry/main.ts";
import { createTestCluster } from "../../src/entry/testing.ts";
import { WrittenModules } from "../support/written-modules.ts";

const shop = defineFunction({
  state: { sold: crdt.map(crdt.counter()) },
  handlers: {
    sell(ctx, sale: { sku: string; quantity: number }) {
      ctx.state.sold.at(sale.sku).add(sale.quantity);
    },
  },
  queries: { sold: (ctx, sku: string) => ctx.state.sold.get(sku) ?? 0 },
});

const cart = defineFunction({
  acks: 2,
  state: { lines: crdt.map(crdt.counter()), visits: crdt.counter() },
  handlers: {
    add(ctx, line: { sku: string; quantity: number }) {
      ctx.state.lines.at(line.sku).add(line.quantity);
      ctx.state.visits.add(1);
    },
    checkOut(ctx) {
      for (const [sku, quantity] of ctx.state.lines.entries()) {
        ctx.send(shop, "main").sell({ sku, quantity });
      }
      ctx.state.lines.clear();
    },
  },
  queries: { total: (ctx) => [...ctx.state.lines.values()].reduce((sum, n) => sum + n, 0) },
});

const functions = { cart, shop };

test("a cart survives the loss of its primary", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 5, seed: 1 });
  const alice = cluster.client.get("cart", "alice");
  await alice.add({ sku: "tea", quantity: 2 });
  cluster.crash(cluster.primaryOf("cart", "alice"));
  await cluster.settled();
  assert.equal(await alice.total(), 2);
});

test("what a turn sends arrives once, also when its primary dies right after", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 5, seed: 2 });
  const alice = cluster.client.get("cart", "alice");
  await alice.add({ sku: "tea", quantity: 2 });
  await alice.checkOut();
  cluster.crash(cluster.primaryOf("cart", "alice"));
  await cluster.settled();
  assert.equal(await cluster.client.get("shop", "main").sold("tea"), 2);
  assert.equal(await alice.total(), 0);
});

test("a split and its heal keep both sides' work", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 3, seed: 3 });
  const { client } = cluster;
  cluster.split(["node-1"], ["node-2", "node-3"]);
  const minority = cluster.node("node-1").get("cart", "bob").with({ reply: "full" });
  const alone = await minority.add({ sku: "tea", quantity: 1 });
  const bob = client.get("cart", "bob");
  await bob.add({ sku: "tea", quantity: 2 });
  cluster.heal();
  await cluster.settled();
  assert.equal(await bob.total(), 3);
  assert.equal(alone.degraded, true);
});

test("nodes leave, restart, pause and join while a watch goes on", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 4, seed: 4 });
  const alice = cluster.client.get("cart", "alice");
  const seen: number[] = [];
  await alice.add({ sku: "tea", quantity: 1 });
  await cluster.leave("node-2");
  await cluster.settled();
  await cluster.restart("node-2");
  assert.equal(await cluster.add(), "node-5");
  cluster.pause("node-3");
  await cluster.advance(3_000);
  cluster.resume("node-3");
  await cluster.settled();
  for await (const { visits } of alice.watch()) {
    seen.push(visits);
    if (seen.length === 2) break;
    await alice.add({ sku: "tea", quantity: 1 });
  }
  assert.deepEqual(seen, [1, 2]);
  assert.equal(
    cluster.nodes.every(({ isRunning }) => isRunning),
    true,
  );
});

test("the same seed gives the same run", async () => {
  const run = async (seed: number) => {
    await using cluster = await createTestCluster({ functions, nodes: 4, seed });
    const alice = cluster.client.get("cart", "alice");
    await alice.add({ sku: "tea", quantity: 1 });
    cluster.crash(cluster.primaryOf("cart", "alice"));
    await alice.add({ sku: "tea", quantity: 1 });
    return [cluster.time.now, cluster.time.eventCount];
  };
  assert.deepEqual(await run(7), await run(7));
  assert.notDeepEqual(await run(7), await run(8));
});

test("what functions compute takes no virtual time and repeats with the seed", async () => {
  const modules = new WrittenModules({
    slow: "export default async (n) => { await new Promise((r) => setTimeout(r, n)); return n; };",
    other: "export default (n) => n + 1;",
  });
  const sum = defineFunction({
    state: { sum: crdt.counter() },
    handlers: {
      async add(ctx, name: string) {
        ctx.state.sum.add(await ctx.compute<number>(modules.url(name), 20));
        return ctx.now();
      },
    },
    queries: { sum: (ctx) => ctx.state.sum.value },
  });
  const run = async (seed: number) => {
    await using cluster = await createTestCluster({ functions: { sum }, nodes: 3, seed });
    const calls = ["slow", "other", "slow"].map((name, at) =>
      cluster.client.get("sum", String(at)).add(name),
    );
    const times = await Promise.all(calls);
    const sums = await Promise.all(
      [0, 1, 2].map((at) => cluster.client.get("sum", String(at)).sum()),
    );
    return [...times, ...sums, cluster.time.now, cluster.time.eventCount];
  };
  const first = await run(8);
  assert.deepEqual(first.slice(3, 6), [20, 21, 20]);
  assert.deepEqual(await run(8), first);
  modules.remove();
});

test("a cluster that cannot come to rest says why", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 3, seed: 5 });
  cluster.split(["node-1"], ["node-2", "node-3"]);
  await assert.rejects(cluster.settled(), /seed 5: the cluster is not at rest .*node-/);
  cluster.heal();
  await cluster.settled();
});

test("mistakes are told at once", async () => {
  const untyped = createTestCluster as unknown as (options?: unknown) => Promise<unknown>;
  await assert.rejects(untyped(), /takes an object: createTestCluster\(\{ functions \}\)/);
  await assert.rejects(
    untyped({ functions, seed: "one" }),
    /seed must be an integer from 0, got one/,
  );
  await assert.rejects(createTestCluster({ functions, nodes: 0 }), /nodes must be an integer/);
  await assert.rejects(createTestCluster({ functions, partitions: 3 }), /power of two/);
  await using cluster = await createTestCluster({ functions, nodes: 1 });
  assert.throws(() => cluster.node("node-9"), /there is no node node-9/);
  assert.throws(() => {
    cluster.crash("node-9");
  }, /there is no node node-9/);
  await assert.rejects(cluster.restart("node-1"), /node-1 runs/);
});
