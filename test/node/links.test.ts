import assert from "node:assert/strict";
import { test } from "node:test";
import type { NodeIdentity } from "../../src/wire/messages.ts";
import { closeCodes } from "../../src/wire/close-codes.ts";
import { dialNode } from "./support/raw-peer.ts";
import { VirtualCluster } from "./support/virtual-cluster.ts";

function identity(changes: Partial<NodeIdentity> = {}): NodeIdentity {
  return {
    id: "z",
    boot: 5_000,
    address: "ws://z:7400",
    zone: "",
    weight: 1,
    settings: { partitionCount: 64, replicas: 3, placementVersion: 1 },
    ...changes,
  };
}

/** How often `a` has lost a link since the test began. */
function lostLinks(cluster: VirtualCluster): number {
  return cluster.lines("debug").filter(({ message }) => message === "link lost").length;
}

void test("nodes that dial each other at once end with one link that never broke", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const cluster = new VirtualCluster(seed);
    const hosts = ["a", "b", "c", "d"];
    const join = hosts.map((host) => cluster.address(host));
    for (const host of hosts) await cluster.begin(host, { join, minNodes: 4 });
    const ready = await cluster.until("whole", () => cluster.isWhole, 10_000);
    assert.ok(ready < 3_000, `seed ${String(seed)}: whole after ${String(ready)} ms`);
    await cluster.sleep(5_000);
    assert.equal(lostLinks(cluster), 0, `seed ${String(seed)}`);
    for (const host of hosts) {
      assert.equal([...cluster.node(host).parts.links.upLinks()].length, 3);
      // Two channels to each of three others, and those that lost have been closed.
      assert.equal(cluster.network.connectionCount(host), 6, `seed ${String(seed)}, ${host}`);
    }
    await cluster.end();
  }
});

void test("links that break all at once are back within a moment", async () => {
  const cluster = new VirtualCluster(1);
  await cluster.form(["a", "b", "c"]);
  await cluster.sleep(2_000);
  for (const [one, other] of [
    ["a", "b"],
    ["b", "c"],
    ["a", "c"],
  ] as const) {
    cluster.network.reset(one, other);
  }
  const linked = (): boolean =>
    ["a", "b", "c"].every((host) => [...cluster.node(host).parts.links.upLinks()].length === 2);
  await cluster.until("the links broke", () => !linked(), 1_000);
  assert.ok((await cluster.until("all are linked", linked, 5_000)) < 250);
  await cluster.sleep(5_000);
  assert.ok(linked());
  const dead = cluster.lines("info").filter(({ message }) => message === "members: dead");
  assert.deepEqual(dead, []);
  await cluster.end();
});

void test("a node that dies while it is dialled anew is known to be lost at once", async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const cluster = new VirtualCluster(seed);
    await cluster.form(["a", "b", "c"]);
    await cluster.sleep(2_000);
    const { peers } = cluster.node("a").parts;
    const lost = peers.presentOf("b")!;
    const slow = { delayMs: () => 5, bytesPerMs: 1_000_000 };
    cluster.network.setLink("a", "b", slow);
    cluster.network.setLink("b", "a", slow);
    cluster.network.reset("a", "b");
    // By then b has taken a's dial, and not answered a hello.
    await cluster.sleep(12);
    assert.equal(peers.lost(lost), false);
    cluster.crash("b");
    const tookMs = await cluster.until("a knows", () => peers.lost(lost), 1_000);
    assert.ok(tookMs < 50, `seed ${String(seed)}: after ${String(tookMs)} ms`);
    await cluster.end();
  }
});

void test("a call goes on over a link that broke, and takes effect once", async () => {
  const cluster = new VirtualCluster(2);
  await cluster.form(["a", "b", "c"]);
  await cluster.sleep(2_000);
  const key = cluster.keyLedBy("b");
  const client = await cluster.client("client", ["a"], { direct: false });
  const calls = [];
  for (let i = 0; i < 40; i++) {
    calls.push(client.get("ledger", key).add(1));
    if (i % 10 === 5) cluster.network.reset("a", "b");
    await cluster.sleep(2);
  }
  await cluster.settled(Promise.all(calls));
  assert.equal(await cluster.settled(client.get("ledger", key).total()), 40);
  await cluster.end();
});

