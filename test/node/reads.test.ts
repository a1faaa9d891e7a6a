/** Where queries run, and what a session is shown, in whole clusters on virtual time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { crdt, defineFunction, LatticeError } from "../../src/entry/main.ts";
import { createTestCluster } from "../../src/testing/test-cluster.ts";

const page = defineFunction({
  state: { hits: crdt.counter() },
  handlers: {
    hit(ctx) {
      ctx.state.hits.add(1);
      return ctx.state.hits.value;
    },
    async hitOther(ctx, key: string): Promise<number> {
      return ctx.get(page, key).hit();
    },
  },
  queries: { hits: (ctx) => ctx.state.hits.value },
});
const functions = { page };

/** Three nodes and a key; `lagging` is an owner that is about to be cut off from its primary. */
async function stage(seed: number) {
  const cluster = await createTestCluster({ functions, nodes: 3, seed });
  const primary = cluster.primaryOf("page", "a");
  const [lagging = "", other = ""] = cluster.ownersOf("page", "a").filter((id) => id !== primary);
  const cut = (): void => {
    cluster.split([lagging], [primary, other]);
  };
  return { cluster, primary, lagging, other, cut };
}

const any = { readFrom: "any", reply: "full" } as const;

test("a query that may run anywhere runs on every owner, in one hop", async () => {
  const { cluster } = await stage(1);
  await using _ = cluster;
  const handle = cluster.client.get("page", "a");
  await handle.hit();
  await cluster.advance(100);
  const nodes = new Set<string>();
  for (let read = 0; read < 40; read++) {
    const reply = await handle.with(any).hits();
    assert.deepEqual([reply.value, reply.hops, reply.degraded], [1, 1, false]);
    assert.ok(reply.copies >= 2);
    nodes.add(reply.node);
  }
  assert.equal(nodes.size, 3);
  assert.equal((await handle.with(any).hit()).node, cluster.primaryOf("page", "a"));
});

test("an owner that lags shows what is old, and never to a session that has seen more", async () => {
  const { cluster, cut } = await stage(2);
  await using _ = cluster;
  const handle = cluster.client.get("page", "a");
  const session = await cluster.connect({ session: true });
  const own = session.get("page", "a");
  await handle.hit();
  await own.hit();
  await cluster.advance(100);
  cut();
  assert.equal(await own.hit(), 3);
  let staleCount = 0;
  for (let read = 0; read < 30; read++) {
    if ((await handle.with(any).hits()).value < 3) staleCount += 1;
    assert.equal((await own.with(any).hits()).value, 3);
  }
  assert.ok(staleCount > 0, "the owner that lags was asked, or this shows nothing");
});

test("a token takes a session to another client, and to a node", async () => {
  const { cluster, lagging, cut } = await stage(3);
  await using _ = cluster;
  const first = await cluster.connect({ session: true });
  await first.get("page", "a").hit();
  await cluster.advance(100);
  cut();
  await first.get("page", "a").hit();
  const { token = "" } = await first.get("page", "a").with({ reply: "full" }).hits();
  assert.equal(token, first.token(), "of one key the answer says all that was seen");
  const second = await cluster.connect({ token });
  for (let read = 0; read < 20; read++) {
    assert.equal((await second.get("page", "a").with(any).hits()).value, 2);
  }
  const inNode = cluster.node(lagging).session({ token: second.token() });
  const late = inNode.get("page", "a").with({ readFrom: "any", timeoutMs: 300 }).hits();
  await assert.rejects(late, (error) => error instanceof LatticeError, "it cannot know it");
  const stale = cluster.node(lagging).get("page", "a").with({ readFrom: "any" }).hits();
  assert.equal(await stale, 1, "outside of a session it says what it has");
});

test("a session sees what the calls did that its calls asked for", async () => {
  const { cluster, primary, cut } = await stage(4);
  await using _ = cluster;
  const client = await cluster.connect({ session: true });
  await client.get("page", "a").hit();
  await cluster.advance(100);
  cut();
  const keys = Array.from({ length: 100 }, (_unused, index) => `other-${String(index)}`);
  const other = keys.find((key) => cluster.primaryOf("page", key) === primary) ?? "";
  assert.equal(await client.get("page", other).hitOther("a"), 2);
  for (let read = 0; read < 20; read++) {
    assert.equal((await client.get("page", "a").with(any).hits()).value, 2);
  }
});

test("a session is not served degraded; others are", async () => {
  const { cluster, primary } = await stage(5);
  await using _ = cluster;
  const session = await cluster.connect({ session: true });
  await cluster.client.get("page", "a").hit();
  for (const { id } of cluster.nodes) if (id !== primary) cluster.crash(id);
  const options = { timeoutMs: 3_000, reply: "full" } as const;
  const reply = await cluster.client.get("page", "a").with(options).hit();
  assert.equal(reply.degraded, true);
  await assert.rejects(session.get("page", "a").with(options).hit(), {
    code: /unavailable|deadline_exceeded/,
  } as never);
});

test("a linearizable read needs a majority, and a primary that was succeeded while it slept has none", async () => {
  const { cluster, primary } = await stage(6);
  await using _ = cluster;
  const handle = cluster.client.get("page", "a").with({ readFrom: "linearizable" });
  await handle.hit();
  assert.equal(await handle.hits(), 1);
  assert.equal(
    await cluster.node(primary).get("page", "a").with({ readFrom: "linearizable" }).hits(),
    1,
  );
  cluster.pause(primary);
  await cluster.advance(20_000);
  assert.equal(await handle.hit(), 2);
  cluster.resume(primary);
  const own = cluster.node(primary).get("page", "a");
  assert.equal(await own.with({ readFrom: "linearizable" }).hits(), 2);
});

test("what cannot be is refused with what to do", async () => {
  const { cluster } = await stage(7);
  await using _ = cluster;
  const { client } = cluster;
  assert.throws(() => client.token(), /keeps no session: connect it with \{ session: true \}/);
  assert.throws(
    () => client.get("page", "a").with({ readFrom: "nearest" as never }),
    /readFrom must be "primary", "any", "linearizable" or 2 … 7, got "nearest"/,
  );
  for (const readFrom of [1, 8, 2.5]) {
    assert.throws(
      () => client.get("page", "a").with({ readFrom: readFrom as never }),
      /or 2 … 7, got /,
    );
  }
  for (const options of [{ token: "x" }, { token: "" }, { session: false, token: "AAAA" }]) {
    await assert.rejects(cluster.connect(options), { code: "invalid_argument" });
  }
  const elsewhere = await createTestCluster({ functions, nodes: 1, seed: 8, partitions: 64 });
  await using __ = elsewhere;
  const there = await elsewhere.connect({ session: true });
  await there.get("page", "a").hit();
  await assert.rejects(
    cluster.connect({ token: there.token() }),
    /is of a cluster with 64 partitions/,
  );
});
