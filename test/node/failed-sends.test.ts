/** What an operator can do with calls of `ctx.send` that were refused for good. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeValue } from "../../src/codec/value-bytes.ts";
import { crdt } from "../../src/definition/kinds.ts";
import { defineFunction } from "../../src/definition/define-function.ts";
import {
  discardOperation,
  redeliverOperation,
} from "../../src/functions/failed-send-operations.ts";
import { LatticeError } from "../../src/model/error.ts";
import type { ErrorCode } from "../../src/model/error.ts";
import type { FailedSend } from "../../src/node/failed-send.ts";
import type { NodeEvent } from "../../src/node/events/node-event.ts";
import { createTestCluster } from "../../src/testing/test-cluster.ts";
import { callRaw, dialClient } from "./support/raw-peer.ts";
import { VirtualCluster } from "./support/virtual-cluster.ts";

const shop = defineFunction({
  state: { isOpen: crdt.flag(), sold: crdt.counter() },
  handlers: {
    sell(ctx, amount: number) {
      if (!ctx.state.isOpen.value) ctx.fail("failed_precondition", `${ctx.key} is closed`);
      ctx.state.sold.add(amount);
    },
    unlock(ctx) {
      ctx.state.isOpen.enable();
    },
  },
  queries: { sold: ({ state }) => state.sold.value },
});
const cart = defineFunction({
  handlers: {
    order(ctx, { from, amount }: { from: string; amount: number }) {
      ctx.send(shop, from).sell(amount);
    },
  },
  state: { orders: crdt.counter() },
});
const functions = { cart, shop };

type Cluster = Awaited<ReturnType<typeof createTestCluster<typeof functions>>>;

/** A cluster in which the shop has refused the orders of these carts, 2 each. */
async function refusing(seed: number, ...carts: readonly string[]): Promise<Cluster> {
  const cluster = await createTestCluster({ functions, nodes: 3, seed });
  for (const key of carts) await cluster.client.get("cart", key).order({ from: "main", amount: 2 });
  await cluster.settled();
  return cluster;
}

/** Of all nodes that run. */
function allFailed(cluster: Cluster): FailedSend[] {
  const running = cluster.nodes.filter(({ isRunning }) => isRunning);
  return running.flatMap((node) => node.failedSends());
}

function has(code: ErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof LatticeError && error.code === code;
}

test("a refused call is listed where its sender is led, with what it carried and why", async () => {
  await using cluster = await refusing(1, "alice", "bob");
  const listed = allFailed(cluster);
  assert.deepEqual(listed.map(({ sender }) => sender).sort(), ["cart/alice", "cart/bob"]);
  for (const { sender, id, at, ...rest } of listed) {
    assert.deepEqual(rest, {
      target: "shop/main",
      operation: "sell",
      input: 2,
      code: "failed_precondition",
      message: "main is closed",
    });
    assert.ok(id.length > 0 && at > 0);
    const key = sender.slice("cart/".length);
    const primary = cluster.node(cluster.primaryOf("cart", key));
    assert.ok(primary.failedSends({ function: "cart", key }).length === 1);
    assert.deepEqual(primary.failedSends({ function: "shop" }), []);
    assert.deepEqual(primary.failedSends({ key: "carol" }), []);
    assert.ok(primary.failedSends({ limit: 1 }).length === 1);
  }
});

test("what is redelivered takes effect once, from whichever node and however often", async () => {
  await using cluster = await refusing(2, "alice");
  const [{ sender, id } = assert.fail()] = allFailed(cluster);
  await cluster.client.get("shop", "main").unlock();
  const outcomes = await Promise.allSettled(
    cluster.nodes.flatMap((node) => [node.redeliver(sender, id), node.redeliver(sender, id)]),
  );
  const done = outcomes.filter(({ status }) => status === "fulfilled");
  assert.equal(done.length, 1);
  for (const outcome of outcomes) {
    if (outcome.status === "rejected") assert.ok(has("not_found")(outcome.reason));
  }
  await cluster.settled();
  assert.equal(await cluster.client.get("shop", "main").sold(), 2);
  assert.deepEqual(allFailed(cluster), []);
});

test("a call that is refused again is kept again, under another id", async () => {
  await using cluster = await refusing(3, "alice");
  const [{ sender, id } = assert.fail()] = allFailed(cluster);
  await cluster.node("node-2").redeliver(sender, id);
  await cluster.settled();
  const [again = assert.fail(), ...more] = allFailed(cluster);
  assert.equal(more.length, 0);
  assert.equal(again.sender, sender);
  assert.notEqual(again.id, id);
  await assert.rejects(cluster.node("node-2").redeliver(sender, id), has("not_found"));
});