void test("a peer that dials anew has lost the link, and with it what was sent over it since", async () => {
  const cluster = new VirtualCluster(6);
  await cluster.form(["a", "b", "c"]);
  await cluster.sleep(8_000);
  const key = cluster.keyLedBy("b");
  const client = await cluster.client("client", ["a"], { direct: false });
  await cluster.settled(client.get("ledger", key).add(1));
  // What ends the link for a is slow to come, and what b sends over a new one is not.
  cluster.network.setLink("b", "a", { delayMs: () => 3_000, bytesPerMs: 1_000_000 });
  cluster.network.reset("a", "b");
  cluster.network.setLink("b", "a", undefined);
  const calledAt = cluster.time.now;
  await cluster.settled(client.get("ledger", key).with({ timeoutMs: 20_000 }).add(1));
  const tookMs = cluster.time.now - calledAt;
  assert.ok(tookMs < 1_500, `answered after ${String(tookMs)} ms`);
  assert.equal(await cluster.settled(client.get("ledger", key).total()), 2);
  await cluster.settled(client.close());
  await cluster.end();
});

void test("a link of which one channel never comes is given up", async () => {
  const cluster = new VirtualCluster(3);
  await cluster.form(["a"]);
  const half = await dialNode(cluster, identity(), "a", "control");
  assert.equal(half.received[0]?.type, "welcome");
  assert.deepEqual([...cluster.node("a").parts.links.upLinks()], []);
  await cluster.sleep(11_000);
  assert.notEqual(half.closed, undefined);
  await cluster.end();
});

void test("an address that welcomes control and has no data channel is not hammered", async () => {
  const cluster = new VirtualCluster(4);
  await cluster.form(["a"]);
  const platform = cluster.time.node("z");
  const transport = cluster.network.transportFor("z", platform.input);
  let dials = 0;
  await cluster.settled(
    transport.listen({ port: 7400 }, (connection) => {
      dials += 1;
      connection.terminate();
      return { frame: () => undefined, close: () => undefined };
    }),
  );
  const control = await dialNode(cluster, identity(), "a", "control");
  const data = await dialNode(cluster, identity(), "a", "data");
  await cluster.until("linked", () => cluster.node("a").parts.links.link("z") !== undefined);
  control.channel.terminate();
  data.channel.terminate();
  await cluster.sleep(10_000);
  assert.ok(dials > 2 && dials < 40, `${String(dials)} dials in 10 s`);
  await cluster.end();
});

void test("a control channel takes no large message, in either direction", async () => {
  const cluster = new VirtualCluster(5);
  await cluster.form(["a"]);
  const control = await dialNode(cluster, identity(), "a", "control");
  await dialNode(cluster, identity(), "a", "data");
  control.channel.become({ incoming: "control", outgoing: "data" });
  control.channel.send({
    type: "replication",
    from: "z#5000",
    to: "a#1",
    message: {
      entries: [
        {
          partition: 1,
          message: {
            type: "forked",
            commits: [
              { entity: "ledger/k", writer: 1, sequence: 1, delta: new Uint8Array(60_000) },
            ],
          },
        },
      ],
    },
  });
  await cluster.until("it is closed", () => control.closed !== undefined);
  assert.equal(control.closed!.code, closeCodes.tooLarge);
  const error = cluster.node("a").parts.links.send("z", "control", {
    type: "goodbye",
    reason: "idle",
  });
  assert.equal(error, undefined);
  await cluster.end();
});

