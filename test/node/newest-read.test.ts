/** Queries of several owners, of whom one lags behind the link that carries it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeOf } from "../../src/model/ids.ts";
import type { ReplicationMessage } from "../../src/wire/replication-messages.ts";
import { callFlags, type CallMessage } from "../../src/wire/messages.ts";
import { encodeValue } from "../../src/codec/value-bytes.ts";
import type { functions } from "./support/functions.ts";
import { timing } from "../../src/replication/timing.ts";
import { VirtualCluster } from "./support/virtual-cluster.ts";

/** A cluster of so many nodes; deltas to `lagging` are lost while it is set. */
class Stage {
  readonly cluster: VirtualCluster;
  lagging = "";

  constructor(seed: number) {
    this.cluster = new VirtualCluster(seed);
  }

  /** With a key that a leads. */
  static async of(seed: number, hosts: readonly string[] = three) {
    const stage = new Stage(seed);
    await stage.#form(hosts);
    const { cluster } = stage;
    return { stage, cluster, key: cluster.keyLedBy("a") };
  }

  async #form(hosts: readonly string[]): Promise<void> {
    const losesBatch = ({ entries }: ReplicationMessage, to: string): boolean =>
      nodeOf(to) === this.lagging && entries.some(({ message }) => message.type === "delta");
    await this.cluster.form(hosts, { replicas: 3, buggify: { losesBatch } });
  }

  /** Whether c holds all that a does. */
  isLevel(key: string): boolean {
    const [at, of] = ["c", "a"].map((host) => {
      const { partitions } = this.cluster.node(host).parts;
      return partitions.replica(partitions.partitionOf(`ledger/${key}`))?.progress?.position;
    });
    return at === of;
  }
}

const three = ["a", "b", "c"] as const;
const full = { reply: "full" } as const;

test("the newest of the owners' copies is shown, and who lags has caught up at once", async () => {
  const { stage, cluster, key } = await Stage.of(1);
  const client = await cluster.client("browser", three);
  const handle = client.get("ledger", key);
  await cluster.settled(handle.add(1));
  await cluster.sleep(100);
  const told = (): number => {
    const reads = three.map((host) => cluster.node(host).parts.calls.newestReads);
    return reads.reduce((sum, { toldCount }) => sum + toldCount, 0);
  };
  for (const readFrom of [2, 3] as const) {
    const before = told();
    for (const asked of three) {
      stage.lagging = "c";
      const total = await cluster.settled(handle.add(1));
      stage.lagging = "";
      assert.equal(stage.isLevel(key), false);
      const own = cluster.node(asked).get<typeof functions.ledger>("ledger", key);
      const stale = await cluster.settled(own.with({ readFrom: "any" }).total());
      assert.equal(stale, asked === "c" ? total - 1 : total);
      const toldSoFar = told();
      const read = await cluster.settled(own.with({ readFrom, ...full }).total());
      assert.deepEqual([read.value, read.degraded], [total, false]);
      await cluster.sleep(10);
      assert.equal(stage.isLevel(key), told() > toldSoFar, `${asked} asked ${String(readFrom)}`);
      await cluster.sleep(2_000);
    }
    // Of three pairs of owners two have the one that lags.
    assert.equal(told() - before, readFrom);
  }
  await cluster.end();
});

test("a session that finds an owner behind makes it catch up", async () => {
  const { stage, cluster, key } = await Stage.of(2);
  const client = await cluster.client("browser", ["c"], { session: true });
  const handle = client.get("ledger", key);
  stage.lagging = "c";
  await cluster.settled(handle.add(5));
  stage.lagging = "";
  const any = handle.with({ readFrom: "any" });
  const before = cluster.time.now;
  while (!stage.isLevel(key)) {
    assert.equal(await cluster.settled(any.total()), 5);
    await cluster.sleep(5);
  }
  // Its primary would have noticed as well, but later.
  assert.ok(cluster.time.now - before < timing.resyncMs / 2);
  stage.lagging = "c";
  await cluster.settled(handle.add(1));
  stage.lagging = "";
  assert.equal(await cluster.settled(handle.with({ readFrom: 3 }).total()), 6);
  assert.match(client.token(), /^1\./);
  await cluster.end();
});

