import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeValue, encodeValue } from "../../src/codec/value-bytes.ts";
import type { LatticeError } from "../../src/model/error.ts";
import { limits } from "../../src/model/limits.ts";
import { closeCodes } from "../../src/wire/close-codes.ts";
import { callFlags, type CallMessage, type TableMessage } from "../../src/wire/messages.ts";
import type { ledger } from "./support/functions.ts";
import { VirtualCluster } from "./support/virtual-cluster.ts";
import { callMessage, callRaw, dialClient, dialRaw } from "./support/raw-peer.ts";

void test("what only nodes may say of a call is refused from clients", async () => {
  const cluster = new VirtualCluster(1);
  await cluster.form(["a"]);
  const peer = await dialClient(cluster, "client", "a");
  const refused: [Partial<CallMessage>, string, RegExp][] = [
    [{ flags: callFlags.outbox, caller: "@x:ledger/k", number: 1 }, "invalid_argument", /outbox/],
    [{ chain: ["ledger/other"] }, "invalid_argument", /chain/],
    [{ caller: "@1a:ledger/other", number: 3 }, "invalid_argument", /caller "@1a/],
    [{ caller: "client\tledger/other", number: 3 }, "invalid_argument", /caller "client\\t/],
    [{ caller: "client\nledger/other", number: 3 }, "invalid_argument", /caller "client\\n/],
    [{ caller: "=key", number: 3 }, "invalid_argument", /caller "=key"/],
    [{ functionName: "__proto__" }, "not_found", /no function/],
    [{ functionName: "no such" }, "not_found", /no function/],
    [{ operation: "constructor" }, "not_found", /constructor/],
    [{ key: "" }, "invalid_argument", /must not be empty/],
    [{ key: "__proto__" }, "invalid_argument", /reserved/],
    [{ key: "a\u0000b" }, "invalid_argument", /control character/],
    [{ key: "x".repeat(513) }, "invalid_argument", /longer than 512/],
    [{ key: "x".repeat(4_000) }, "invalid_argument", /longer than 512/],
  ];
  for (const [changes, code, message] of refused) {
    const answer = await callRaw(cluster, peer, changes);
    assert.equal(answer.type, "failure");
    assert.equal(answer.code, code, JSON.stringify(changes));
    assert.match(answer.message, message);
  }
  assert.equal(cluster.node("a").status().counters.served, 0);
  assert.equal(cluster.node("a").status().entities, 0);
  await cluster.end();
});

void test("an input above the limit is answered, not cut off", async () => {
  const cluster = new VirtualCluster(1);
  await cluster.form(["a"]);
  const peer = await dialClient(cluster, "client", "a");
  // As a foreign client: ours refuses to write it.
  peer.channel.become({ incoming: "to-client", outgoing: "data" });
  const input = encodeValue(new Uint8Array(limits.clientPayloadBytesMax));
  const answer = await callRaw(cluster, peer, { input });
  assert.equal(answer.type === "failure" && answer.code, "too_large");
  assert.equal(peer.closed, undefined);
  await cluster.end();
});

void test("a client is one leg away, whatever it says", async () => {
  const cluster = new VirtualCluster(2);
  await cluster.form(["a", "b", "c"]);
  const peer = await dialClient(cluster, "client", "a");
  const key = cluster.keyLedBy("b");
  for (const hop of [0, 3, 255]) {
    const answer = await callRaw(cluster, peer, { key, hop });
    assert.deepEqual(answer.type === "reply" && [answer.hops, answer.node], [2, "b"]);
  }
  await cluster.end();
});

void test("a failure whose data does not fit is told without it", async () => {
  const cluster = new VirtualCluster(3);
  await cluster.form(["a", "b", "c"]);
  const client = await cluster.client("client", ["a"], { direct: false });
  const key = cluster.keyLedBy("b");
  const error: unknown = await cluster.settled(
    client
      .get("ledger", key)
      .refuse(20 * 1024 * 1024)
      .catch((thrown: unknown) => thrown),
  );
  assert.equal((error as LatticeError).code, "failed_precondition");
  assert.match((error as LatticeError).message, /as asked.*too large/);
  assert.equal(await cluster.settled(client.get("ledger", key).add(1)), 1);
  await cluster.end();
});

void test("calls beyond the bound of a connection are refused, and the others answered", async () => {
  const cluster = new VirtualCluster(4);
  await cluster.form(["a"]);
  const peer = await dialClient(cluster, "client", "a");
  const input = encodeValue(1_000);
  const count = limits.callsPerConnectionMax + 10;
  for (let i = 0; i < count; i++) {
    const key = `slow-${String(i)}`;
    peer.channel.send(callMessage({ id: i, operation: "slowly", key, input }));
  }
  const answers = (): number => peer.received.length - 2;
  await cluster.until("all are answered", () => answers() === count);
  const failures = peer.received.filter((message) => message.type === "failure");
  assert.equal(failures.length, 10);
  for (const failure of failures) {
    assert.equal(failure.code, "overloaded");
    assert.ok(failure.retryAfterMs > 0);
  }
  await cluster.end();
});

void test("what a client asked for ends with its connection", async () => {
  const cluster = new VirtualCluster(5);
  await cluster.form(["a"]);
  const peer = await dialClient(cluster, "client", "a");
  for (let i = 0; i < 5; i++) {
    peer.channel.send(callMessage({ id: i, operation: "slowly", input: encodeValue(10_000) }));
  }
  peer.channel.send({
    type: "watch",
    id: 1,
    partition: 0,
    functionName: "ledger",
    key: "k",
    field: "",
    query: false,
    input: new Uint8Array(0),
    resume: "",
  });
  const { node } = cluster.nodes.get("a")!;
  await cluster.until("it came", () => node.status().callsInFlight === 5);
  assert.deepEqual([node.status().clients, node.status().watches], [1, 1]);
  peer.channel.terminate();
  await cluster.until("it ended", () => node.status().callsInFlight === 0, 1_000);
  assert.deepEqual([node.status().clients, node.status().watches], [0, 0]);
  await cluster.end();
});

void test("a connection that does not say hello is closed after five seconds", async () => {
  const cluster = new VirtualCluster(6);
  await cluster.form(["a"]);
  const peer = await dialRaw(cluster, "silent", "a");
  await cluster.sleep(4_900);
  assert.equal(peer.closed, undefined);
  await cluster.sleep(200);
  assert.equal(peer.closed!.code, closeCodes.handshake);
  assert.equal(cluster.node("a").parts.links.greetingCount, 0);
  await cluster.end();
});

void test("strangers that say nothing are turned away when they are too many", async () => {
  const cluster = new VirtualCluster(7);
  await cluster.form(["a"]);
  const peers = [];
  for (let i = 0; i < limits.greetingConnectionsMax; i++) {
    peers.push(await dialRaw(cluster, `silent-${String(i)}`, "a"));
  }
  const more = await dialRaw(cluster, "one-more", "a");
  await cluster.until("it is turned away", () => more.closed !== undefined, 1_000);
  assert.equal(more.closed!.code, closeCodes.overloaded);
  assert.ok(peers.every(({ closed }) => closed === undefined));
  await cluster.sleep(6_000);
  assert.ok(peers.every(({ closed }) => closed !== undefined));
  const late = await dialClient(cluster, "late", "a");
  assert.equal(late.closed, undefined);
  await cluster.end();
});

void test("one host cannot take all the room of strangers", async () => {
  const cluster = new VirtualCluster(8);
  await cluster.form(["a"]);
  const { parts } = cluster.node("a");
  const made = Array.from({ length: limits.greetingConnectionsPerAddressMax + 1 }, (_, i) => {
    const closed: number[] = [];
    parts.links.accept({
      state: "open",
      remoteAddress: `10.0.0.1:${String(50_000 + i)}`,
      bufferedBytes: 0,
      send: () => undefined,
      close: (code) => closed.push(code),
      terminate: () => undefined,
    });
    return closed;
  });
  assert.deepEqual(made.slice(0, -1).flat(), []);
  assert.deepEqual(made.at(-1), [closeCodes.overloaded]);
  await cluster.end();
});

void test("a suspicion alone sends no table, a death does", async () => {
  const cluster = new VirtualCluster(9);
  await cluster.form(["a", "b", "c"]);
  const peer = await dialClient(cluster, "client", "a");
  await cluster.sleep(1_000);
  const before = peer.received.length;
  const pause = cluster.nodes.get("c")!.platform;
  pause.pause();
  await cluster.until(
    "c is suspect",
    () => cluster.node("a").parts.cluster.members.get("c")?.status === "suspect",
  );
  await cluster.sleep(100);
  const full = (): TableMessage[] =>
    peer.received.slice(before).filter((m): m is TableMessage => m.type === "table" && m.full);
  assert.equal(full().length, 0);
  pause.resume();
  await cluster.sleep(3_000);
  assert.equal(full().length, 0);
  cluster.crash("c");
  await cluster.until("a table without c comes", () =>
    full().some(({ members }) => members.every(({ id }) => id !== "c")),
  );
  await cluster.end();
});

void test("a client of several nodes ends with the same table from each", async () => {
  const cluster = new VirtualCluster(10);
  await cluster.form(["a", "b", "c", "d"]);
  const hosts = ["a", "b", "d"];
  const peers = [];
  for (const host of hosts) peers.push(await dialClient(cluster, `client-${host}`, host));
  cluster.crash("c");
  await cluster.sleep(1_000);
  await cluster.start("c", { join: [cluster.address("a")] });
  await cluster.until("whole", () => cluster.isWhole && cluster.isHome, 120_000);
  await cluster.sleep(500);
  const tables = peers.map(({ received }) => {
    const owners = new Map<number, string>();
    for (const message of received) {
      if (message.type !== "table") continue;
      for (const { partition, members } of message.owners) {
        owners.set(partition, members.map((index) => message.members[index]!.id).join(" "));
      }
    }
    return owners;
  });
  assert.equal(tables[0]!.size, 64);
  assert.deepEqual(tables[1], tables[0]);
  assert.deepEqual(tables[2], tables[0]);
  await cluster.end();
});

void test("an idempotency key makes two calls one, also over a crash and from another client", async () => {
  const cluster = new VirtualCluster(11);
  await cluster.form(["a", "b", "c"]);
  const key = cluster.keyLedBy("b");
  const first = await cluster.client("client-1", ["a"]);
  const once = (client: typeof first, idempotencyKey: string) =>
    cluster.settled(client.get("ledger", key).with({ idempotencyKey }).add(5));
  assert.equal(await once(first, "order-1"), 5);
  assert.equal(await once(first, "order-1"), 5);
  assert.equal(await once(first, "@order>2="), 10);
  cluster.crash("b");
  const second = await cluster.client("client-2", ["c"]);
  assert.equal(await once(second, "order-1"), 5);
  assert.equal(await once(second, "@order>2="), 10);
  assert.equal(await cluster.settled(second.get("ledger", key).total()), 10);
  // Another operation or input under the same key is a mistake of the caller.
  await assert.rejects(
    cluster.settled(second.get("ledger", key).with({ idempotencyKey: "order-1" }).add(6)),
    (error: LatticeError) => error.code === "invalid_argument",
  );
  // The handles of nodes take part.
  const own = cluster.node("a").get<typeof ledger>("ledger", key);
  assert.equal(await cluster.settled(own.with({ idempotencyKey: "order-1" }).add(5)), 5);
  await cluster.end();
});

void test("ordered calls of a node's own handle run one after the other", async () => {
  const cluster = new VirtualCluster(12);
  await cluster.form(["a", "b", "c"]);
  const key = cluster.keyLedBy("b");
  const own = cluster.node("a").get<typeof ledger>("ledger", key);
  const ordered = own.with({ ordered: true });
  const values = await cluster.settled(Promise.all([1, 1, 1, 1].map((n) => ordered.add(n))));
  assert.deepEqual(values, [1, 2, 3, 4]);
  await cluster.end();
});

void test("the value of a reply crosses two nodes unchanged", async () => {
  const cluster = new VirtualCluster(13);
  await cluster.form(["a", "b", "c"]);
  const peer = await dialClient(cluster, "client", "a");
  const answer = await callRaw(cluster, peer, {
    key: cluster.keyLedBy("c"),
    operation: "blob",
    input: encodeValue(100_000),
  });
  assert.equal(answer.type, "reply");
  assert.deepEqual(decodeValue(answer.value), new Uint8Array(100_000));
  await cluster.end();
});