void test("a node that speaks of another number of partitions is told which setting differs", async () => {
  const cluster = new VirtualCluster(6);
  await cluster.form(["a"]);
  const settings = { partitionCount: 128, replicas: 3, placementVersion: 1 };
  const peer = await dialNode(cluster, identity({ settings }), "a", "control");
  const answer = peer.received[0];
  assert.equal(answer?.type === "refused" && answer.code, "settings_mismatch");
  assert.match(answer?.type === "refused" ? answer.message : "", /partitionCount is 128/);
  await cluster.end();
});

void test("a node of the same id and boot is told that it speaks to itself", async () => {
  const cluster = new VirtualCluster(7);
  await cluster.form(["a"]);
  const own = cluster.node("a").identity;
  const peer = await dialNode(cluster, own, "a", "control");
  const answer = peer.received[0];
  assert.equal(answer?.type === "refused" && answer.code, "same_node");
  await cluster.end();
});

void test("a new life of a node is let in as soon as the link of the old one breaks", async () => {
  const cluster = new VirtualCluster(8);
  await cluster.form(["a"]);
  const old = [
    await dialNode(cluster, identity(), "a", "control"),
    await dialNode(cluster, identity(), "a", "data"),
  ];
  await cluster.until("linked", () => cluster.node("a").parts.links.link("z") !== undefined);
  const later = identity({ boot: 9_000 });
  let welcomedAt = 0;
  const dialling = dialNode(cluster, later, "a", "control").then((peer) => {
    welcomedAt = cluster.time.now;
    return peer;
  });
  await cluster.sleep(300);
  assert.equal(welcomedAt, 0);
  const brokeAt = cluster.time.now;
  for (const { channel } of old) channel.terminate();
  const peer = await cluster.settled(dialling);
  assert.equal(peer.received[0]?.type, "welcome");
  assert.ok(welcomedAt - brokeAt < 500, `waited ${String(welcomedAt - brokeAt)} ms`);
  await cluster.end();
});

void test("messages of a node that no node sends are no harm", async () => {
  const cluster = new VirtualCluster(9);
  await cluster.form(["a"]);
  await dialNode(cluster, identity(), "a", "control");
  const data = await dialNode(cluster, identity(), "a", "data");
  await cluster.until("linked", () => cluster.node("a").parts.links.link("z") !== undefined);
  data.channel.send({ type: "unwatch", id: 7 });
  data.channel.send({ type: "primaries", entries: [{ partition: 65_535, term: 9 }] });
  data.channel.send({ type: "cancel", id: 99 });
  data.channel.send({
    type: "reply",
    id: 4,
    flags: 0,
    copies: 1,
    hops: 1,
    node: "z",
    seen: undefined,
    value: new Uint8Array(0),
  });
  await cluster.sleep(200);
  assert.equal(data.closed, undefined);
  assert.ok(cluster.lines("warn").some(({ message }) => message.includes("only clients exchange")));
  assert.deepEqual(cluster.lines("error"), []);
  await cluster.end();
});

void test("a copy too large for one message holds up nobody, and arrives", async () => {
  const cluster = new VirtualCluster(10);
  await cluster.form(["a"]);
  const client = await cluster.client("client", ["a"]);
  const key = cluster.keyLedBy("a");
  const others = Array.from({ length: 200 }, (_, i) => `k${String(i)}`);
  // 18 MB in one partition, where a tag brings them together.
  for (let i = 0; i < 20; i++) {
    const ledger = client.get("ledger", `${String(i)}{${tagOf(key)}}`);
    await cluster.settled(ledger.keep("x".repeat(900_000)));
  }
  for (const other of others) await cluster.settled(client.get("ledger", other).add(1));
  await cluster.start("b");
  await cluster.sleep(3_000);
  const status = cluster.node("b").status();
  assert.equal(status.copies, 64);
  assert.deepEqual(cluster.node("a").status().underReplicated, []);
  assert.deepEqual(cluster.lines("error"), []);
  await cluster.end();
});

function tagOf(key: string): string {
  return `tag-${key}`;
}
