/** Functions without state on several nodes: whoever is asked runs them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeValue } from "../../src/codec/value-bytes.ts";
import type { CallOptions } from "../../src/definition/call-options.ts";
import { crdt } from "../../src/definition/kinds.ts";
import { defineFunction } from "../../src/definition/define-function.ts";
import type { HandleWatch } from "../../src/definition/handle.ts";
import { LatticeError } from "../../src/model/error.ts";
import { createTestCluster } from "../../src/testing/test-cluster.ts";
import { callRaw, dialClient } from "./support/raw-peer.ts";
import { VirtualCluster } from "./support/virtual-cluster.ts";

const stock = defineFunction({
  state: { taken: crdt.counter() },
  handlers: {
    take(ctx, count: number) {
      ctx.state.taken.add(count);
      return ctx.state.taken.value;
    },
    order(ctx, key: string) {
      ctx.send(desk, key).note("ordered");
    },
  },
  queries: { taken: (ctx) => ctx.state.taken.value },
});
/** What ran, in this process, on whichever node. */
const notes: string[] = [];
const desk = defineFunction({
  handlers: {
    note(ctx, text: string) {
      notes.push(`${ctx.key} ${text}`);
    },
    take: (ctx, count: number): Promise<number> => ctx.get(stock, ctx.key).take(count),
    async wait(ctx, ms: number) {
      notes.push(`${ctx.key} wait`);
      await ctx.sleep(ms);
    },
  },
  queries: {
    greet: (ctx, name: string) => `${name}, this is ${ctx.key}`,
    total: async (ctx, key: string) => {
      notes.push(`${ctx.key} total`);
      return await ctx.get(stock, key).taken();
    },
  },
});
const functions = { stock, desk };

type Cluster = Awaited<ReturnType<typeof createTestCluster<typeof functions>>>;

/** Calls run and passed on by each node since its start. */
function counts(
  cluster: Cluster,
): readonly { readonly served: number; readonly forwarded: number }[] {
  return cluster.nodes
    .filter(({ isRunning }) => isRunning)
    .map((node) => node.status().counters)
    .map(({ served, forwarded }) => ({ served, forwarded }));
}

/** Opens a link of the client to every node. */
async function meetAll(cluster: Cluster): Promise<void> {
  for (let at = 0; at < 40; at += 1) await cluster.client.get("stock", String(at)).taken();
}

async function failureOf(call: Promise<unknown>): Promise<LatticeError> {
  const error: unknown = await call.then(
    () => "it did not fail",
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof LatticeError, String(error));
  return error;
}

test("every node that a client is linked with runs its calls, and none passes one on", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 4, seed: 1 });
  await meetAll(cluster);
  const before = counts(cluster);
  const front = cluster.client.get("desk", "front").with({ reply: "full" });
  const nodes = new Set<string>();
  for (let n = 0; n < 12; n += 1) {
    const reply = await front.greet(`caller ${String(n)}`);
    assert.equal(reply.value, `caller ${String(n)}, this is front`);
    assert.deepEqual([reply.copies, reply.degraded, reply.hops], [0, false, 1]);
    nodes.add(reply.node);
  }
  assert.equal(nodes.size, 4);
  counts(cluster).forEach(({ served, forwarded }, at) => {
    assert.deepEqual([served, forwarded], [before[at]!.served + 3, before[at]!.forwarded]);
  });
  const own = await cluster
    .node("node-2")
    .get("desk", "front")
    .with({ reply: "full" })
    .greet("you");
  assert.deepEqual([own.node, own.hops], ["node-2", 0]);
});

test("what it asks takes effect once a run, also while nodes die", async () => {
  for (const seed of [2, 3, 4]) {
    await using cluster = await createTestCluster({ functions, nodes: 5, seed });
    await meetAll(cluster);
    const tea = cluster.client.get("desk", "tea");
    const calls: Promise<number>[] = [];
    for (let n = 0; n < 20; n += 1) calls.push(tea.take(1));
    cluster.crash(cluster.primaryOf("stock", "tea"));
    const outcomes = await Promise.allSettled(calls);
    await cluster.settled();
    const taken = await cluster.client.get("stock", "tea").taken();
    const done = outcomes.filter(({ status }) => status === "fulfilled").length;
    const unknown = outcomes.filter(
      (outcome) =>
        outcome.status === "rejected" &&
        outcome.reason instanceof LatticeError &&
        outcome.reason.indeterminate,
    ).length;
    assert.ok(taken >= done && taken <= done + unknown, `seed ${String(seed)}: ${String(taken)}`);
    assert.ok(done > 10, String(done));
  }
});

