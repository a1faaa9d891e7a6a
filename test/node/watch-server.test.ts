import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeValue } from "../../src/codec/value-bytes.ts";
import type { Message, WatchMessage } from "../../src/wire/messages.ts";
import { dialClient, type RawPeer } from "./support/raw-peer.ts";
import { VirtualCluster } from "./support/virtual-cluster.ts";

function watch(changes: Partial<WatchMessage> = {}): WatchMessage {
  return {
    type: "watch",
    id: 1,
    partition: 0,
    functionName: "ledger",
    key: "k",
    field: "",
    query: false,
    input: new Uint8Array(0),
    resume: "",
    ...changes,
  };
}

/** What came for a watch. */
function heard({ received }: RawPeer, id = 1): Message[] {
  const kinds = ["snapshot", "change", "watch-end"];
  return received.filter(
    (message) => kinds.includes(message.type) && "id" in message && message.id === id,
  );
}

void test("watches that cannot be are ended with what is wrong", async () => {
  const cluster = new VirtualCluster(1);
  await cluster.form(["a"]);
  const peer = await dialClient(cluster, "client", "a");
  const wrong: [Partial<WatchMessage>, string][] = [
    [{ functionName: "nothing" }, "not_found"],
    [{ field: "nothing" }, "not_found"],
    [{ field: "add", query: true }, "invalid_argument"],
    [{ field: "nothing", query: true }, "not_found"],
    [{ key: "" }, "invalid_argument"],
    [{ key: "__proto__" }, "invalid_argument"],
  ];
  for (const [index, [changes]] of wrong.entries()) {
    peer.channel.send(watch({ id: index, ...changes }));
  }
  await cluster.sleep(100);
  for (const [index, [changes, code]] of wrong.entries()) {
    const [end] = heard(peer, index);
    assert.equal(end?.type === "watch-end" && end.code, code, JSON.stringify(changes));
  }
  assert.equal(cluster.node("a").status().watches, 0);
  await cluster.end();
});

void test("a watch of what another node leads is told where to go", async () => {
  const cluster = new VirtualCluster(2);
  await cluster.form(["a", "b", "c"]);
  const peer = await dialClient(cluster, "client", "a");
  peer.channel.send(watch({ key: cluster.keyLedBy("c") }));
  await cluster.until("it is ended", () => heard(peer).length === 1);
  const [end] = heard(peer);
  assert.deepEqual(end?.type === "watch-end" && [end.code, end.primary], ["not_owner", "c"]);
  await cluster.end();
});

void test("a watcher sees committed state only, from any node's calls", async () => {
  const cluster = new VirtualCluster(3);
  await cluster.form(["a", "b", "c"]);
  const key = cluster.keyLedBy("b");
  const peer = await dialClient(cluster, "watcher", "b");
  peer.channel.send(watch({ key, field: "total", query: true }));
  await cluster.until("a first value comes", () => heard(peer).length === 1);
  const client = await cluster.client("client", ["a"], { direct: false });
  // Nothing that b alone holds is shown.
  for (const other of ["a", "c"]) cluster.network.cutOneWay("b", other);
  const call = client.get("ledger", key).add(7);
  await cluster.sleep(300);
  assert.equal(heard(peer).length, 1);
  cluster.network.healAll();
  await cluster.settled(call);
  await cluster.until("the change comes", () => heard(peer).length > 1);
  const last = heard(peer).at(-1);
  assert.equal(
    last?.type === "snapshot" ? decodeValue(last.value) : last?.type,
    last?.type === "snapshot" ? 7 : "change",
  );
  await cluster.end();
});

void test("a watch goes over to the next primary and misses nothing", async () => {
  const cluster = new VirtualCluster(4);
  await cluster.form(["a", "b", "c"]);
  await cluster.sleep(2_000);
  const key = cluster.keyLedBy("b");
  const client = await cluster.client("client", ["a"]);
  const ledger = client.get("ledger", key);
  const seen: number[] = [];
  const watching = (async () => {
    for await (const { total } of ledger.watch()) {
      seen.push(total);
      if (total === 20) return;
    }
  })();
  for (let i = 0; i < 10; i++) await cluster.settled(ledger.add(1));
  cluster.crash("b");
  for (let i = 0; i < 10; i++) await cluster.settled(ledger.add(1));
  await cluster.settled(watching);
  assert.deepEqual(
    seen,
    [...seen].sort((x, y) => x - y),
    "it never steps back",
  );
  await cluster.end();
});

void test("a snapshot too large for its link ends the watch and nothing else", async () => {
  const cluster = new VirtualCluster(5);
  await cluster.form(["a"]);
  const { clients } = cluster.node("a").parts;
  const peer = await dialClient(cluster, "client", "a");
  const value = new Uint8Array(17 * 1024 * 1024);
  clients.send(1, { type: "snapshot", id: 8, version: "v", degraded: false, value });
  await cluster.sleep(100);
  const [end] = heard(peer, 8);
  assert.equal(end?.type === "watch-end" && end.code, "too_large");
  assert.equal(peer.closed, undefined);
  await cluster.end();
});
