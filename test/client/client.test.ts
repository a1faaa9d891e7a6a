import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeValue } from "../../src/codec/value-bytes.ts";
import type { ClientWorld } from "../../src/client/client.ts";
import type { Transport } from "../../src/transport/transport.ts";
import { callFlags, replyFlags } from "../../src/wire/messages.ts";
import { FakeCluster } from "./fake-node.ts";
import { assertQuiet, refusal } from "./outcomes.ts";

test("calls the primary in one hop, though it was told another node's address", async () => {
  const cluster = await FakeCluster.start({ nodes: ["b", "a"] });
  cluster.owners = ["a", "b"];
  const client = await cluster.connect({ nodes: ["ws://b:7400"] });
  const handle = client.get("cart", "alice").with({ reply: "full" });
  const reply = await cluster.time.settled(handle.visit());
  assert.deepEqual(reply, { value: 1, degraded: false, copies: 2, node: "a", hops: 1 });
  assert.deepEqual(cluster.callLog, ["a visit"]);
  const [call] = cluster.node("a").calls;
  assert.equal(call?.partition, cluster.partitionOf("cart", "alice"));
  assert.equal(call.key, "alice");
  assert.equal(call.timeoutMs, 30_000);
  await cluster.time.settled(client.close());
  await assertQuiet(cluster);
});

test("calls of one turn leave in one frame, in the order in which they were made", async () => {
  const cluster = await FakeCluster.start();
  const client = await cluster.connect();
  await cluster.time.settled(client.get("cart", "k").visit());
  const a = cluster.node("a");
  const keys = Array.from({ length: 100 }, (_, n) => `k${String(n)}`);
  const at: number[] = [];
  a.answer = () => {
    at.push(cluster.time.now);
    return FakeCluster.value(null);
  };
  await cluster.time.settled(Promise.all(keys.map((key) => client.get("cart", key).visit())));
  assert.deepEqual(
    a.calls.slice(1).map((call) => call.key),
    keys,
  );
  assert.equal(new Set(at).size, 1);
});

test("half of the calls in flight are sent before the other half are made", async () => {
  const cluster = await FakeCluster.start({ nodes: ["a"] });
  const { world, sent } = countingFrames(cluster.world());
  const client = await cluster.connect({}, world);
  const visit = (): Promise<unknown> => client.get("cart", "k").visit();
  await cluster.time.settled(visit());
  const before = sent.frames;
  const calls = Array.from({ length: 31 }, visit);
  assert.equal(sent.frames, before);
  calls.push(visit());
  assert.equal(sent.frames, before + 1);
  calls.push(...Array.from({ length: 31 }, visit));
  assert.equal(sent.frames, before + 1);
  calls.push(visit());
  assert.equal(sent.frames, before + 2);
  // The more are in flight, the more travel together.
  calls.push(...Array.from({ length: 63 }, visit));
  assert.equal(sent.frames, before + 2);
  calls.push(visit());
  assert.equal(sent.frames, before + 3);
  calls.push(visit());
  await cluster.time.settled(Promise.all(calls));
  assert.equal(sent.frames, before + 4);
});

function countingFrames(world: ClientWorld): { world: ClientWorld; sent: { frames: number } } {
  const sent = { frames: 0 };
  const { platform, transport } = world;
  const counting: Transport = {
    listen: (...args) => transport.listen(...args),
    dial: (...args) => {
      const connection = transport.dial(...args);
      return {
        get state() {
          return connection.state;
        },
        get remoteAddress() {
          return connection.remoteAddress;
        },
        get bufferedBytes() {
          return connection.bufferedBytes;
        },
        send: (frame) => {
          sent.frames += 1;
          connection.send(frame);
        },
        close: (...how) => {
          connection.close(...how);
        },
        terminate: () => {
          connection.terminate();
        },
      };
    },
  };
  return { world: { platform, transport: counting }, sent };
}

