/** Clients that are done leave nothing behind them, and nothing of others goes with it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeValue } from "../../src/codec/value-bytes.ts";
import { crdt } from "../../src/definition/kinds.ts";
import { defineFunction } from "../../src/definition/define-function.ts";
import { belowAny, forgetInput, forgetOperation } from "../../src/functions/caller-operation.ts";
import { EntityAddress } from "../../src/functions/entity-address.ts";
import { LatticeError } from "../../src/model/error.ts";
import { CallerTrail, trailMax } from "../../src/node/sessions/caller-trail.ts";
import { Farewells, farewellsMax } from "../../src/node/calls/farewells.ts";
import type { Value } from "../../src/model/value.ts";
import { silentLogger } from "../../src/platform/silent-logger.ts";
import { createTestCluster } from "../../src/testing/test-cluster.ts";
import { callMessage, callRaw, dialClient } from "./support/raw-peer.ts";
import { VirtualCluster } from "./support/virtual-cluster.ts";

/** Callers of which every copy of an entity keeps results. */
function kept(cluster: VirtualCluster, key: string): readonly (readonly string[])[] {
  return [...cluster.nodes.values()].map(({ node: { parts } }) => {
    const partition = parts.partitions.partitionOf(`ledger/${key}`);
    const entity = parts.partitions.replica(partition)?.committedEntity(`ledger/${key}`);
    return entity?.dedupe.records().map(({ caller }) => caller) ?? [];
  });
}

function isForgotten(cluster: VirtualCluster, keys: readonly string[]): boolean {
  return keys.every((key) => kept(cluster, key).every((callers) => callers.length === 0));
}

const direct = [true, false];
for (const isDirect of direct) {
  test(`a client that is done is forgotten by all it called (${isDirect ? "direct" : "through one node"})`, async () => {
    const cluster = new VirtualCluster(1);
    await cluster.form(["a", "b", "c"]);
    const keys = ["a", "b", "c"].map((host) => cluster.keyLedBy(host));
    const client = await cluster.client("client", ["a"], { direct: isDirect });
    const other = await cluster.client("other", ["b"]);
    for (const key of keys) await cluster.settled(client.get("ledger", key).add(1));
    await cluster.settled(other.get("ledger", keys[0]!).add(1));
    const own = { idempotencyKey: "once" };
    await cluster.settled(client.get("ledger", keys[1]!).with(own).add(1));
    assert.ok(keys.every((key) => kept(cluster, key).some((callers) => callers.length > 0)));
    await cluster.settled(client.close());
    await cluster.until("it is forgotten", () => isForgotten(cluster, keys.slice(2)), 5_000);
    await cluster.sleep(1_000);
    for (const [at, count] of [1, 1, 0].entries()) {
      for (const callers of kept(cluster, keys[at]!)) assert.equal(callers.length, count);
    }
    assert.equal(kept(cluster, keys[1]!)[0]![0], "=once");
    await cluster.settled(other.close());
    await cluster.until("so is the other", () => isForgotten(cluster, [keys[0]!]), 5_000);
    await cluster.end();
  });
}

test("a primary that has changed since is told all the same", async () => {
  const cluster = new VirtualCluster(2);
  await cluster.form(["a", "b", "c"]);
  const key = cluster.keyLedBy("b");
  const client = await cluster.client("client", ["a"], { direct: false });
  await cluster.settled(client.get("ledger", key).add(1));
  cluster.crash("b");
  await cluster.until("somebody else leads it", () =>
    ["a", "c"].some((host) => {
      const { partitions } = cluster.node(host).parts;
      return partitions.isPrimary(partitions.partitionOf(`ledger/${key}`));
    }),
  );
  await cluster.settled(client.close());
  await cluster.until("it is forgotten", () => isForgotten(cluster, [key]), 5_000);
  await cluster.end();
});

test("many short-lived clients of one key leave room for the next", async () => {
  const cluster = new VirtualCluster(3);
  await cluster.form(["a"]);
  for (let n = 0; n < 60; n += 1) {
    const client = await cluster.client(`client-${String(n)}`, ["a"]);
    assert.equal(await cluster.settled(client.get("ledger", "hot").add(1)), n + 1);
    await cluster.settled(client.close());
  }
  await cluster.until("all are forgotten", () => isForgotten(cluster, ["hot"]), 1_000);
  await cluster.end();
});

/** The same call under one protection: sent through a node that stops before it reads it, then through another. */
async function twiceSent(reason: "closed" | "done"): Promise<number> {
  const cluster = new VirtualCluster(4);
  await cluster.form(["a", "b", "c"]);
  const key = cluster.keyLedBy("c");
  const call = { key, caller: "me", number: 1, received: 1, input: encodeValue(1) };
  const early = await dialClient(cluster, "early", "a");
  const late = await dialClient(cluster, "late", "b");
  cluster.nodes.get("a")!.platform.pause();
  early.channel.send(callMessage({ id: 7, ...call }));
  const answer = await callRaw(cluster, late, { ...call, flags: 32 });
  assert.equal(answer.type, "reply");
  late.channel.send({ type: "goodbye", reason });
  late.channel.close(1000, "closed");
  await cluster.sleep(500);
  cluster.nodes.get("a")!.platform.resume();
  await cluster.until("the first attempt is answered", () =>
    early.received.some((message) => message.type === "reply" && message.id === 7),
  );
  const client = await cluster.client("reader", ["b"]);
  const total = await cluster.settled(client.get("ledger", key).total());
  await cluster.end();
  return total;
}

