/** One call through a cluster: what it asks and sends belongs to its trace, on whichever node. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defineFunction } from "../../src/definition/define-function.ts";
import type { Handle } from "../../src/definition/handle.ts";
import { crdt } from "../../src/definition/kinds.ts";
import type { LatticeError } from "../../src/model/error.ts";
import { encodeValue } from "../../src/codec/value-bytes.ts";
import { callRaw, dialClient } from "./support/raw-peer.ts";
import { VirtualCluster, type LogLine } from "./support/virtual-cluster.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;

const ledger = defineFunction({
  state: { total: crdt.counter() },
  handlers: {
    add(ctx, amount: number) {
      ctx.log.info("added", { ...ctx.trace });
      ctx.state.total.add(amount);
    },
    pass(ctx, to: string) {
      ctx.log.info("passed on", { ...ctx.trace });
      ctx.send(ledger, to).add(1);
    },
    async ask(ctx, to: string): Promise<number> {
      ctx.log.info("asked", { ...ctx.trace });
      return await ctx.get(ledger, to).read();
    },
    refuse(ctx) {
      ctx.fail("not_found", "as asked");
    },
    misdirect(ctx, to: string) {
      ctx.send(ledger, to).refuse();
    },
    fail() {
      throw new Error("as asked");
    },
  },
  queries: {
    read(ctx) {
      ctx.log.info("read", { ...ctx.trace });
      return ctx.state.total.value;
    },
    broken() {
      throw new Error("as asked");
    },
  },
});
const functions = { ledger };
type Ledger = Handle<typeof ledger>;

async function form(seed: number): Promise<VirtualCluster> {
  const cluster = new VirtualCluster(seed);
  await cluster.form(["a", "b", "c"], { functions });
  await cluster.sleep(2_000);
  return cluster;
}

async function ledgerOf(cluster: VirtualCluster, key: string, direct = true): Promise<Ledger> {
  const client = await cluster.client(`client-${key}`, ["a"], { direct });
  return client.get("ledger", key) as unknown as Ledger;
}

function linesSaying(cluster: VirtualCluster, ...messages: string[]): readonly LogLine[] {
  return cluster.log.filter(({ message }) => messages.includes(message));
}

void test("an ask and a send are below the span of the turn that made them, on other nodes", async () => {
  const cluster = await form(1);
  const from = cluster.keyLedBy("a");
  const to = cluster.keyLedBy("b", [from]);
  const handle = (await ledgerOf(cluster, from)).with({ traceparent });
  await cluster.settled(handle.ask(to));
  await cluster.settled(handle.pass(to));
  await cluster.until("it is delivered", () => linesSaying(cluster, "added").length > 0);
  const lines = linesSaying(cluster, "asked", "read", "passed on", "added");
  assert.deepEqual(
    lines.map(
      ({ node, fields }) => `${node} ${String(fields["key"])} ${String(fields["traceId"])}`,
    ),
    [`a ${from} ${traceId}`, `b ${to} ${traceId}`, `a ${from} ${traceId}`, `b ${to} ${traceId}`],
  );
  assert.equal(new Set(lines.map(({ fields }) => fields["call"])).size, 4);
  assert.equal(new Set(lines.map(({ fields }) => fields["spanId"])).size, 4);
  for (const { fields } of lines) assert.match(String(fields["traceparent"]), /-01$/);
  await cluster.end();
});

void test("a trace goes with a call that is passed on to the primary, and with a node's own", async () => {
  const cluster = await form(2);
  const key = cluster.keyLedBy("b");
  const forwarded = await ledgerOf(cluster, key, false);
  await cluster.settled(forwarded.with({ traceparent }).add(1));
  const own = cluster.node("c").get<typeof ledger>("ledger", key);
  await cluster.settled(own.with({ traceparent }).add(1));
  const lines = linesSaying(cluster, "added");
  assert.deepEqual(
    lines.map(({ node, fields }) => [node, fields["traceId"]]),
    [
      ["b", traceId],
      ["b", traceId],
    ],
  );
  await cluster.end();
});

void test("a sent call keeps its trace when its sender's primary dies before it is delivered", async () => {
  const cluster = await form(3);
  const from = cluster.keyLedBy("b");
  const to = cluster.keyLedBy("c");
  const handle = await ledgerOf(cluster, from);
  // Nothing gets from the sender to the target any more, so the successor has to deliver it.
  cluster.network.cut("b", "c");
  await cluster.settled(handle.with({ traceparent }).pass(to));
  assert.equal(linesSaying(cluster, "added").length, 0);
  cluster.crash("b");
  await cluster.until("it is delivered", () => linesSaying(cluster, "added").length > 0, 60_000);
  assert.equal(linesSaying(cluster, "added")[0]?.fields["traceId"], traceId);
  await cluster.end();
});

void test("an error and the lines about its call name the same call and trace", async () => {
  const cluster = await form(4);
  const key = cluster.keyLedBy("b");
  const handle = (await ledgerOf(cluster, key)).with({ traceparent });
  const failed = async (call: Promise<unknown>): Promise<LatticeError> =>
    (await cluster.settled(call.catch((error: unknown) => error))) as LatticeError;
  const ofHandler = await failed(handle.fail());
  const ofQuery = await failed(handle.broken());
  const own = cluster.node("c").get<typeof ledger>("ledger", key);
  const ofNode = await failed(own.fail());
  const lines = linesSaying(cluster, "a handler or query failed");
  assert.deepEqual(
    lines.map(({ fields }) => fields["call"]),
    [ofHandler.call, ofQuery.call, ofNode.call],
  );
  assert.deepEqual(
    lines.map(({ fields }) => fields["traceId"]),
    [traceId, traceId, undefined],
  );
  assert.match(ofHandler.call ?? "", /^[\w-]{21}:\d+$/);
  assert.match(ofQuery.call ?? "", /^[0-9a-f]{16}$/);
  await cluster.end();
});

void test("what is told of a sent call that was refused names that call and the sender's trace", async () => {
  const cluster = await form(5);
  const handle = await ledgerOf(cluster, cluster.keyLedBy("a"));
  await cluster.settled(handle.with({ traceparent }).misdirect(cluster.keyLedBy("b")));
  const told = (): readonly LogLine[] => linesSaying(cluster, "outbox.failed");
  await cluster.until("it is refused", () => told().length > 0);
  assert.equal(told()[0]?.fields["traceId"], traceId);
  assert.match(String(told()[0]?.fields["call"]), /^@\w+:ledger\//);
  await cluster.end();
});

void test("a call that comes without a trace begins one where somebody asks for it", async () => {
  const cluster = await form(6);
  const peer = await dialClient(cluster, "client", "a");
  const key = cluster.keyLedBy("a");
  await callRaw(cluster, peer, { key, input: encodeValue(3), trace: traceparent });
  await callRaw(cluster, peer, { key, input: encodeValue(3) });
  const [given, made] = linesSaying(cluster, "added").map(({ fields }) => fields["traceId"]);
  assert.equal(given, traceId);
  assert.notEqual(made, traceId);
  await cluster.end();
});
