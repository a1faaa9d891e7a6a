/** A real node computes beside its event loop, and an endless computation does not harm it. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { connect } from "../../src/entry/client.ts";
import { startNode } from "../../src/entry/node.ts";
import { crdt } from "../../src/definition/kinds.ts";
import { defineFunction } from "../../src/definition/define-function.ts";
import { LatticeError } from "../../src/model/error.ts";
import { WrittenModules } from "../support/written-modules.ts";

const modules = new WrittenModules({
  primes: `export default (most) => {
    let count = 0;
    for (let n = 2; n <= most; n++) {
      let d = 2;
      while (d * d <= n && n % d !== 0) d++;
      if (d * d > n) count++;
    }
    return { most, count };
  };`,
  spin: "export default () => { while (true); };",
});
after(() => {
  modules.remove();
});

const primes = defineFunction({
  deadlineMs: 20_000,
  state: { found: crdt.counter() },
  handlers: {
    async count(ctx, most: number) {
      const { count } = await ctx.compute<{ count: number }>(modules.url("primes"), most);
      ctx.state.found.add(count);
      return ctx.state.found.value;
    },
    async spin(ctx) {
      ctx.state.found.add(1_000);
      await ctx.compute(modules.url("spin"));
    },
  },
  queries: { found: (ctx) => ctx.state.found.value },
});
const functions = { primes };

test("endless computations end with their calls, and the node serves others meanwhile", async () => {
  await using node = await startNode({ functions, listen: { port: 0 }, logger: "silent" });
  await using client = await connect<typeof functions>({ nodes: [node.address] });
  const patient = client.get("primes", "a");
  assert.equal(await patient.count(100), 25);
  // More of them than there are threads on most machines, so that some wait for one.
  const spinning = Array.from({ length: 8 }, (_, at) =>
    client
      .get("primes", `spin-${String(at)}`)
      .with({ timeoutMs: 2_000 })
      .spin(),
  );
  const state = { isOver: false };
  const ended = Promise.allSettled(spinning).finally(() => (state.isOver = true));
  let servedCount = 0;
  while (!state.isOver) {
    assert.equal(await patient.found(), 25);
    servedCount += 1;
  }
  for (const outcome of await ended) {
    assert.ok(outcome.status === "rejected" && outcome.reason instanceof LatticeError);
    assert.equal(outcome.reason.code, "deadline_exceeded");
  }
  assert.ok(servedCount > 50, String(servedCount));
  assert.equal(await client.get("primes", "spin-0").found(), 0);
  assert.equal(await patient.count(1_000), 25 + 168);
});
