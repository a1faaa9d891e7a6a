import assert from "node:assert/strict";
import { test } from "node:test";
import { Addresses } from "../../src/node/calls/addresses.ts";
import { partitionOf } from "../../src/ring/partition.ts";

void test("one address is made for an entity that is called again and again", () => {
  const addresses = new Addresses(64);
  const address = addresses.of("cart", "alice");
  assert.equal(address.name, "cart/alice");
  assert.equal(address.partition, partitionOf("cart", "alice", 64));
  assert.equal(addresses.of("cart", "alice"), address);
  assert.equal(addresses.ofName("cart/alice"), address);
  assert.notEqual(addresses.of("shop", "alice"), address);
});

void test("what is called outlives any number of others, and what is not is forgotten", () => {
  const addresses = new Addresses(64);
  const busy = addresses.of("cart", "busy");
  const idle = addresses.of("cart", "idle");
  for (let other = 0; other < 100_000; other++) {
    addresses.of("cart", String(other));
    assert.equal(addresses.of("cart", "busy"), busy);
  }
  assert.notEqual(addresses.of("cart", "idle"), idle);
});

void test("keys that no entity may have are refused, and say why", () => {
  const addresses = new Addresses(64);
  assert.throws(() => addresses.of("cart", "__proto__"), /__proto__/);
  assert.throws(() => addresses.of("cart", "k".repeat(513)), /512/);
  assert.throws(() => addresses.of("cart", ""), { code: "invalid_argument" });
});
