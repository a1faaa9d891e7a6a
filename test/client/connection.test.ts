import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnectOptions } from "../../src/client/connect-options.ts";
import { callFlags } from "../../src/wire/messages.ts";
import { FakeCluster } from "./fake-node.ts";
import { assertQuiet, refusal } from "./outcomes.ts";

/** Longer to connect and to be welcomed than a client waits before it tries another node. */
const slowLink = { delayMs: () => 250, bytesPerMs: 1_000_000 };

test("stays with its entry node when told so, and lets it forward", async () => {
  const cluster = await FakeCluster.start({ nodes: ["a", "b"] });
  cluster.owners = ["b", "a"];
  const client = await cluster.connect({ nodes: ["ws://a:7400"], direct: false });
  await cluster.time.settled(client.get("cart", "alice").visit());
  assert.deepEqual(cluster.callLog, ["a visit"]);
  assert.equal(cluster.node("b").channels.size, 0);
});

test("a client that stays with one node keeps one link, also when all were slow to answer", async () => {
  const cluster = await FakeCluster.start({ nodes: ["a", "b"] });
  cluster.network.setAllLinks(slowLink);
  const client = await cluster.connect({ nodes: ["ws://a:7400", "ws://b:7400"], direct: false });
  await cluster.time.settled(client.get("cart", "alice").visit());
  await cluster.time.sleep(5_000);
  const links = ["a", "b"].map((name) => cluster.node(name).channels.size);
  assert.deepEqual([...links].sort(), [0, 1]);
});

test("follows the table when a primary moves", async () => {
  const cluster = await FakeCluster.start();
  const client = await cluster.connect();
  await cluster.time.settled(client.get("cart", "alice").visit());
  cluster.move(["c", "a", "b"], "a");
  await cluster.time.sleep(10);
  await cluster.time.settled(client.get("cart", "alice").visit());
  assert.deepEqual(cluster.callLog, ["a visit", "c visit"]);
});

test("a call at a primary that fell silent is sent again when the table names another", async () => {
  const cluster = await FakeCluster.start();
  const client = await cluster.connect();
  const a = cluster.node("a");
  a.answer = () => undefined;
  const result = client.get("cart", "alice").visit();
  await cluster.until(() => a.calls.length === 1);
  cluster.move(["b", "c", "a"], "a");
  assert.equal(await cluster.time.settled(result), 1);
  assert.equal(cluster.node("b").calls[0]?.number, a.calls[0]?.number);
  assert.equal(cluster.node("b").calls[0]?.flags, callFlags.retry);
});

test("a black hole before a node costs half a second, not the call", async () => {
  const cluster = await FakeCluster.start();
  cluster.owners = ["b", "a", "c"];
  const world = cluster.world("client");
  const client = await cluster.connect({ nodes: ["ws://a:7400"] }, world);
  cluster.network.cut("client", "b");
  const startedAt = cluster.time.now;
  assert.equal(await cluster.time.settled(client.get("cart", "alice").visit()), 1);
  assert.ok(cluster.time.now - startedAt < 600);
  assert.deepEqual(cluster.callLog, ["a visit"]);
});

test("new calls avoid a node that said goodbye; those under way are still answered", async () => {
  const cluster = await FakeCluster.start();
  const client = await cluster.connect();
  const a = cluster.node("a");
  a.answer = () => undefined;
  const first = client.get("cart", "alice").visit();
  await cluster.until(() => a.calls.length === 1);
  a.broadcast({ type: "goodbye", reason: "leaving" });
  await cluster.time.sleep(10);
  const second = client.get("cart", "alice").visit();
  await cluster.time.settled(second);
  assert.deepEqual(cluster.callLog, ["a visit", "b visit"]);
  a.respond(a.calls[0] ?? assert.fail(), FakeCluster.value("late but here"));
  assert.equal(await cluster.time.settled(first), "late but here");
});

test("an outage is waited out: calls made meanwhile are answered in order when a node is back", async () => {
  const cluster = await FakeCluster.start({ nodes: ["a"] });
  const client = await cluster.connect();
  const a = cluster.node("a");
  a.crash();
  await cluster.time.sleep(3_000);
  const handle = client.get("cart", "alice");
  const results = Promise.all([handle.visit(), handle.visit(), handle.visit()]);
  await cluster.time.sleep(1_000);
  assert.equal(a.calls.length, 0);
  await a.start();
  assert.deepEqual(await cluster.time.settled(results), [1, 2, 3]);
  assert.deepEqual(
    a.calls.map((call) => call.number),
    [1, 2, 3],
  );
});

