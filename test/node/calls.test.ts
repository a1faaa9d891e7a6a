import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeValue } from "../../src/codec/value-bytes.ts";
import { EntityAddress } from "../../src/functions/entity-address.ts";
import type { LatticeError } from "../../src/model/error.ts";
import { Attempts } from "../../src/node/calls/attempts.ts";
import { CallOrder } from "../../src/node/calls/call-order.ts";
import { patienceMs, WaitingCalls, waitingCallsMax } from "../../src/node/calls/waiting-calls.ts";
import type { CallUnderWay, Origin } from "../../src/node/calls/served-call.ts";
import { VirtualTime } from "../../src/platform/virtual/virtual-time.ts";
import type { FailureMessage, ReplyMessage } from "../../src/wire/messages.ts";
import { callMessage, callRaw, dialClient } from "./support/raw-peer.ts";
import { VirtualCluster } from "./support/virtual-cluster.ts";

const origin: Origin = { node: "", answer: () => undefined, done: () => undefined };

/** An entity of a partition. */
function at(partition: number): EntityAddress {
  return new EntityAddress("counter", "a", partition);
}

function waitingStage() {
  const time = new VirtualTime({ seed: 1 });
  const served: number[] = [];
  const failed: { readonly id: number; readonly code: string | undefined }[] = [];
  const state = { isServing: false };
  const calls = new WaitingCalls({
    clock: time.clock,
    timers: time.timers,
    serve: (waiting): CallUnderWay | undefined => {
      if (!state.isServing) return waiting;
      served.push(waiting.call.id);
      return undefined;
    },
    failed: ({ call }, error) => failed.push({ id: call.id, code: error?.code }),
  });
  return { time, calls, served, failed, state };
}

void test("waiting calls go on in order of arrival when their partition is served", async () => {
  const { time, calls, served, failed, state } = waitingStage();
  for (let id = 1; id <= 3; id++) calls.hold(callMessage({ id }), origin, at(7));
  calls.hold(callMessage({ id: 9 }), origin, at(8));
  calls.changed(7);
  await time.sleep(1);
  assert.deepEqual(served, [], "nobody serves it yet");
  state.isServing = true;
  calls.changed(7);
  await time.sleep(1);
  assert.deepEqual(served, [1, 2, 3]);
  assert.equal(calls.count, 1);
  calls.changedAll();
  await time.sleep(1);
  assert.deepEqual(served, [1, 2, 3, 9]);
  assert.equal(calls.count, 0);
  await time.sleep(5_000);
  assert.deepEqual(failed, []);
});

void test("patience ends, at the deadline of the call if that is sooner", async () => {
  const { time, calls, failed } = waitingStage();
  calls.hold(callMessage({ id: 1, timeoutMs: 60_000 }), origin, at(7));
  calls.hold(callMessage({ id: 2, timeoutMs: 100 }), origin, at(7));
  await time.sleep(200);
  assert.deepEqual(failed, [{ id: 2, code: undefined }]);
  await time.sleep(patienceMs);
  assert.deepEqual(failed.at(-1), { id: 1, code: undefined });
  assert.equal(calls.count, 0);
});

void test("a cancelled call waits no more, and says so once", async () => {
  const { time, calls, served, failed, state } = waitingStage();
  const waiting = calls.hold(callMessage({ id: 1 }), origin, at(7));
  waiting?.cancel();
  state.isServing = true;
  calls.changed(7);
  await time.sleep(2_000);
  assert.deepEqual(failed, [{ id: 1, code: "cancelled" }]);
  assert.deepEqual(served, []);
  assert.equal(calls.count, 0);
});

void test("no more calls wait than the bound says", () => {
  const { calls } = waitingStage();
  for (let id = 0; id < waitingCallsMax; id++) calls.hold(callMessage({ id }), origin, at(id % 64));
  assert.equal(calls.hold(callMessage({ id: -1 }), origin, at(3)), undefined);
  assert.equal(calls.count, waitingCallsMax);
  calls.close();
  assert.equal(calls.count, 0);
});

void test("the time that a call waited is taken off its deadline", async () => {
  const { time, calls } = waitingStage();
  const waiting = calls.hold(callMessage({ timeoutMs: 500 }), origin, at(7));
  await time.sleep(200);
  assert.equal(waiting?.remaining(time.clock.now()).timeoutMs, 300);
});