test("an attempt that arrives late does not run again: its client has not said that it is done", async () => {
  assert.equal(await twiceSent("closed"), 1);
  // What a client must never say then.
  assert.equal(await twiceSent("done"), 2);
});

const hits = defineFunction({
  state: { count: crdt.counter() },
  handlers: {
    hit(ctx) {
      ctx.state.count.add(1);
    },
  },
  whenSplit: "refuse",
  queries: { count: (ctx) => ctx.state.count.value },
});

test("whatever happens to nodes, calls of clients that come and go take effect once", async () => {
  for (const seed of [1, 2]) {
    await using cluster = await createTestCluster({ functions: { hits }, nodes: 5, seed });
    const { random } = cluster.time;
    let doneCount = 0;
    let unknownCount = 0;
    const comeAndGo = async (): Promise<void> => {
      for (let n = 0; n < 12; n += 1) {
        await using client = await cluster.connect({ direct: random() < 0.5 });
        try {
          await client.get("hits", "page").with({ timeoutMs: 3_000 }).hit();
          doneCount += 1;
        } catch (error) {
          assert.ok(error instanceof LatticeError);
          if (error.indeterminate) unknownCount += 1;
        }
      }
    };
    const disturb = async (): Promise<void> => {
      for (let n = 0; n < 3; n += 1) {
        const primary = cluster.primaryOf("hits", "page");
        const others = cluster.nodes.filter(({ id }) => id !== primary);
        const victim = others[Math.floor(random() * others.length)]!.id;
        cluster.pause(primary);
        await cluster.advance(random() * 400);
        cluster.crash(victim);
        await cluster.advance(random() * 400);
        cluster.resume(primary);
        await cluster.restart(victim);
        await cluster.settled();
      }
    };
    await Promise.all([comeAndGo(), comeAndGo(), comeAndGo(), disturb()]);
    await cluster.settled();
    const count = await cluster.client.get("hits", "page").count();
    const what = `seed ${String(seed)}: ${String(count)} of ${String(doneCount)}`;
    assert.ok(count >= doneCount && count <= doneCount + unknownCount, what);
    assert.ok(doneCount > 20, what);
  }
});

test("a trail notes the entities of one caller, each once, and no more than so many", () => {
  const trail = new CallerTrail();
  const note = (caller: string, key: string): void => {
    const known = key.endsWith("0") ? new EntityAddress("f", key, 0) : undefined;
    trail.note(callMessage({ functionName: "f", key, caller, number: 1 }), known);
  };
  assert.deepEqual([trail.caller, trail.entities.size], ["", 0]);
  for (let n = 0; n < trailMax + 20; n += 1) {
    note("me", `k${String(n % 300)}`);
    note("me", `k${String(n % 300)}`);
  }
  assert.deepEqual([trail.caller, trail.entities.size], ["me", trailMax]);
  assert.ok(
    trail.entities.has("f/k0") && trail.entities.has("f/k10") && trail.entities.has("f/k11"),
  );
  const mixed = new CallerTrail();
  mixed.note(callMessage({ caller: "me", number: 1 }), undefined);
  mixed.note(callMessage({ caller: "you", number: 1 }), undefined);
  mixed.note(callMessage({ caller: "me", number: 2 }), undefined);
  assert.deepEqual([mixed.caller, mixed.entities.size], ["", 0]);
});

test("farewells are said some at a time, together where they meet, and once", async () => {
  const asked: [string, Value][] = [];
  const ends: (() => void)[] = [];
  const change = (entity: string, operation: string, callers: Value): Promise<void> => {
    assert.equal(operation, forgetOperation);
    asked.push([entity, callers]);
    return new Promise((resolve, reject) => {
      ends.push(asked.length % 2 === 0 ? resolve : reject);
    });
  };
  const farewells = new Farewells({ change }, silentLogger);
  const me = { caller: "me", below: 7 };
  const you = { caller: "you", below: belowAny };
  for (let n = 0; n < 50; n += 1) farewells.say(`f/${String(n)}`, [me]);
  for (const entity of ["f/49", "f/0"]) farewells.say(entity, [you]);
  assert.equal(asked.length, 32);
  while (ends.length > 0) {
    ends.shift()!();
    await Promise.resolve();
    await Promise.resolve();
    await Promise.resolve();
  }
  assert.equal(asked.length, 51);
  const both = forgetInput([me, you]);
  assert.deepEqual(new Map(asked.slice(32)).get("f/49"), both);
  assert.deepEqual(asked.at(-1), ["f/0", forgetInput([you])]);
  for (let n = 0; n < farewellsMax + 100; n += 1) farewells.say(`g/${String(n)}`, [me]);
  assert.ok(farewells.waitingCount <= farewellsMax);
  farewells.stop();
  assert.equal(farewells.waitingCount, 0);
});
