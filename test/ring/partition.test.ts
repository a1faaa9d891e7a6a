import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { partitionOf, routingKey } from "../../src/ring/partition.ts";
import { computeGolden } from "./golden.ts";

test("keys and clusters keep the owners that were once recorded", () => {
  const golden: unknown = JSON.parse(readFileSync(new URL("golden.json", import.meta.url), "utf8"));
  const computed = computeGolden();
  assert.equal(computed.keys.length, 200);
  assert.equal(computed.clusters.length, 20);
  assert.deepEqual(JSON.parse(JSON.stringify(computed)), golden);
});

test("a non-empty tag alone decides, across functions", () => {
  assert.equal(routingKey("cart", "{alice}"), "alice");
  assert.equal(routingKey("orders", "2024/{alice}/x"), "alice");
  assert.equal(partitionOf("cart", "{alice}", 1024), partitionOf("orders", "a{alice}b{bob}", 1024));
});

test("an empty, open or reversed tag is none", () => {
  for (const key of ["{}", "{}x{y}", "a{b", "a}b{", "}{", "plain", ""]) {
    assert.equal(routingKey("cart", key), `cart\0${key}`);
  }
  assert.equal(routingKey("cart", "{{a}"), "{a");
});

test("function and key cannot run into each other", () => {
  assert.notEqual(routingKey("ab", "c"), routingKey("a", "bc"));
});

test("a partition is an integer below the count", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.nat(16), (name, key, power) => {
      const count = 2 ** power;
      const partition = partitionOf(name, key, count);
      assert.ok(Number.isInteger(partition) && partition >= 0 && partition < count);
    }),
  );
});

test("keys spread evenly over the partitions", () => {
  const counts = new Uint32Array(64);
  for (let index = 0; index < 64_000; index += 1) {
    counts[partitionOf("counter", `key-${String(index)}`, 64)]! += 1;
  }
  // The standard deviation of a fair spread is 31.
  assert.ok(Math.min(...counts) > 850 && Math.max(...counts) < 1150, counts.join(" "));
});

test("a count that is not a power of two is a defect", () => {
  for (const count of [0, 3, 1000, -4])
    assert.throws(() => partitionOf("a", "b", count), /power of two/);
});