void test("ordered calls to one key wait for each other, and those to others do not", async () => {
  const order = new CallOrder();
  const log: string[] = [];
  let release!: () => void;
  const gate = new Promise<void>((resolve) => (release = resolve));
  const first = order.after("k", () => gate.then(() => log.push("first")));
  const second = order.after("k", () => Promise.resolve(log.push("second")));
  await order.after("other", () => Promise.resolve(log.push("other")));
  release();
  await Promise.all([first, second]);
  assert.deepEqual(log, ["other", "first", "second"]);
  await Promise.resolve();
  assert.equal(order.size, 0);
});

void test("a call that arrives while its primary is dead waits for the next one", async () => {
  const cluster = new VirtualCluster(3);
  await cluster.form(["a", "b", "c"]);
  await cluster.sleep(2_000);
  const key = cluster.keyLedBy("b");
  const peer = await dialClient(cluster, "client", "a");
  cluster.crash("b");
  await cluster.sleep(5);
  // One attempt, as a client without any retries makes it.
  const answer = await callRaw(cluster, peer, { key, input: encodeValue(3) });
  assert.equal(answer.type, "reply", JSON.stringify(answer));
  assert.equal(cluster.node("a").parts.calls.waitingCount, 0);
  await cluster.end();
});

void test("a node that stops answers what it cannot finish, and later calls fail at once", async () => {
  const cluster = new VirtualCluster(4);
  await cluster.form(["a", "b", "c"]);
  const { node } = cluster.nodes.get("a")!;
  const key = cluster.keyLedBy("b");
  const slow = node.get("ledger", key) as unknown as { slowly(ms: number): Promise<void> };
  const open = slow.slowly(10_000).catch((error: unknown) => error);
  await cluster.sleep(50);
  await cluster.settled(node.stop());
  const first = (await cluster.settled(open)) as LatticeError;
  assert.deepEqual([first.code, first.indeterminate], ["unavailable", true]);
  const second = (await cluster.settled(
    slow.slowly(1).catch((error: unknown) => error),
  )) as LatticeError;
  assert.equal(second.code, "unavailable");
  cluster.nodes.delete("a");
  await cluster.end();
});

void test("a signal that outlives a call of a node's handle keeps nothing of it", async () => {
  const cluster = new VirtualCluster(5);
  await cluster.form(["a"]);
  const controller = new AbortController();
  let listeners = 0;
  const { signal } = controller;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners += 1;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners -= 1;
    remove(...args);
  };
  type Adder = { with(options: object): { add(amount: number): Promise<number> } };
  const ledger = cluster.node("a").get("ledger", "k") as unknown as Adder;
  for (let i = 0; i < 5; i++) await cluster.settled(ledger.with({ signal }).add(1));
  assert.equal(listeners, 0);
  await cluster.end();
});

void test("calls between nodes of one table do not make them compare tables", async () => {
  const cluster = new VirtualCluster(6);
  await cluster.form(["a", "b", "c"]);
  await cluster.sleep(5_000);
  const { cluster: driver } = cluster.node("b").parts;
  let compared = 0;
  driver.compareWith = () => {
    compared += 1;
  };
  const client = await cluster.client("client", ["a"], { direct: false });
  const key = cluster.keyLedBy("b");
  for (let i = 0; i < 20; i++) await cluster.settled(client.get("ledger", key).add(1));
  const { caller } = cluster.node("b").parts;
  assert.notEqual(caller.tableId, 0);
  assert.equal(compared, 0);
  await cluster.end();
});

test("a call to a node without a link ends at once, and says that it did not run", () => {
  const answers: string[] = [];
  const attempts = new Attempts({ link: () => undefined, send: () => undefined });
  const attempt = {
    answered: (message: ReplyMessage | FailureMessage): void => {
      if (message.type === "failure") answers.push(`${message.code} ${message.indeterminate}`);
    },
    linkLost: (): void => void answers.push("lost"),
  };
  assert.equal(attempts.send("b", callMessage(), attempt), undefined);
  assert.equal(attempts.count, 0);
  assert.deepEqual(answers, ["unavailable false"]);
});
