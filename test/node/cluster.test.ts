import assert from "node:assert/strict";
import { test } from "node:test";
import type { LatticeError } from "../../src/model/error.ts";
import { VirtualCluster } from "./support/virtual-cluster.ts";

interface FullReply {
  readonly value: unknown;
  readonly hops: number;
  readonly node: string;
  readonly degraded: boolean;
}

/** Adds 1 to `key` again and again until told to stop; counts what was answered and what failed. */
function load(add: (amount: number) => Promise<unknown>, cluster: VirtualCluster, lanes = 4) {
  const result = { answered: 0, errors: [] as LatticeError[] };
  let isOn = true;
  const lane = async (): Promise<void> => {
    while (isOn) {
      try {
        await add(1);
        result.answered += 1;
      } catch (error) {
        result.errors.push(error as LatticeError);
      }
      await new Promise<void>((resolve) => {
        cluster.time.timers.after(3, resolve);
      });
    }
  };
  const done = Promise.all(Array.from({ length: lanes }, lane));
  return {
    result,
    stop: async (): Promise<typeof result> => {
      isOn = false;
      await cluster.settled(done);
      return result;
    },
  };
}

void test("three nodes form a whole cluster within a second", async () => {
  const cluster = new VirtualCluster(1);
  await cluster.form(["a", "b", "c"]);
  assert.ok(cluster.time.now < 1_000, `took ${String(cluster.time.now)} ms`);
  assert.equal(cluster.lines("warn").length + cluster.lines("error").length, 0);
  await cluster.end();
});

void test("partitions are not passed to and fro while tables differ", async () => {
  const cluster = new VirtualCluster(1);
  await cluster.form(["a", "b", "c"]);
  const terms = ["a", "b", "c"].flatMap((host) =>
    cluster
      .node(host)
      .status()
      .primaries.map(({ term }) => term),
  );
  assert.ok(Math.max(...terms) <= 4, `a partition had ${String(Math.max(...terms))} reigns`);
  await cluster.end();
});

void test("a direct call takes one hop, a forwarded one two", async () => {
  const cluster = new VirtualCluster(2);
  await cluster.form(["a", "b", "c"]);
  const key = cluster.keyLedBy("b");
  const direct = await cluster.client("client-1", ["a"]);
  const through = await cluster.client("client-2", ["a"], { direct: false });
  const first = (await cluster.settled(
    direct.get("ledger", key).with({ reply: "full" }).add(2),
  )) as unknown as FullReply;
  assert.deepEqual([first.value, first.hops, first.node], [2, 1, "b"]);
  const second = (await cluster.settled(
    through.get("ledger", key).with({ reply: "full" }).add(3),
  )) as unknown as FullReply;
  assert.deepEqual([second.value, second.hops, second.node], [5, 2, "b"]);
  assert.equal(cluster.node("a").status().counters.forwarded, 1);
  await cluster.end();
});

void test("a crash of a primary loses no answered call and doubles none", async () => {
  const cluster = new VirtualCluster(3);
  await cluster.form(["a", "b", "c"]);
  const key = cluster.keyLedBy("b");
  const client = await cluster.client("client", ["a", "c"]);
  const ledger = client.get("ledger", key);
  const { stop } = load((amount) => ledger.add(amount), cluster);
  await cluster.sleep(500);
  cluster.crash("b");
  await cluster.sleep(3_000);
  const { answered, errors } = await stop();
  assert.deepEqual(errors, []);
  assert.equal(await cluster.settled(ledger.total()), answered);
  await cluster.end();
});

void test("each node of three leaves in turn under load, and no call fails", async () => {
  const cluster = new VirtualCluster(4);
  await cluster.form(["a", "b", "c"]);
  const client = await cluster.client("client", ["a", "b", "c"]);
  const ledgers = Array.from({ length: 12 }, (_, i) => client.get("ledger", `k${String(i)}`));
  let turn = 0;
  const { stop } = load((amount) => ledgers[turn++ % 12]!.add(amount), cluster, 8);
  for (const host of ["a", "b", "c"]) {
    const { node } = cluster.nodes.get(host)!;
    const from = cluster.time.now;
    await cluster.settled(node.leave());
    assert.ok(
      cluster.time.now - from < 5_000,
      `leaving took ${String(cluster.time.now - from)} ms`,
    );
    cluster.crash(host);
    await cluster.start(host, { join: ["a", "b", "c"].map((each) => cluster.address(each)) });
    await cluster.until("whole again", () => cluster.isWhole, 60_000);
  }
  const { answered, errors } = await stop();
  assert.deepEqual(errors, []);
  let total = 0;
  for (const ledger of ledgers) total += await cluster.settled(ledger.total());
  assert.equal(total, answered);
  assert.deepEqual(cluster.lines("error"), []);
  await cluster.end();
});