test("numbers handler calls under one caller, says what it received, and leaves queries bare", async () => {
  const cluster = await FakeCluster.start();
  const client = await cluster.connect();
  const alice = client.get("cart", "alice");
  const a = cluster.node("a");
  const open: (typeof a.calls)[number][] = [];
  a.answer = (call) => {
    open.push(call);
    return undefined;
  };
  const first = alice.visit();
  const second = alice.visit();
  const other = client.get("cart", "bob").visit();
  await cluster.until(() => open.length === 3);
  const [one, two, three] = open;
  assert.ok(one && two && three);
  assert.equal(one.caller, two.caller);
  assert.ok(one.caller.length >= 20);
  assert.deepEqual([one.number, two.number, three.number], [1, 2, 3]);
  assert.deepEqual([one.received, two.received, three.received], [1, 1, 3]);
  a.respond(two, FakeCluster.value(2));
  await cluster.time.settled(second);
  const third = alice.visit();
  await cluster.until(() => open.length === 4);
  assert.equal(open[3]?.received, 1, "the first one is still open");
  a.respond(one, FakeCluster.value(1));
  await cluster.time.settled(first);
  const fourth = alice.visit();
  await cluster.until(() => open.length === 5);
  assert.equal(open[4]?.received, 4);
  const query = alice.total();
  await cluster.until(() => open.length === 6);
  assert.deepEqual([open[5]?.caller, open[5]?.number], ["", 0]);
  for (const call of open) a.respond(call, FakeCluster.value(0));
  await cluster.time.settled(Promise.all([other, third, fourth, query]));
});

test("an idempotency key takes the place of caller and number", async () => {
  const cluster = await FakeCluster.start();
  const client = await cluster.connect();
  await cluster.time.settled(client.get("cart", "a").with({ idempotencyKey: "order-7" }).visit());
  const [call] = cluster.node("a").calls;
  assert.deepEqual([call?.caller, call?.number], ["order-7", 0]);
});

test("the options of a call travel with it", async () => {
  const cluster = await FakeCluster.start();
  const client = await cluster.connect();
  const handle = client.get("cart", "a");
  await cluster.time.settled(
    Promise.all([
      handle.with({ acks: "all", whenSplit: "refuse", timeoutMs: 100 }).visit(),
      handle.with({ acks: 3, whenSplit: "serve", timeoutMs: 60_000 }).visit(),
    ]),
  );
  const seen = cluster
    .node("a")
    .calls.map(({ acks, flags, timeoutMs }) => [acks, flags, timeoutMs]);
  assert.deepEqual(seen, [
    [255, callFlags.splitRefuse, 100],
    [3, callFlags.splitServe, 30_000],
  ]);
});

test("refuses what is wrong before anything is sent", async () => {
  const cluster = await FakeCluster.start();
  const client = await cluster.connect();
  const loose = client.get("cart", "a") as unknown as Record<
    string,
    (input?: unknown) => Promise<unknown>
  >;
  const cycle: unknown[] = [];
  cycle.push(cycle);
  const cases: [string, unknown, string, RegExp][] = [
    ["ad", 1, "not_found", /did you mean 'add'.*add, visit, total/],
    ["add", new Set([1]), "invalid_argument", /input: Set is not a value/],
    ["add", { price: 1n }, "invalid_argument", /input\.price: BigInt/],
    ["add", cycle, "invalid_argument", /contains itself/],
    ["add", JSON.parse('{"__proto__":1}'), "invalid_argument", /__proto__/],
    ["add", new Uint8Array(1024 * 1024 + 1), "too_large", /1048576/],
  ];
  for (const [operation, input, code, message] of cases) {
    const error = await refusal(cluster, loose[operation]?.(input) ?? assert.fail());
    assert.equal(error.code, code);
    assert.match(error.message, message);
    assert.equal(error.indeterminate, false);
  }
  const anyFunction = client as unknown as {
    get(name: string, key: string): { go(): Promise<unknown> };
  };
  const unknown = await refusal(cluster, anyFunction.get("carts", "a").go());
  assert.equal(unknown.code, "not_found");
  assert.match(unknown.message, /did you mean 'cart'.*it serves cart/);
  for (const key of ["", "x".repeat(513), "a\u0000b", "__proto__"]) {
    assert.throws(() => client.get("cart", key), { code: "invalid_argument" });
  }
  assert.deepEqual(cluster.callLog, []);
});

test("a failure of the handler reaches the caller with its data", async () => {
  const cluster = await FakeCluster.start();
  const client = await cluster.connect();
  cluster.node("a").answer = () => ({
    type: "failure",
    code: "failed_precondition",
    message: "out of stock",
    data: encodeValue({ sku: "tea" }),
  });
  const error = await refusal(cluster, client.get("cart", "alice").visit());
  assert.equal(error.code, "failed_precondition");
  assert.equal(error.message, "cart/alice visit: out of stock");
  assert.deepEqual(error.data, { sku: "tea" });
  assert.deepEqual([error.function, error.key, error.node], ["cart", "alice", "a"]);
  assert.equal(error.indeterminate, false);
  assert.equal(cluster.callLog.length, 1);
});

