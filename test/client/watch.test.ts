import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeValue } from "../../src/codec/value-bytes.ts";
import type { LatticeError } from "../../src/model/error.ts";
import type { Value } from "../../src/model/value.ts";
import { differenceOf } from "../../src/wire/difference.ts";
import { FakeCluster, type FakeNode } from "./fake-node.ts";

type Watching = AsyncIterator<unknown>;

async function watching(): Promise<{ cluster: FakeCluster; a: FakeNode; reader: Watching }> {
  const cluster = await FakeCluster.start();
  const client = await cluster.connect();
  const reader = client.get("cart", "alice").watch()[Symbol.asyncIterator]();
  const a = cluster.node("a");
  await cluster.until(() => a.watches.length === 1);
  return { cluster, a, reader };
}

const snapshot = (node: FakeNode, version: string, value: Value): void => {
  const id = node.watches.at(-1)?.id ?? 0;
  node.broadcast({ type: "snapshot", id, version, degraded: false, value: encodeValue(value) });
};

const change = (
  node: FakeNode,
  versions: readonly [string, string],
  from: Value,
  to: Value,
): void => {
  const id = node.watches.at(-1)?.id ?? 0;
  const [base, version] = versions;
  const difference = encodeValue(differenceOf(from, to) ?? assert.fail("no difference"));
  node.broadcast({ type: "change", id, base, version, degraded: false, difference });
};

const read = async (cluster: FakeCluster, reader: Watching): Promise<unknown> => {
  const result = await cluster.time.settled(reader.next());
  assert.equal(result.done, false);
  return result.value;
};

test("yields the snapshot, then what the changes make of it, sharing what stayed", async () => {
  const { cluster, a, reader } = await watching();
  assert.deepEqual(a.watches[0], {
    type: "watch",
    id: 1,
    partition: cluster.partitionOf("cart", "alice"),
    functionName: "cart",
    key: "alice",
    field: "",
    query: false,
    input: new Uint8Array(0),
    resume: "",
  });
  const one = { lines: { tea: 1 }, visits: [1, 2] };
  const two = { lines: { tea: 2 }, visits: [1, 2] };
  snapshot(a, "v1", one);
  const first = (await read(cluster, reader)) as typeof one;
  assert.deepEqual(first, one);
  change(a, ["v1", "v2"], one, two);
  const second = (await read(cluster, reader)) as typeof two;
  assert.deepEqual(second, two);
  assert.equal(second.visits, first.visits);
  assert.notEqual(second.lines, first.lines);
});

test("a slow reader gets the newest value and no backlog", async () => {
  const { cluster, a, reader } = await watching();
  snapshot(a, "v0", 0);
  for (let n = 1; n <= 50; n++) change(a, [`v${String(n - 1)}`, `v${String(n)}`], n - 1, n);
  await cluster.time.sleep(100);
  assert.equal(await read(cluster, reader), 50);
  const next = reader.next();
  change(a, ["v50", "v51"], 50, 51);
  assert.deepEqual(await cluster.time.settled(next), { value: 51, done: false });
});

test("a change on a base that it does not have is answered by asking for a snapshot", async () => {
  const { cluster, a, reader } = await watching();
  snapshot(a, "v1", { n: 1 });
  assert.deepEqual(await read(cluster, reader), { n: 1 });
  change(a, ["v7", "v8"], { n: 7 }, { n: 8 });
  await cluster.until(() => a.watches.length === 2);
  assert.equal(a.watches[1]?.resume, "");
  snapshot(a, "v8", { n: 8 });
  assert.deepEqual(await read(cluster, reader), { n: 8 });
});

test("after a crash it goes on at another owner from the version it has", async () => {
  const { cluster, a, reader } = await watching();
  snapshot(a, "v1", { n: 1, m: 1 });
  await read(cluster, reader);
  a.crash();
  const b = cluster.node("b");
  await cluster.until(() => b.watches.length === 1);
  assert.equal(b.watches[0]?.resume, "v1");
  change(b, ["v1", "v9"], { n: 1, m: 1 }, { n: 2, m: 1 });
  assert.deepEqual(await read(cluster, reader), { n: 2, m: 1 });
});

