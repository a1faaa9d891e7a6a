import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestCluster } from "latticework/testing";
import { functions } from "../../examples/cart/functions.ts";
import { runExample } from "./run-example.ts";

test("what was in a cart is sold once, though the cart's primary dies right after the checkout", async () => {
  await using cluster = await createTestCluster({ functions, nodes: 5, seed: 31 });
  const alice = cluster.client.get("cart", "alice");
  await alice.add({ sku: "tea", quantity: 2 });
  await alice.add({ sku: "milk", quantity: 1 });
  assert.equal(await alice.total(), 3);
  await alice.checkOut();
  cluster.crash(cluster.primaryOf("cart", "alice"));
  await cluster.settled();
  const shop = cluster.client.get("shop", "main");
  assert.deepEqual([await shop.sold("tea"), await shop.sold("milk")], [2, 1]);
  assert.equal(await alice.total(), 0);
});

test("the program of the cart tells what was sold", async () => {
  const output = await runExample("cart");
  assert.match(output, /^alice has 3 in her cart, bob 1$/m);
  assert.match(output, /^the shop has sold: 1 × milk, 3 × tea$/m);
});