test("what is discarded is gone, for every later primary too", async () => {
  await using cluster = await refusing(4, "alice", "alice");
  const [first = assert.fail(), second = assert.fail()] = allFailed(cluster);
  for (const node of cluster.nodes) {
    await assert.rejects(node.discardFailed(first.sender, "no-such"), has("not_found"));
    await assert.rejects(node.discardFailed("cart/nobody", first.id), has("not_found"));
  }
  await cluster.node("node-3").discardFailed(first.sender, first.id);
  assert.deepEqual(allFailed(cluster), [second]);
  cluster.crash(cluster.primaryOf("cart", "alice"));
  await cluster.settled();
  assert.deepEqual(allFailed(cluster), [second]);
});

test("a redelivery whose primary dies under it happens or does not, and never twice", async () => {
  let happened = 0;
  for (let seed = 10; seed < 18; seed += 1) {
    await using cluster = await refusing(seed, "alice");
    const [{ sender, id } = assert.fail()] = allFailed(cluster);
    await cluster.client.get("shop", "main").unlock();
    const primary = cluster.primaryOf("cart", "alice");
    const other = cluster.nodes.find((node) => node.id !== primary)!;
    const redelivered = other.redeliver(sender, id).then(
      () => true,
      (error: unknown) => {
        assert.ok(error instanceof LatticeError);
        return error.indeterminate ? undefined : false;
      },
    );
    await cluster.advance(seed % 4);
    cluster.crash(primary);
    const isTold = await redelivered;
    await cluster.settled();
    const sold = await cluster.client.get("shop", "main").sold();
    const left = allFailed(cluster).length;
    assert.deepEqual([sold, left], left === 0 ? [2, 0] : [0, 1], `seed ${String(seed)}`);
    if (isTold !== undefined) assert.equal(sold === 2, isTold, `seed ${String(seed)}`);
    if (sold === 2) happened += 1;
  }
  assert.ok(happened > 0);
});

test("the event names what can be redelivered at once", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 3, seed: 5 });
  const { client } = cluster;
  const sender = cluster.node(cluster.primaryOf("cart", "alice"));
  const events = sender.events();
  await client.get("cart", "alice").order({ from: "main", amount: 2 });
  let failed: Extract<NodeEvent, { type: "outbox.failed" }> | undefined;
  for await (const event of events) {
    if (event.type !== "outbox.failed") continue;
    failed = event;
    break;
  }
  await client.get("shop", "main").unlock();
  await sender.redeliver(failed!.sender, failed!.id);
  await cluster.settled();
  assert.equal(await client.get("shop", "main").sold(), 2);
});

test("without a majority nothing is redelivered, so that both sides of a split cannot do it", async () => {
  await using cluster = await refusing(6, "alice");
  const [{ sender, id } = assert.fail()] = allFailed(cluster);
  await cluster.client.get("shop", "main").unlock();
  const primary = cluster.primaryOf("cart", "alice");
  const others = cluster.nodes.map((node) => node.id).filter((node) => node !== primary);
  cluster.split([primary], others);
  await cluster.advance(20_000);
  await assert.rejects(cluster.node(primary).redeliver(sender, id), LatticeError);
  await cluster.node(others[0]!).redeliver(sender, id);
  cluster.heal();
  await cluster.settled();
  assert.equal(await cluster.client.get("shop", "main").sold(), 2);
  assert.deepEqual(allFailed(cluster), []);
});

test("mistakes of operators are told", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 1, seed: 7 });
  const node = cluster.node("node-1");
  for (const sender of ["cart", "", "/alice", "cart/", 7 as unknown as string]) {
    await assert.rejects(node.redeliver(sender, "1-1"), has("invalid_argument"));
  }
  const wrong: object = { functions: "cart" };
  assert.throws(() => node.failedSends(wrong), /unknown option 'functions' \(did you mean/);
  assert.throws(() => node.failedSends({ limit: 0 }), has("invalid_argument"));
  assert.throws(() => node.failedSends({ key: 1 as unknown as string }), /key must be a string/);
});

test("clients can do none of it", async () => {
  const cluster = new VirtualCluster(1);
  await cluster.form(["a", "b"]);
  const key = cluster.keyLedBy("a");
  const client = await cluster.client("client", ["a"]);
  await cluster.settled(client.get("ledger", key).misdirect("there"));
  await cluster.until("it is refused", () => cluster.node("a").failedSends({}).length === 1);
  const [{ id } = assert.fail()] = cluster.node("a").failedSends({});
  const peer = await dialClient(cluster, "peer", "a");
  for (const operation of [redeliverOperation, discardOperation, "(internal)"]) {
    const call = { key, operation, caller: "me", number: 1, received: 1, input: encodeValue(id) };
    const answer = await callRaw(cluster, peer, call);
    assert.equal(answer.type === "failure" && answer.code, "invalid_argument");
  }
  assert.equal(cluster.node("a").failedSends({}).length, 1);
  await cluster.end();
});