test("goes where the end of a watch points, and tries again after a while where it does not", async () => {
  const { cluster, a, reader } = await watching();
  cluster.owners = ["c", "a", "b"];
  const end = { type: "watch-end", id: 1, message: "moved" } as const;
  a.broadcast({ ...end, code: "not_owner", primary: "c" });
  const c = cluster.node("c");
  await cluster.until(() => c.watches.length === 1, 50);
  c.broadcast({ ...end, code: "unavailable", primary: "" });
  await cluster.until(() => c.watches.length === 2);
  snapshot(c, "v1", 1);
  assert.equal(await read(cluster, reader), 1);
});

test("moves to the new primary when the table names one that is linked", async () => {
  const { cluster, a, reader } = await watching();
  snapshot(a, "v1", 1);
  await read(cluster, reader);
  const b = cluster.node("b");
  a.broadcast({ type: "goodbye", reason: "leaving" });
  cluster.move(["b", "c", "a"], "a");
  await cluster.until(() => b.watches.length === 1);
  assert.equal(b.watches[0]?.resume, "v1");
});

test("leaving the loop ends the watch at the node", async () => {
  const cluster = await FakeCluster.start();
  const client = await cluster.connect();
  const a = cluster.node("a");
  const seen: unknown[] = [];
  const loop = (async () => {
    for await (const state of client.get("cart", "alice").watch()) {
      seen.push(state);
      break;
    }
  })();
  await cluster.until(() => a.watches.length === 1);
  snapshot(a, "v1", { visits: 1 });
  await cluster.time.settled(loop);
  await cluster.until(() => a.other.length === 1);
  assert.deepEqual(seen, [{ visits: 1 }]);
  assert.deepEqual(a.other, [{ type: "unwatch", id: 1 }]);
});

test("a reason that any node would give ends the loop with an error", async () => {
  const { cluster, a, reader } = await watching();
  const next = reader.next();
  a.broadcast({ type: "watch-end", id: 1, code: "permission_denied", message: "no", primary: "" });
  const failed = next.then(
    () => assert.fail("it went on"),
    (error: unknown) => error as LatticeError,
  );
  const error = await cluster.time.settled(failed);
  assert.equal(error.code, "permission_denied");
  assert.equal(error.message, "cart/alice watch: no");
  assert.deepEqual(await cluster.time.settled(reader.next()), { value: undefined, done: true });
});

test("an unknown function or an aborted signal ends the loop before it begins", async () => {
  const cluster = await FakeCluster.start();
  const client = await cluster.connect();
  const loose = client as unknown as {
    get(name: string, key: string): { watch(): AsyncIterable<unknown> };
  };
  const unknown = loose.get("nothing", "k").watch()[Symbol.asyncIterator]().next();
  await cluster.time.settled(assert.rejects(unknown, { code: "not_found" }));
  const signal = AbortSignal.abort(new Error("enough"));
  const aborted = client.get("cart", "k").with({ signal }).watch()[Symbol.asyncIterator]().next();
  await cluster.time.settled(assert.rejects(aborted, { code: "cancelled" }));
  assert.equal(cluster.node("a").watches.length, 0);
});

test("aborting the signal ends a loop that waits", async () => {
  const cluster = await FakeCluster.start();
  const client = await cluster.connect();
  const abort = new AbortController();
  const watch = client.get("cart", "k").with({ signal: abort.signal }).watch();
  const reader = watch[Symbol.asyncIterator]();
  const next = reader.next();
  const a = cluster.node("a");
  await cluster.until(() => a.watches.length === 1);
  abort.abort();
  await cluster.time.settled(assert.rejects(next, { code: "cancelled" }));
  await cluster.until(() => a.other.length === 1);
});

test("two loops over one handle are two watches", async () => {
  const cluster = await FakeCluster.start();
  const client = await cluster.connect();
  const watch = client.get("cart", "alice").watch();
  const readers = [watch[Symbol.asyncIterator](), watch[Symbol.asyncIterator]()];
  const results = Promise.all(readers.map((reader) => reader.next()));
  const a = cluster.node("a");
  await cluster.until(() => a.watches.length === 2);
  for (const { id } of a.watches) {
    const value = encodeValue(id);
    a.broadcast({ type: "snapshot", id, version: "v", degraded: false, value });
  }
  const values = await cluster.time.settled(results);
  assert.deepEqual(values.map((result) => result.value as number).sort(), [1, 2]);
});