test("a call whose node dies is made again where that is safe, and is else told as unknown", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 3, seed: 5 });
  await meetAll(cluster);
  notes.length = 0;
  const { client } = cluster;
  // One on each node; all of them wait when one of these dies.
  const waits = [1, 2, 3].map((n) => failureOrDone(client.get("desk", String(n)).wait(1_000)));
  await cluster.advance(100);
  assert.equal(notes.length, 3);
  cluster.crash("node-3");
  const ends = await Promise.all(waits);
  const failures = ends.filter((end) => end !== undefined);
  assert.deepEqual(
    failures.map(({ indeterminate }) => indeterminate),
    [true],
  );
  assert.equal(notes.length, 3, "none of them ran twice");
  await cluster.restart("node-3");
  await cluster.settled();
  await meetAll(cluster);

  // The query waits for a key whose primary is paused, on a node that then dies.
  notes.length = 0;
  const paused = cluster.primaryOf("stock", "slow");
  cluster.pause(paused);
  const totals = [1, 2, 3].map((n) => client.get("desk", String(n)).total("slow"));
  await cluster.advance(200);
  const victim = cluster.nodes.find(({ id, isRunning }) => isRunning && id !== paused)!.id;
  cluster.crash(victim);
  await cluster.advance(200);
  cluster.resume(paused);
  await cluster.restart(victim);
  assert.deepEqual(await Promise.all(totals), [0, 0, 0]);
  assert.ok(notes.length > 3, "what the dead node had is asked again");
});

async function failureOrDone(call: Promise<unknown>): Promise<LatticeError | undefined> {
  return await call.then(
    () => undefined,
    (error: unknown) => error as LatticeError,
  );
}

test("it is served on both sides of a split, and by a node that is alone", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 3, seed: 6 });
  cluster.split(["node-1"], ["node-2", "node-3"]);
  await cluster.advance(20_000);
  for (const { id } of cluster.nodes) {
    const reply = await cluster.node(id).get("desk", "d").with({ reply: "full" }).greet("you");
    assert.deepEqual([reply.node, reply.degraded], [id, false]);
  }
  cluster.heal();
});

test("what is sent to it is run, at least once", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 3, seed: 7 });
  notes.length = 0;
  await cluster.client.get("stock", "tea").order("back");
  await cluster.settled();
  assert.deepEqual(notes, ["back ordered"]);
});

test("what only state makes possible is refused", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 2, seed: 8 });
  const handles = [cluster.client, cluster.node("node-1")].map((from) => from.get("desk", "d"));
  const options: CallOptions[] = [{ acks: 1 }, { whenSplit: "serve" }, { idempotencyKey: "once" }];
  for (const handle of handles) {
    for (const option of options) {
      const { code, message } = await failureOf(
        handle.with({ ...option, reply: "value" }).greet("a"),
      );
      assert.equal(code, "invalid_argument");
      assert.match(message, /desk has no state, so nothing is kept of its calls: call it without/);
    }
    await handle.with({ ordered: true, timeoutMs: 1_000 }).note("ordered");
  }
  const watched = handles[0] as unknown as { watch: (of?: HandleWatch) => AsyncIterable<unknown> };
  const { code, message } = await failureOf(watched.watch()[Symbol.asyncIterator]().next());
  assert.deepEqual([code, message], ["invalid_argument", "desk has no state to watch"]);
});

test("a node refuses to watch it and to pass it on, whatever the client is", async () => {
  const cluster = new VirtualCluster(9);
  await cluster.form(["a", "b"], { functions });
  const peer = await dialClient(cluster, "peer", "a");
  const watch = { functionName: "desk", key: "d", field: "", query: false, resume: "" };
  const input = new Uint8Array(0);
  peer.channel.send({ type: "watch", id: 1, partition: 0, ...watch, input });
  await cluster.until("it is refused", () =>
    peer.received.some(({ type }) => type === "watch-end"),
  );
  const end = peer.received.find((message) => message.type === "watch-end");
  assert.deepEqual([end?.code, end?.message], ["invalid_argument", "desk has no state to watch"]);
  // Its key is of a partition that the other node leads, and its protection is nothing to it.
  const { partitions } = cluster.node("b").parts;
  const key = [1, 2, 3, 4, 5, 6, 7, 8]
    .map(String)
    .find((each) => partitions.isPrimary(partitions.partitionOf(`desk/${each}`)))!;
  const call = { functionName: "desk", key, operation: "greet", input: encodeValue("you") };
  const reply = await callRaw(cluster, peer, { ...call, caller: "me", number: 1, received: 1 });
  assert.ok(reply.type === "reply");
  assert.deepEqual([reply.node, reply.hops, reply.copies], ["a", 1, 0]);
  await cluster.end();
});