test("a call carries the trace context that it is given, in every attempt, and none otherwise", async () => {
  const cluster = await FakeCluster.start();
  const client = await cluster.connect();
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03";
  const handle = client.get("cart", "alice");
  cluster.node("a").answer = () => ({ type: "failure", code: "unavailable" });
  await cluster.time.settled(handle.with({ traceparent }).visit());
  await cluster.time.settled(handle.with({ traceparent }).with({ timeoutMs: 500 }).total());
  await cluster.time.settled(handle.visit());
  const traces = cluster.nodes.flatMap(({ calls }) => calls.map(({ trace }) => trace));
  assert.ok(traces.length > 3);
  assert.deepEqual(new Set(traces), new Set([traceparent, ""]));
  assert.ok(cluster.node("b").calls.some(({ trace }) => trace === traceparent));
});

test("an error names its call as nodes do: by caller and number, or as the node that ran it says", async () => {
  const cluster = await FakeCluster.start({ nodes: ["a"] });
  const client = await cluster.connect();
  const handle = client.get("cart", "alice");
  const a = cluster.node("a");
  a.answer = () => ({ type: "failure", code: "handler_error" });
  const numbered = await refusal(cluster, handle.visit());
  const [call] = a.calls;
  assert.equal(numbered.call, `${String(call?.caller)}:${String(call?.number)}`);
  const keyed = await refusal(cluster, handle.with({ idempotencyKey: "order-7" }).visit());
  assert.equal(keyed.call, "order-7:0");
  const unnamed = await refusal(cluster, handle.total());
  assert.equal(unnamed.call, undefined);
  a.answer = () => ({ type: "failure", code: "handler_error", call: "f00d" });
  assert.equal((await refusal(cluster, handle.total())).call, "f00d");
  a.answer = () => undefined;
  const late = await refusal(cluster, handle.with({ timeoutMs: 10 }).visit());
  const number = String(a.calls.at(-1)?.number);
  assert.equal(late.code, "deadline_exceeded");
  assert.equal(late.call, `${String(call?.caller)}:${number}`);
});

test("a call that a crash caught is sent again to another owner under the same number", async () => {
  const cluster = await FakeCluster.start();
  const client = await cluster.connect();
  const a = cluster.node("a");
  a.answer = () => undefined;
  const result = client.get("cart", "alice").visit();
  await cluster.until(() => a.calls.length === 1);
  a.crash();
  assert.equal(await cluster.time.settled(result), 1);
  assert.ok(cluster.time.now < 100, `took ${String(cluster.time.now)} ms`);
  const [first] = a.calls;
  const [again] = cluster.node("b").calls;
  assert.deepEqual([again?.caller, again?.number], [first?.caller, first?.number]);
  assert.equal(first?.flags, 0);
  assert.equal(again?.flags, callFlags.retry);
});

test("without protection a call that a crash caught fails, and says that it may have run", async () => {
  const cluster = await FakeCluster.start();
  const client = await cluster.connect({ protection: false });
  const a = cluster.node("a");
  a.answer = () => undefined;
  const handle = client.get("cart", "alice");
  const handler = handle.visit();
  const query = handle.total();
  await cluster.until(() => a.calls.length === 2);
  a.crash();
  const error = await refusal(cluster, handler);
  assert.equal(error.code, "unavailable");
  assert.equal(error.indeterminate, true);
  assert.match(error.message, /ws:\/\/a:7400.*may have taken effect/);
  assert.equal(
    await cluster.time.settled(query),
    1,
    "a query changes nothing, so it is asked again",
  );
});

test("goes where not_owner points, at once, and remembers it", async () => {
  const cluster = await FakeCluster.start();
  const client = await cluster.connect();
  cluster.node("a").answer = () => ({ type: "failure", code: "not_owner", primary: "c" });
  // Every node tells its table to whoever links with it.
  cluster.owners = ["c", "a", "b"];
  const handle = client.get("cart", "alice");
  await cluster.time.settled(handle.visit());
  await cluster.time.settled(handle.visit());
  assert.deepEqual(cluster.callLog, ["a visit", "c visit", "c visit"]);
  assert.deepEqual(
    cluster.node("c").calls.map((call) => call.flags),
    [0, 0],
  );
});

test("two nodes that name each other do not keep a call for ever, nor burn its time in a storm", async () => {
  const cluster = await FakeCluster.start({ nodes: ["a", "b"] });
  const client = await cluster.connect();
  cluster.node("a").answer = () => ({ type: "failure", code: "not_owner", primary: "b" });
  cluster.node("b").answer = () => ({ type: "failure", code: "not_owner", primary: "a" });
  const handle = client.get("cart", "alice").with({ timeoutMs: 5_000 });
  const error = await refusal(cluster, handle.visit());
  assert.equal(error.code, "not_owner");
  assert.equal(error.indeterminate, false);
  assert.ok(cluster.callLog.length < 100, `${String(cluster.callLog.length)} attempts`);
});

