/** More entities send to one than it can remember at a time. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defineFunction } from "../../src/definition/define-function.ts";
import { crdt } from "../../src/definition/kinds.ts";
import { callersMax } from "../../src/state/dedupe.ts";
import { createTestCluster } from "../../src/testing/test-cluster.ts";

const shop = defineFunction({
  state: { sold: crdt.counter() },
  whenSplit: "refuse",
  handlers: {
    sell(ctx, amount: number) {
      ctx.state.sold.add(amount);
    },
  },
  queries: { sold: (ctx) => ctx.state.sold.value },
});

const cart = defineFunction({
  state: { checkouts: crdt.counter() },
  handlers: {
    checkOut(ctx, amount: number) {
      ctx.state.checkouts.add(1);
      ctx.send(shop, "main").sell(amount);
    },
  },
});

const functions = { shop, cart };
const cartCount = Math.round(callersMax * 1.5);

test("a shop sells to more carts at once than it can remember, and to each once", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 4, seed: 5 });
  const { client } = cluster;
  const checkOut = (n: number): Promise<void> => client.get("cart", `c${String(n)}`).checkOut(1);
  const carts = Array.from({ length: cartCount }, (_, n) => n);
  await Promise.all(carts.map(checkOut));
  await cluster.advance(5_000);
  assert.equal(await client.get("shop", "main").sold(), cartCount);
  // The same carts once more, after their shop has moved.
  cluster.crash(cluster.primaryOf("shop", "main"));
  await Promise.all(carts.map(checkOut));
  await cluster.advance(20_000);
  assert.equal(await client.get("shop", "main").sold(), 2 * cartCount);
});
