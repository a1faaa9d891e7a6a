/** What nodes tell of the use of their functions. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { crdt, defineFunction } from "latticework";
import { connect } from "latticework/client";
import { startNode, type FunctionStats, type NodeStats } from "latticework/node";
import { createTestCluster } from "latticework/testing";
import { refuses } from "../support/refuses.ts";

const note = defineFunction({
  state: { text: crdt.register(""), views: crdt.counter() },
  handlers: {
    write(ctx, text: string) {
      ctx.state.text.set(text);
    },
    refuse(ctx) {
      ctx.fail("not_found", "as asked");
    },
    tell(ctx, to: string) {
      ctx.send(note, to).write("told");
    },
    remove(ctx) {
      ctx.delete();
    },
    work(ctx, ms: number) {
      // For so long a real node does nothing else; virtual time stands still.
      for (const until = performance.now() + ms; performance.now() < until;);
      ctx.state.views.add(1);
    },
  },
  queries: { read: (ctx) => ctx.state.text.value },
});
const idle = defineFunction({ state: {}, handlers: { run: () => undefined } });
const functions = { note, idle };

function useOf(stats: NodeStats, name = "note"): FunctionStats {
  const found = stats.functions.find((each) => each.name === name);
  assert.ok(found !== undefined);
  return found;
}

test("a cluster's use of a function is the sum over its nodes", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 3, seed: 2 });
  const keys = Array.from({ length: 20 }, (_, index) => `key-${String(index)}`);
  for (const key of keys) {
    await cluster.client.get("note", key).write("x".repeat(1_000));
    await cluster.client.get("note", key).read();
  }
  await assert.rejects(cluster.client.get("note", "key-0").refuse());
  const uses = cluster.nodes.map((node) => useOf(node.stats({ keys: 100 })));
  const sum = (of: (use: FunctionStats) => number): number =>
    uses.reduce((total, use) => total + of(use), 0);
  assert.equal(
    sum(({ calls }) => calls),
    41,
  );
  assert.equal(
    sum(({ failures }) => failures),
    1,
  );
  assert.equal(
    sum(({ keys: count }) => count),
    20,
  );
  for (const of of ["bytesIn", "bytesOut", "stateBytes"] as const) {
    const bytes = sum((use) => use[of]);
    assert.ok(bytes > 20_000 && bytes < 40_000, `${of}: ${String(bytes)}`);
  }
  const told = uses.flatMap(({ top = [] }) => top.map(({ key }) => key));
  assert.deepEqual(told.sort(), [...keys].sort());
  // Only who led a key ran its calls.
  for (const { top = [] } of uses) for (const { calls } of top) assert.ok(calls >= 2);
});

test("what a function sends counts where it arrives, and what the system does not count", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 1 });
  await cluster.client.get("note", "a").tell("b");
  await cluster.settled();
  const [node] = cluster.nodes;
  assert.ok(node !== undefined);
  const { top = [], calls } = useOf(node.stats({ keys: 10 }));
  assert.equal(calls, 2);
  assert.deepEqual(top.map((use) => `${use.key} ${String(use.calls)}`).sort(), ["a 1", "b 1"]);
});

test("state that has moved to another node, or was deleted, is not told any more", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 3, seed: 4 });
  const kept = cluster.client.get("note", "kept");
  await kept.write("x".repeat(5_000));
  const removed = cluster.client.get("note", "removed");
  await removed.write("x".repeat(5_000));
  await removed.remove();
  const sizes = (key: string): number[] =>
    cluster.nodes
      .filter(({ isRunning }) => isRunning)
      .flatMap((node) => useOf(node.stats({ keys: 10 })).top ?? [])
      .filter((use) => use.key === key)
      .map(({ stateBytes }) => stateBytes);
  assert.deepEqual(sizes("removed"), [0]);
  const first = cluster.primaryOf("note", "kept");
  await cluster.leave(first);
  await cluster.settled();
  assert.deepEqual(sizes("kept"), [], "who serves it now has not been called for it yet");
  await kept.read();
  assert.deepEqual(
    sizes("kept").map((bytes) => bytes > 5_000),
    [true],
  );
  // It moves back: what the second one counted stays, and its size goes.
  const second = cluster.node(cluster.primaryOf("note", "kept"));
  await cluster.restart(first);
  await cluster.settled();
  const isBack = (): boolean => cluster.primaryOf("note", "kept") === first;
  for (let waitedS = 0; waitedS < 60 && !isBack(); waitedS += 1) await cluster.advance(1_000);
  assert.ok(isBack());
  const { top = [] } = useOf(second.stats({ keys: 10 }));
  const there = top.find(({ key }) => key === "kept");
  assert.deepEqual([there?.calls, there?.stateBytes], [1, 0]);
});

test("a real node measures the time that handlers take, from its start on", async () => {
  const before = Date.now();
  await using node = await startNode({ functions, listen: { port: 0 }, logger: "silent" });
  await using client = await connect<typeof functions>({ nodes: [node.address] });
  await client.get("note", "heavy").work(30);
  await client.get("note", "light").work(0);
  await node.get("note", "light").work(0);
  const stats = node.stats({ keys: 2 });
  assert.ok(stats.since >= before && stats.since <= Date.now());
  const { calls, cpuMs, keys, top = [] } = useOf(stats);
  assert.deepEqual([calls, keys], [3, 2]);
  // On a busy machine the light one may have had to wait for the processor.
  const heavy = top.find(({ key }) => key === "heavy");
  assert.ok(heavy !== undefined && heavy.cpuMs >= 30 && heavy.cpuMs <= cpuMs);
  const [first, second] = top;
  assert.ok(first !== undefined && second !== undefined && first.cpuMs >= second.cpuMs);
  assert.deepEqual(useOf(node.stats({ keys: 1 })).top, [first]);
  assert.equal(useOf(stats, "idle").calls, 0);
});

test("one function may be asked for, and what cannot be is refused", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 1 });
  const node = cluster.node("node-1");
  const names = (stats: NodeStats): unknown => stats.functions.map(({ name }) => name);
  assert.deepEqual(names(node.stats()), ["note", "idle"]);
  assert.deepEqual(names(node.stats({ function: "idle" })), ["idle"]);
  assert.equal("top" in useOf(node.stats()), false);
  refuses(() => node.stats({ function: "nota" }), "not_found", /did you mean 'note'/);
  const wrong: readonly [object, RegExp][] = [
    [{ keys: -1 }, /keys must be an integer, 0 … 1,000/],
    [{ keys: 1.5 }, /keys must be/],
    [{ keys: 1_001 }, /keys must be/],
    [{ function: 7 }, /function must be the name/],
    [{ key: 1 }, /unknown option 'key'/],
  ];
  for (const [options, message] of wrong) {
    refuses(() => node.stats(options), "invalid_argument", message);
  }
  refuses(() => node.stats(null as unknown as object), "invalid_argument", /takes an object/);
  cluster.crash("node-1");
  refuses(() => node.stats(), "failed_precondition", /does not run/);
});