test("unavailable and aborted are tried again inside the deadline, aborted with one age", async () => {
  const cluster = await FakeCluster.start();
  const client = await cluster.connect();
  const a = cluster.node("a");
  a.answer = () =>
    a.calls.length < 4
      ? { type: "failure", code: a.calls.length < 3 ? "aborted" : "overloaded", retryAfterMs: 30 }
      : FakeCluster.value("done");
  assert.equal(await cluster.time.settled(client.get("cart", "alice").visit()), "done");
  const ages = a.calls.map((call) => call.ageTime);
  assert.equal(ages[0], 0);
  assert.ok((ages[1] ?? 0) > 0);
  assert.deepEqual([ages[2], ages[3]], [ages[1], ages[1]]);
  assert.equal(new Set(a.calls.slice(1).map((call) => call.ageId)).size, 1);
  assert.equal(new Set(a.calls.map((call) => call.number)).size, 1);
});

test("an indeterminate answer is asked for again under the same number; unprotected it is an error", async () => {
  const cluster = await FakeCluster.start();
  const client = await cluster.connect();
  const a = cluster.node("a");
  a.answer = () =>
    a.calls.length === 1
      ? { type: "failure", code: "indeterminate" }
      : FakeCluster.value("first result");
  assert.equal(await cluster.time.settled(client.get("cart", "alice").visit()), "first result");
  assert.equal(a.calls[1]?.flags, callFlags.retry);
  assert.equal(new Set(a.calls.map((call) => call.number)).size, 1);

  const bare = await cluster.connect({ protection: false });
  a.answer = () => ({ type: "failure", code: "indeterminate" });
  const error = await refusal(cluster, bare.get("cart", "alice").visit());
  assert.deepEqual([error.code, error.indeterminate], ["indeterminate", true]);
});

test("a refusal after an attempt of unknown outcome does not claim that nothing happened", async () => {
  const cluster = await FakeCluster.start();
  const client = await cluster.connect();
  const a = cluster.node("a");
  a.answer = () => ({
    type: "failure",
    code: a.calls.length === 1 ? "indeterminate" : "handler_error",
  });
  const error = await refusal(cluster, client.get("cart", "alice").visit());
  assert.deepEqual([error.code, error.indeterminate], ["handler_error", true]);
});

test("agrees to degraded service when no other owner answers, and reports it ever after", async () => {
  const cluster = await FakeCluster.start({ nodes: ["a"] });
  const client = await cluster.connect();
  const a = cluster.node("a");
  a.answer = (call) => {
    if ((call.flags & callFlags.degradedAllowed) === 0)
      return { type: "failure", code: "degraded_offered" };
    return a.calls.length < 3 ? { type: "failure", code: "unavailable" } : FakeCluster.value(5);
  };
  const reply = await cluster.time.settled(
    client.get("cart", "alice").with({ reply: "full" }).visit(),
  );
  assert.deepEqual([reply.value, reply.degraded], [5, true]);
  assert.deepEqual(
    a.calls.map((call) => call.flags & callFlags.degradedAllowed),
    [0, 1, 1],
  );
});

test("asks an owner that may have a majority before it agrees to degraded service", async () => {
  const cluster = await FakeCluster.start();
  const client = await cluster.connect();
  cluster.node("a").answer = () => ({ type: "failure", code: "degraded_offered" });
  const reply = await cluster.time.settled(
    client.get("cart", "alice").with({ reply: "full" }).visit(),
  );
  assert.deepEqual([reply.node, reply.degraded], ["b", false]);
});

test("whenSplit refuse never agrees, and fails saying that nothing happened", async () => {
  const cluster = await FakeCluster.start({ nodes: ["a"] });
  const client = await cluster.connect();
  cluster.node("a").answer = () => ({ type: "failure", code: "degraded_offered" });
  const handle = client.get("cart", "alice").with({ whenSplit: "refuse", timeoutMs: 1_000 });
  const error = await refusal(cluster, handle.visit());
  assert.deepEqual([error.code, error.indeterminate], ["unavailable", false]);
  assert.ok(cluster.node("a").calls.every((call) => call.flags === callFlags.splitRefuse));
});

