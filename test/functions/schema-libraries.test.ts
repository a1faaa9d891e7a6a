/** Inputs checked by the schema libraries that are used most, as their users write them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type } from "arktype";
import * as v from "valibot";
import * as z from "zod";
import { defineFunction } from "../../src/definition/define-function.ts";
import { handler } from "../../src/definition/handler.ts";
import { crdt } from "../../src/definition/kinds.ts";
import { LatticeError } from "../../src/model/error.ts";
import { createTestCluster } from "../../src/testing/test-cluster.ts";

const zod = z.object({
  sku: z.string().min(1),
  quantity: z.string().transform(Number).pipe(z.number().int().positive()),
});
const valibot = v.object({
  sku: v.pipe(v.string(), v.minLength(1)),
  quantity: v.pipe(v.string(), v.transform(Number), v.integer(), v.minValue(1)),
});
const arktype = type({ sku: "string > 0", quantity: "string.integer.parse" }).narrow(
  ({ quantity }, context) => quantity > 0 || context.reject({ path: ["quantity"] }),
);
/** Looks something up before it decides, as schemas may. */
const slow = z.string().refine(async (sku) => {
  await Promise.resolve();
  return sku !== "unknown";
}, "is not in the catalogue");

const basket = defineFunction({
  state: { lines: crdt.map(crdt.counter()) },
  handlers: {
    zod: handler(zod, ({ state }, { sku, quantity }) => {
      state.lines.at(sku).add(quantity);
    }),
    valibot: handler(valibot, ({ state }, { sku, quantity }) => {
      state.lines.at(sku).add(quantity);
    }),
    arktype: handler(arktype, ({ state }, { sku, quantity }) => {
      state.lines.at(sku).add(quantity);
    }),
    slow: handler(slow, ({ state }, sku) => {
      state.lines.at(sku).add(1);
    }),
  },
  queries: { count: handler(z.string(), ({ state }, sku) => state.lines.get(sku) ?? 0) },
});

/** What is refused, and where. */
function refusedAt(path: string): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof LatticeError);
    assert.equal(error.code, "invalid_argument");
    assert.match(error.message, new RegExp(path));
    return true;
  };
}

test("Zod, Valibot and ArkType check inputs, and handlers get what they make of them", async () => {
  await using cluster = await createTestCluster({ functions: { basket }, nodes: 3, seed: 3 });
  const handle = cluster.client.get("basket", "ann");
  for (const library of ["zod", "valibot", "arktype"] as const) {
    await handle[library]({ sku: "tea", quantity: "2" });
    await assert.rejects(handle[library]({ sku: "tea", quantity: "-2" }), refusedAt("quantity"));
    await assert.rejects(handle[library]({ sku: "", quantity: "2" }), refusedAt("sku"));
    const strange = { sku: "tea" } as { sku: string; quantity: string };
    await assert.rejects(handle[library](strange), refusedAt("quantity"));
  }
  assert.equal(await handle.count("tea"), 6);
  await assert.rejects(handle.count(7 as never), refusedAt("expected string"));
});

test("a schema that decides later holds its key until then, and what it refuses takes no effect", async () => {
  await using cluster = await createTestCluster({ functions: { basket }, nodes: 3, seed: 4 });
  const handle = cluster.client.get("basket", "ann");
  const ends = await Promise.allSettled([
    handle.slow("tea"),
    handle.slow("unknown"),
    handle.slow("tea"),
  ]);
  assert.deepEqual(
    ends.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
  await assert.rejects(handle.slow("unknown"), refusedAt("is not in the catalogue"));
  assert.equal(await handle.count("tea"), 2);
  assert.equal(await handle.count("unknown"), 0);
});
