/** What an operator can do where too few owners are left to decide anything. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { crdt } from "../../src/definition/kinds.ts";
import { defineFunction } from "../../src/definition/define-function.ts";
import { LatticeError } from "../../src/model/error.ts";
import type { NodeEvent } from "../../src/node/events/node-event.ts";
import { createTestCluster } from "../../src/testing/test-cluster.ts";

const tally = defineFunction({
  state: { sum: crdt.counter() },
  handlers: {
    add(ctx, amount: number) {
      ctx.state.sum.add(amount);
      return ctx.state.sum.value;
    },
  },
  queries: { sum: ({ state }) => state.sum.value },
});
const functions = { tally };
const keys = Array.from({ length: 8 }, (_, index) => `k${String(index)}`);

type Cluster = Awaited<ReturnType<typeof createTestCluster<typeof functions>>>;

/** Adds 1 to every key; how many of the calls were answered without a majority. */
async function addAll(cluster: Cluster): Promise<number> {
  let degradedCount = 0;
  for (const key of keys) {
    const handle = cluster.client.get("tally", key).with({ reply: "full" });
    if ((await handle.add(1)).degraded) degradedCount += 1;
  }
  return degradedCount;
}

async function sums(cluster: Cluster): Promise<readonly number[]> {
  const values: number[] = [];
  for (const key of keys) values.push(await cluster.client.get("tally", key).sum());
  return values;
}

/** A call whose caller agreed to degraded service may have taken effect twice: one of three was so. */
function areThree(values: readonly number[]): boolean {
  return values.length === keys.length && values.every((value) => value === 3 || value === 4);
}

const heldDeadMs = 30_000;
/** A degraded primary finds out within a second that it has its majority again (`resyncMs`). */
const inFullMs = 2_000;

test("of two nodes the one that is left serves in full once the other is forgotten", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 2, seed: 3 });
  assert.equal(await addAll(cluster), 0);
  cluster.crash("node-2");
  await cluster.time.sleep(heldDeadMs);
  const left = cluster.node("node-1");
  assert.equal(await addAll(cluster), keys.length, "one of two is no majority");
  const events = left.events();
  left.forget("node-2");
  await cluster.time.sleep(inFullMs);
  assert.equal(await addAll(cluster), 0);
  assert.ok(areThree(await sums(cluster)));
  const member = left.status().members.find(({ id }) => id === "node-2");
  assert.equal(member?.status, "gone");
  const { value } = (await events.next()) as IteratorYieldResult<NodeEvent>;
  assert.equal(value.type, "member.forgotten");
  // Started anew it is a node like any other.
  await cluster.restart("node-2");
  await cluster.time.sleep(5_000);
  cluster.crash("node-1");
  await cluster.time.sleep(heldDeadMs);
  cluster.node("node-2").forget("node-1");
  await cluster.time.sleep(inFullMs);
  assert.ok(areThree(await sums(cluster)));
});

test("when most owners are lost the others go on with what they have", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 4, seed: 5 });
  assert.equal(await addAll(cluster), 0);
  cluster.crash("node-2");
  cluster.crash("node-3");
  await cluster.time.sleep(heldDeadMs);
  assert.ok((await addAll(cluster)) > 0, "some keys had two of their three owners there");
  // One word on one node is enough: it spreads.
  cluster.node("node-4").forget("node-2");
  cluster.node("node-4").forget("node-3");
  await cluster.time.sleep(3_000);
  assert.equal(await addAll(cluster), 0);
  assert.ok(areThree(await sums(cluster)));
});

test("one that was forgotten and comes back stops, and can be started anew", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 3, seed: 7 });
  assert.equal(await addAll(cluster), 0);
  cluster.pause("node-3");
  await cluster.time.sleep(heldDeadMs);
  cluster.node("node-1").forget("node-3");
  assert.equal(await addAll(cluster), 0);
  cluster.resume("node-3");
  await cluster.time.sleep(10_000);
  assert.equal(cluster.node("node-3").isRunning, false);
  assert.equal(await addAll(cluster), 0);
  await cluster.restart("node-3");
  await cluster.time.sleep(10_000);
  assert.deepEqual(
    await sums(cluster),
    keys.map(() => 3),
  );
  assert.equal(cluster.node("node-1").status().members.length, 3);
});

test("who lives, who is not known and the node itself are not forgotten, and why is said", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 2, seed: 1 });
  const node = cluster.node("node-1");
  const refused = (id: string): string => {
    try {
      node.forget(id);
    } catch (error) {
      if (error instanceof LatticeError) return `${error.code}: ${error.message}`;
    }
    return "";
  };
  assert.match(refused("node-1"), /^invalid_argument: node-1 cannot forget itself/);
  assert.match(refused("node-2"), /^failed_precondition: node-2 is alive: stop it first/);
  assert.match(refused("x"), /^not_found: no node x is known: there are node-1, node-2$/);
  assert.equal(node.status().members.find(({ id }) => id === "node-2")?.status, "alive");
});