test("a call that no node could take says so at its deadline, and that it did not run", async () => {
  const cluster = await FakeCluster.start({ nodes: ["a"] });
  const client = await cluster.connect();
  cluster.node("a").crash();
  await cluster.time.sleep(100);
  const error = await refusal(cluster, client.get("cart", "k").with({ timeoutMs: 2_000 }).visit());
  assert.equal(error.code, "deadline_exceeded");
  assert.equal(error.indeterminate, false);
  assert.match(error.message, /no node could be reached in 2000 ms.*ws:\/\/a:7400/);
});

test("connecting to dead addresses fails in time, names them and says what to do", async () => {
  const cluster = await FakeCluster.start({ nodes: ["a"] });
  const nodes = ["ws://a:7999", "ws://nowhere:7400"];
  const error = await refusal(cluster, cluster.connect({ nodes, timeoutMs: 2_000 }));
  assert.equal(error.code, "unavailable");
  assert.match(error.message, /none of ws:\/\/a:7999, ws:\/\/nowhere:7400 answered in 2000 ms/);
  assert.match(error.message, /start a node there/);
  await assertQuiet(cluster);
});

test("one live join address among dead ones is enough", async () => {
  const cluster = await FakeCluster.start();
  const client = await cluster.connect({ nodes: ["ws://a:7999", "ws://b:7999", "ws://c:7400"] });
  assert.equal(await cluster.time.settled(client.get("cart", "alice").visit()), 1);
});

test("another cluster's name is refused at once", async () => {
  const cluster = await FakeCluster.start({ nodes: ["a"] });
  const error = await refusal(cluster, cluster.connect({ cluster: "stage" }));
  assert.equal(error.code, "incompatible");
  assert.match(error.message, /stage.*shop/);
  assert.ok(cluster.time.now < 1_000);
  await assertQuiet(cluster);
  const client = await cluster.connect({ cluster: "shop" });
  await cluster.time.settled(client.close());
});

for (const [what, options, message] of [
  ["no addresses", { nodes: [] }, /nodes must be a list/],
  ["an address of another kind", { nodes: ["http://a:1"] }, /write ws:\/\/host:port/],
  ["an unknown option", { nodes: ["ws://a:1"], timeout: 1 }, /did you mean 'timeoutMs'/],
  ["a time that is none", { nodes: ["ws://a:1"], timeoutMs: 0 }, /timeoutMs/],
  ["a cluster name that cannot be", { nodes: ["ws://a:1"], cluster: "a b" }, /cluster name/],
] as const) {
  test(`refuses ${what} before it dials`, async () => {
    const cluster = await FakeCluster.start({ nodes: ["a"] });
    const error = await refusal(cluster, cluster.connect(options as Partial<ConnectOptions>));
    assert.equal(error.code, "invalid_argument");
    assert.match(error.message, message);
  });
}

test("closing settles everything, says goodbye, and leaves nothing behind", async () => {
  const cluster = await FakeCluster.start();
  const client = await cluster.connect();
  const a = cluster.node("a");
  a.answer = () => undefined;
  const handle = client.get("cart", "alice");
  const handler = handle.visit();
  const query = handle.total();
  await cluster.until(() => a.calls.length === 2);
  const watching = handle.watch()[Symbol.asyncIterator]();
  const next = watching.next();
  await cluster.until(() => a.watches.length === 1);
  const closing = client.close();
  const [first, second] = await Promise.all([refusal(cluster, handler), refusal(cluster, query)]);
  assert.deepEqual([first.code, first.indeterminate], ["cancelled", true]);
  assert.deepEqual([second.code, second.indeterminate], ["cancelled", false]);
  assert.deepEqual(await cluster.time.settled(next), { value: undefined, done: true });
  await cluster.time.settled(closing);
  await cluster.time.settled(client.close());
  assert.equal(a.other.filter((message) => message.type === "goodbye").length, 1);
  const late = await refusal(cluster, handle.visit());
  assert.deepEqual([late.code, late.indeterminate], ["cancelled", false]);
  await assertQuiet(cluster);
});

test("closing does not wait for ever for a node that hangs", async () => {
  const cluster = await FakeCluster.start({ nodes: ["a"] });
  const world = cluster.world("client");
  const client = await cluster.connect({}, world);
  cluster.network.cut("client", "a");
  const startedAt = cluster.time.now;
  await cluster.time.settled(client.close());
  assert.ok(cluster.time.now - startedAt <= 1_100);
});

test("an idle client sets no timers", async () => {
  const cluster = await FakeCluster.start();
  const { platform, transport } = cluster.world();
  let count = 0;
  const after: typeof platform.timers.after = (delayMs, run) => {
    count++;
    return platform.timers.after(delayMs, run);
  };
  const counting = { ...platform, timers: { ...platform.timers, after } };
  const client = await cluster.connect({}, { platform: counting, transport });
  await cluster.time.settled(client.get("cart", "alice").visit());
  assert.ok(count > 0);
  await cluster.time.sleep(1_000);
  count = 0;
  await cluster.time.sleep(60_000);
  assert.equal(count, 0);
});