test("fewer than so many owners within reach are not enough, fewer than exist are", async () => {
  const { cluster, key } = await Stage.of(3);
  const client = await cluster.client("browser", three);
  const handle = client.get("ledger", key);
  await cluster.settled(handle.add(1));
  cluster.crash("c");
  await cluster.sleep(100);
  const options = { timeoutMs: 2_000 } as const;
  assert.equal(await cluster.settled(handle.with({ readFrom: 2, ...options }).total()), 1);
  await assert.rejects(cluster.settled(handle.with({ readFrom: 3, ...options }).total()), {
    code: "unavailable",
    message: /2 of 3 owners answered; last: /,
  });
  // Once it is known to be gone, and no longer an owner, there are two.
  await cluster.sleep(20_000);
  assert.equal(await cluster.settled(handle.with({ readFrom: 3, ...options }).total()), 1);
  cluster.crash("b");
  await assert.rejects(cluster.settled(handle.with({ readFrom: 2, timeoutMs: 5_000 }).total()), {
    code: /unavailable|deadline_exceeded/,
  } as never);
  await cluster.end();
});

test("an owner that does not answer is made up for by another one", async () => {
  const { cluster, key } = await Stage.of(4);
  const own = cluster.node("a").get<typeof functions.ledger>("ledger", key);
  await cluster.settled(own.add(1));
  cluster.nodes.get("b")?.platform.pause();
  const before = cluster.time.now;
  assert.equal(await cluster.settled(own.with({ readFrom: 2 }).total()), 1);
  assert.ok(cluster.time.now - before < 200);
  await cluster.end();
});

test("a node that is no owner passes it on to one, and hops stay few", async () => {
  const { cluster, key } = await Stage.of(5, ["a", "b", "c", "d"]);
  const { parts } = cluster.node("a");
  const owners = parts.routes.ownersOf(parts.partitions.partitionOf(`ledger/${key}`));
  const stranger = ["b", "c", "d"].find((host) => !owners.includes(host))!;
  const own = cluster.node(stranger).get<typeof functions.ledger>("ledger", key);
  await cluster.settled(own.add(3));
  const read = await cluster.settled(own.with({ readFrom: 2, ...full }).total());
  assert.deepEqual([read.value, read.hops], [3, 1]);
  const client = await cluster.client("browser", [stranger]);
  const there = client.get("ledger", key).with({ readFrom: 7, ...full });
  assert.equal((await cluster.settled(there.total())).value, 3);
  const alone = await Stage.of(6, ["a"]);
  const lone = alone.cluster
    .node("a")
    .get<typeof functions.ledger>("ledger", "k")
    .with({ readFrom: 7 });
  assert.equal(await alone.cluster.settled(lone.total()), 0, "all that exist are one");
  await alone.cluster.end();
  await cluster.end();
});

test("handlers run on the primary, whatever a foreign caller asks for", async () => {
  const { cluster, key } = await Stage.of(7);
  const { calls, partitions } = cluster.node("b").parts;
  const answers: unknown[] = [];
  const call = (count: number, operation: string): CallMessage => ({
    type: "call",
    id: 1,
    partition: partitions.partitionOf(`ledger/${key}`),
    tableId: 0,
    hop: 1,
    functionName: "ledger",
    key,
    operation,
    trace: "",
    caller: "me",
    number: count,
    received: 0,
    timeoutMs: 1_000,
    acks: 0,
    flags: count * callFlags.readCount,
    ageTime: 0,
    ageId: "",
    seen: undefined,
    chain: [],
    input: encodeValue(2),
  });
  const origin = { node: "", answer: (end: unknown) => answers.push(end), done: () => undefined };
  for (const count of [1, 3]) calls.serve(call(count, "add"), origin, undefined, calls.now());
  await cluster.until("both ran", () => answers.length === 2);
  assert.equal(
    await cluster.settled(cluster.node("a").get<typeof functions.ledger>("ledger", key).total()),
    4,
  );
  calls.serve(call(3, "nothing"), origin, undefined, calls.now());
  assert.match(JSON.stringify(answers[2]), /not_found/);
  await cluster.end();
});
