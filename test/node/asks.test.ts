/** Entities that ask each other, in a whole cluster: whoever must not wait has to let go. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { crdt, defineFunction } from "../../src/entry/main.ts";
import { createTestCluster } from "../../src/entry/testing.ts";
import { EntityAddress } from "../../src/functions/entity-address.ts";
import { NodeCall, type NodeCallOwner } from "../../src/node/calls/node-call.ts";
import { failureOf, noBytes } from "../../src/node/calls/served-call.ts";
import { LatticeError } from "../../src/model/error.ts";
import { limits } from "../../src/model/limits.ts";
import { VirtualTime } from "../../src/platform/virtual/virtual-time.ts";
import { RetryBudget } from "../../src/routing/retry-budget.ts";
import { RetryPolicy } from "../../src/routing/retry-policy.ts";
import type { CallMessage } from "../../src/wire/messages.ts";

const deadlineMs = 10_000;

const peer = defineFunction({
  whenSplit: "refuse",
  deadlineMs,
  state: { visits: crdt.counter() },
  handlers: {
    async visit(ctx, path: readonly string[]): Promise<number> {
      ctx.state.visits.add(1);
      const [next, ...rest] = path;
      return next === undefined ? 1 : 1 + (await ctx.get(peer, next).visit(rest));
    },
    tour(ctx, [first = "", ...rest]: readonly string[]): void {
      ctx.send(peer, first).visit(rest);
    },
  },
  queries: { visits: ({ state }) => state.visits.value },
});
const functions = { peer };

const callCount = 24;
const keys = ["a", "b"] as const;

/** Each call goes from one of the two to the other: half of them against the other half. */
const crossing = Array.from({ length: callCount }, (_, n) => ({
  from: keys[n % 2]!,
  to: keys[(n + 1) % 2]!,
}));

test("two entities that ask each other, called by many at once, do not wait for their deadlines", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 3, seed: 21 });
  const calls = crossing.map(({ from, to }) => cluster.client.get("peer", from).visit([to]));
  assert.deepEqual(await Promise.all(calls), new Array<number>(callCount).fill(2));
  // A run that had to let go took no effect itself, and what it had asked for took effect once.
  for (const key of keys) {
    assert.equal(await cluster.client.get("peer", key).visits(), callCount);
  }
  const refused = cluster.nodes.map((node) => node.status().counters.aborted);
  assert.ok(refused.reduce((sum, count) => sum + count, 0) > 0, "nobody had to let go");
});

test("nor do those that handles of nodes call", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 3, seed: 22 });
  const calls = crossing.map(({ from, to }, n) =>
    cluster
      .node(`node-${String(1 + (n % 3))}`)
      .get("peer", from)
      .visit([to]),
  );
  assert.deepEqual(await Promise.all(calls), new Array<number>(callCount).fill(2));
});

test("nor do those that outboxes call", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 3, seed: 23 });
  const startedAt = cluster.time.now;
  const { client } = cluster;
  const tours = crossing.map(({ from, to }, n) =>
    client.get("peer", `sender ${String(n)}`).tour([from, to]),
  );
  await Promise.all(tours);
  await cluster.settled();
  assert.ok(cluster.time.now - startedAt < deadlineMs, "something waited for its deadline");
  for (const key of keys) {
    assert.equal(await cluster.client.get("peer", key).visits(), callCount);
  }
});

test("calls ask calls as deep as they may, also those of a client that has made many", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 3, seed: 25 });
  const path = Array.from({ length: limits.callDepthMax }, (_, n) => `k${String(n)}`);
  const handle = cluster.client.get("peer", "first");
  assert.equal(await handle.visit(path), path.length + 1);
  for (let n = 0; n < 20; n++) await handle.visit([]);
  assert.equal(await handle.visit(path), path.length + 1);
  assert.equal(await cluster.client.get("peer", "k15").visits(), 2);
});

test("a call of a node that was refused keeps the age of its start over all attempts", async () => {
  const time = new VirtualTime({ seed: 24 });
  const sent: CallMessage[] = [];
  const owner: NodeCallOwner = {
    self: "n",
    tableId: 0,
    policy: new RetryPolicy(time.random, new RetryBudget()),
    timers: time.timers,
    now: () => time.clock.now(),
    giveAge: (call) => {
      call.ageTime = 1 + call.startedAt;
      call.ageId = "n:1";
    },
    chooseTarget: () => "other",
    submit: () => assert.fail("it is not led here"),
    serve: () => assert.fail("it is a turn and no more"),
    send: (_node, message) => sent.push(message),
    cancelSent: () => undefined,
    settled: () => undefined,
  };
  const options = { caller: "n", number: 1, received: () => 1, input: noBytes, timeoutMs: 60_000 };
  const call = new NodeCall(
    owner,
    {
      ...{ functionName: "peer", key: "a", operation: "visit", isQuery: false, ...options },
      ...{
        outbox: false,
        isRetry: false,
        whenSplit: "refuse",
        readFrom: "primary",
        session: undefined,
        acks: undefined,
      },
      ...{ strictAcks: false, ageTime: 0, ageId: "", chain: [], trace: "" },
    },
    new EntityAddress("peer", "a", 7),
    () => undefined,
  );
  const { startedAt } = call;
  call.attempt();
  for (let attempts = 1; attempts <= 3; attempts++) {
    assert.equal(sent.length, attempts);
    call.answered(failureOf(0, new LatticeError("aborted", "give way"), "other"));
    await time.sleep(2_000);
  }
  const ages = sent.map(({ ageTime, ageId }) => [ageTime, ageId]);
  assert.deepEqual(ages, [
    [0, ""],
    [1 + startedAt, "n:1"],
    [1 + startedAt, "n:1"],
    [1 + startedAt, "n:1"],
  ]);
  call.cancel(new LatticeError("cancelled", "the test is over"));
});