void test("one of two nodes leaves, and the other serves on with everything", async () => {
  const cluster = new VirtualCluster(5);
  await cluster.form(["a", "b"]);
  const key = cluster.keyLedBy("a");
  const client = await cluster.client("client", ["a", "b"]);
  await cluster.settled(client.get("ledger", key).add(7));
  const from = cluster.time.now;
  await cluster.settled(cluster.node("a").leave());
  assert.ok(cluster.time.now - from < 5_000);
  cluster.crash("a");
  const reply = (await cluster.settled(
    client.get("ledger", key).with({ reply: "full" }).add(1),
  )) as unknown as FullReply;
  assert.deepEqual([reply.value, reply.degraded, reply.node], [8, false, "b"]);
  await cluster.end();
});

void test("the last node leaves at once and says what goes with it", async () => {
  const cluster = new VirtualCluster(6);
  await cluster.form(["a"]);
  const from = cluster.time.now;
  await cluster.settled(cluster.node("a").leave());
  assert.ok(cluster.time.now - from < 1_000);
  assert.match(cluster.lines("warn", "a").at(-1)!.message, /last node leaves/);
});

void test("both sides of a split serve, and nothing that was answered is lost when it heals", async () => {
  const cluster = new VirtualCluster(7);
  await cluster.form(["a", "b", "c"]);
  const key = cluster.keyLedBy("a");
  const lonely = await cluster.client("client-1", ["a"], { direct: false });
  const others = await cluster.client("client-2", ["b"], { direct: false });
  await cluster.settled(others.get("ledger", key).add(1));
  for (const other of ["b", "c"]) cluster.network.cut("a", other);
  await cluster.sleep(12_000);
  const alone = (await cluster.settled(
    lonely.get("ledger", key).with({ reply: "full" }).add(10),
  )) as unknown as FullReply;
  const together = (await cluster.settled(
    others.get("ledger", key).with({ reply: "full" }).add(100),
  )) as unknown as FullReply;
  assert.deepEqual([alone.degraded, together.degraded], [true, false]);
  cluster.network.healAll();
  await cluster.until("whole again", () => cluster.isWhole, 120_000);
  assert.equal(await cluster.settled(others.get("ledger", key).total()), 111);
  await cluster.end();
});

void test("strict functions are refused on the lonely side of a split", async () => {
  const cluster = new VirtualCluster(8);
  await cluster.form(["a", "b", "c"]);
  const lonely = await cluster.client("client-1", ["a"], { direct: false });
  for (const other of ["b", "c"]) cluster.network.cut("a", other);
  await cluster.sleep(12_000);
  await assert.rejects(
    cluster.settled(lonely.get("strict", "k").with({ timeoutMs: 2_000 }).add(1)),
    (error: LatticeError) => error.code === "unavailable" || error.code === "deadline_exceeded",
  );
  await cluster.end();
});

void test("a message that crosses nodes from an outbox takes effect once, over a crash", async () => {
  const cluster = new VirtualCluster(9);
  await cluster.form(["a", "b", "c"]);
  const from = cluster.keyLedBy("b");
  const to = cluster.keyLedBy("c");
  const client = await cluster.client("client", ["a"]);
  const calls = Array.from({ length: 20 }, () =>
    client.get("ledger", from).tell({ key: to, amount: 1 }),
  );
  await cluster.settled(Promise.all(calls));
  cluster.crash("b");
  await cluster.until(
    "the outbox is empty",
    () => [...cluster.nodes.values()].every(({ node }) => node.status().outboxDepth === 0),
    60_000,
  );
  await cluster.sleep(2_000);
  assert.equal(await cluster.settled(client.get("ledger", to).total()), 20);
  await cluster.end();
});

void test("an ask reaches another node and answers", async () => {
  const cluster = new VirtualCluster(10);
  await cluster.form(["a", "b", "c"]);
  const client = await cluster.client("client", ["a"]);
  const long = "x".repeat(400);
  const from = `${cluster.keyLedBy("b")}-${long}`;
  const to = cluster.keyLedBy("c");
  assert.equal(await cluster.settled(client.get("ledger", from).ask({ key: to, amount: 5 })), 5);
  await cluster.end();
});