test("a degraded answer is reported as such", async () => {
  const cluster = await FakeCluster.start();
  const client = await cluster.connect();
  cluster.node("a").answer = () => ({ flags: replyFlags.degraded, copies: 1 });
  const reply = await cluster.time.settled(client.get("cart", "k").with({ reply: "full" }).visit());
  assert.deepEqual([reply.value, reply.degraded, reply.copies], [undefined, true, 1]);
});

test("a call that nobody answers ends at its deadline, and its late answer harms nobody", async () => {
  const cluster = await FakeCluster.start();
  const client = await cluster.connect();
  const a = cluster.node("a");
  await cluster.time.settled(client.get("cart", "warm").visit());
  a.answer = () => undefined;
  const startedAt = cluster.time.now;
  const handle = client.get("cart", "alice");
  const error = await refusal(cluster, handle.with({ timeoutMs: 500 }).visit());
  assert.equal(error.code, "deadline_exceeded");
  assert.equal(error.indeterminate, true);
  assert.match(error.message, /cart\/alice visit: no reply from a in 500 ms/);
  const tookMs = cluster.time.now - startedAt;
  assert.ok(tookMs >= 500 && tookMs < 550, `${String(tookMs)} ms`);
  const late = a.calls[1] ?? assert.fail();
  const next = handle.visit();
  await cluster.until(() => a.calls.length === 3);
  a.respond(late, FakeCluster.value("late"));
  await cluster.time.sleep(10);
  a.respond(a.calls[2] ?? assert.fail(), FakeCluster.value("mine"));
  assert.equal(await cluster.time.settled(next), "mine");
});

test("an aborted signal ends the call, tells the node, and lets go of the signal", async () => {
  const cluster = await FakeCluster.start();
  const client = await cluster.connect();
  const a = cluster.node("a");
  a.answer = () => undefined;
  const abort = new AbortController();
  const handle = client.get("cart", "alice").with({ signal: abort.signal });
  const pending = handle.visit();
  await cluster.until(() => a.calls.length === 1);
  abort.abort(new Error("changed my mind"));
  const error = await refusal(cluster, pending);
  assert.deepEqual([error.code, error.indeterminate], ["cancelled", true]);
  assert.equal((error.cause as Error).message, "changed my mind");
  await cluster.until(() => a.other.length === 1);
  assert.deepEqual(a.other, [{ type: "cancel", id: a.calls[0]?.id }]);
  const early = await refusal(cluster, handle.visit());
  assert.deepEqual([early.code, early.indeterminate], ["cancelled", false]);
  assert.equal(a.calls.length, 1);
});

test("ordered calls go one by one and keep their order over a crash", async () => {
  const cluster = await FakeCluster.start();
  const client = await cluster.connect();
  const a = cluster.node("a");
  a.answer = () => (a.calls.length < 3 ? FakeCluster.value(null) : undefined);
  const handle = client.get("cart", "alice").with({ ordered: true });
  const done: number[] = [];
  const all = Array.from({ length: 6 }, (_, n) =>
    handle.add({ sku: String(n), quantity: n }).then(() => done.push(n)),
  );
  await cluster.until(() => a.calls.length === 3);
  await cluster.time.sleep(50);
  assert.equal(a.calls.length, 3, "the fourth waits for the third");
  a.crash();
  await cluster.time.settled(Promise.all(all));
  assert.deepEqual(done, [0, 1, 2, 3, 4, 5]);
  const numbers = cluster.node("b").calls.map((call) => call.number);
  assert.deepEqual(numbers, [3, 4, 5, 6]);
});

test("more calls than a connection takes wait in order and all get their answers", async () => {
  const cluster = await FakeCluster.start();
  const client = await cluster.connect();
  const a = cluster.node("a");
  let open: typeof a.calls = [];
  let most = 0;
  a.answer = (call) => {
    open.push(call);
    most = Math.max(most, open.length);
    return undefined;
  };
  const handle = client.get("cart", "alice");
  const results = Promise.all(Array.from({ length: 3_000 }, () => handle.visit()));
  while (a.calls.length < 3_000 || open.length > 0) {
    await cluster.until(() => open.length > 0);
    await cluster.time.sleep(5);
    const answered = open;
    open = [];
    for (const call of answered) a.respond(call, FakeCluster.value(call.number));
  }
  const values = await cluster.time.settled(results);
  assert.deepEqual(
    values,
    Array.from({ length: 3_000 }, (_, n) => n + 1),
  );
  assert.ok(most <= 1_024, `${String(most)} in flight`);
  assert.deepEqual(
    a.calls.map((call) => call.number),
    values,
  );
});
