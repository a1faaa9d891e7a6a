/** Chains of calls, from primary to primary, in whole clusters on virtual time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { crdt, defineFunction, pipe, type LatticeError } from "../../src/entry/main.ts";
import { createTestCluster } from "../../src/testing/test-cluster.ts";
import { callFlags, type CallMessage } from "../../src/wire/messages.ts";
import { encodeValue } from "../../src/codec/value-bytes.ts";
import type { Value } from "../../src/model/value.ts";
import { VirtualCluster } from "./support/virtual-cluster.ts";

interface Parcel {
  readonly path: readonly string[];
}

const place = defineFunction({
  state: { passed: crdt.counter() },
  handlers: {
    pass(ctx, { path }: Parcel): Parcel {
      ctx.state.passed.add(1);
      return { path: [...path, ctx.key] };
    },
    async slowly(ctx, { path }: Parcel): Promise<Parcel> {
      await ctx.sleep(200);
      ctx.state.passed.add(1);
      return { path: [...path, ctx.key] };
    },
    refuse(ctx, _parcel: Parcel): Parcel {
      ctx.state.passed.add(1);
      return ctx.fail("failed_precondition", "closed", { until: "noon" });
    },
    empty(ctx) {
      ctx.state.passed.add(1);
    },
  },
  queries: { passed: (ctx) => ctx.state.passed.value },
});
const functions = { place };
const keys = ["a", "b", "c", "d", "e"] as const;
const from: Parcel = { path: [] };

test("a chain runs its stages in order, each once, and gives the last result", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 4, seed: 1 });
  const at = (key: string) => cluster.client.get("place", key);
  const [a, b, c, d, e] = keys.map(at) as [ReturnType<typeof at>, ...ReturnType<typeof at>[]];
  const chain = pipe(a.pass, b!.pass, c!.slowly, d!.pass, e!.pass);
  assert.deepEqual(await chain(from), { path: keys });
  assert.deepEqual(await chain(from), { path: keys }, "it may run again");
  for (const key of keys) assert.equal(await at(key).passed(), 2);
  await pipe(a.empty, b!.empty)();
  assert.equal(await a.passed(), 3, "nothing is passed on where nothing is returned");
  assert.deepEqual(await pipe(a.pass, a.pass)(from), { path: ["a", "a"] }, "nothing is held");
  const node = cluster.node("node-2");
  const inNode = pipe(node.get("place", "a").pass, node.get("place", "b").pass);
  assert.deepEqual(await inNode(from), { path: ["a", "b"] });
  const all = Array.from({ length: 16 }, (_, i) => at(keys[i % 5]!).pass);
  const sixteen = pipe(all[0]!, ...(all.slice(1) as [typeof a.pass]));
  assert.equal((await sixteen(from)).path.length, 16);
});

test("a stage that fails ends the chain, says which it was, and undoes nothing", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 3, seed: 2 });
  const at = (key: string) => cluster.client.get("place", key);
  const failing = pipe(at("a").pass, at("b").refuse, at("c").pass)(from);
  await assert.rejects(failing, (error: LatticeError) => {
    assert.deepEqual([error.code, error.data], ["failed_precondition", { until: "noon" }]);
    assert.match(error.message, /stage 2 of 3 \(place\/b refuse\): closed/);
    return true;
  });
  await assert.rejects(pipe(at("d").pass, at("e").refuse)(from), {
    message: /stage 2 of 2 \(place\/e refuse\): closed/,
  });
  await assert.rejects(pipe(at("e").refuse, at("d").pass)(from), {
    message: /stage 1 of 2 \(place\/e refuse\): closed/,
  });
  const passed = await Promise.all(["a", "b", "c"].map((key) => at(key).passed()));
  assert.deepEqual(passed, [1, 0, 0]);
});

test("stages take effect once while their primaries crash", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 5, seed: 3 });
  const at = (key: string) => cluster.client.get("place", key);
  const chain = pipe(at("a").with({ timeoutMs: 30_000 }).slowly, at("b").slowly, at("c").slowly);
  let crashed = "";
  for (const [round, key] of ["a", "b", "c"].entries()) {
    const victim = cluster.primaryOf("place", key);
    const running = chain(from);
    await cluster.advance(100 + round * 250);
    cluster.crash(victim);
    crashed += victim;
    assert.deepEqual(await running, { path: ["a", "b", "c"] });
    await cluster.restart(victim);
    await cluster.settled();
  }
  assert.ok(crashed.length > 0);
  for (const key of ["a", "b", "c"]) assert.equal(await at(key).passed(), 3);
});

test("an idempotency key makes a chain take effect once, whoever calls it", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 3, seed: 4 });
  for (const client of [cluster.client, await cluster.connect()]) {
    const at = (key: string) => client.get("place", key);
    const first = at("a").with({ idempotencyKey: "order-7" });
    const chain = pipe(first.pass, at("b").pass, at("c").pass);
    assert.deepEqual(await chain(from), { path: ["a", "b", "c"] });
  }
  for (const key of ["a", "b", "c"]) {
    assert.equal(await cluster.client.get("place", key).passed(), 1);
  }
});

test("a session that called a chain sees what all of it did", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 3, seed: 5 });
  const session = await cluster.connect({ session: true });
  await pipe(session.get("place", "a").pass, session.get("place", "b").pass)(from);
  for (let read = 0; read < 10; read++) {
    assert.equal(await session.get("place", "b").with({ readFrom: "any" }).passed(), 1);
  }
});

test("what is no chain of handlers is refused before anything took effect", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 3, seed: 6 });
  const at = (key: string) => cluster.client.get("place", key);
  const a = at("a");
  const code = { code: "invalid_argument" };
  assert.throws(() => pipe(a.pass, ...([] as unknown as [typeof a.pass])), /2 … 16 stages/);
  assert.throws(() => pipe(a.pass, 7 as never), /a stage is a handler of a handle/);
  assert.throws(() => pipe(a.pass, a.with({ acks: 1 }).pass), /options belong to the first/);
  assert.throws(() => pipe(a.with({ reply: "full" }).pass as never, a.pass), /it has no `reply/);
  await assert.rejects(pipe(a.pass, a.passed)(from), {
    ...code,
    message: /a handler of a function with state/,
  });
  await assert.rejects(pipe(a.passed, a.pass as never)(), {
    ...code,
    message: /a handler of a function with state/,
  });
  await assert.rejects(pipe(a.pass, at("b").pass)(new Map() as never), code);
  const nobody = (a as unknown as Record<string, typeof a.pass>)["nobody"]!;
  await assert.rejects(pipe(a.pass, nobody)(from), { code: "not_found" });
  assert.equal(await a.passed(), 0);
});

test("what a foreign client sends for a chain is checked", async () => {
  const cluster = new VirtualCluster(7);
  await cluster.form(["a"]);
  const { calls } = cluster.node("a").parts;
  const answers: string[] = [];
  const origin = {
    node: "",
    answer: (end: unknown) => answers.push(JSON.stringify(end)),
    done: () => undefined,
  };
  const send = (input: Value): void => {
    const call: CallMessage = {
      ...{
        type: "call",
        id: 1,
        partition: 0,
        tableId: 0,
        hop: 1,
        functionName: "ledger",
        key: "k",
      },
      ...{ operation: "add", caller: "", number: 0, received: 0, timeoutMs: 1_000, acks: 0 },
      ...{ flags: callFlags.piped, ageTime: 0, ageId: "", seen: undefined, chain: [], trace: "" },
      input: encodeValue(input),
    };
    calls.serve(call, origin, undefined, calls.now());
  };
  const step = ["ledger", "k", "add"];
  const wrong: Value[] = [
    1,
    [],
    {},
    { then: [] },
    { then: 1 },
    { then: [1] },
    { then: [["a", 1]] },
  ];
  wrong.push({ then: Array.from({ length: 16 }, () => step) }, { then: [step], at: 16 });
  wrong.push({ then: [step], at: 0 }, { then: [["ledger", "", "add"]] });
  for (const input of wrong) send(input);
  assert.equal(answers.length, wrong.length);
  for (const answer of answers) assert.match(answer, /invalid_argument/);
  await cluster.end();
});
