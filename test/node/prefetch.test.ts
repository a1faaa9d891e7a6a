import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServedEntity } from "../../src/functions/entity-address.ts";
import { Addresses } from "../../src/node/calls/addresses.ts";
import { Prefetch } from "../../src/node/calls/prefetch.ts";
import { Entity } from "../../src/state/entity.ts";
import { callMessage } from "./support/raw-peer.ts";

const unmetered = { fetch: () => 0 };

void test("the addresses of a frame's calls are found in their order, where they are known", () => {
  const addresses = new Addresses(64);
  const a = addresses.of("cart", "a");
  const b = addresses.of("cart", "b");
  const prefetch = new Prefetch(addresses, unmetered);
  const calls = ["b", "new", "a", "b"].map((key) => callMessage({ functionName: "cart", key }));
  assert.deepEqual(prefetch.run(calls), [b, undefined, a, b]);
  assert.deepEqual(prefetch.run([]), []);
});

void test("entities that are no longer served are let alone", () => {
  const addresses = new Addresses(64);
  const reads: string[] = [];
  for (const [key, isServed] of Object.entries({ served: true, over: false })) {
    const entity = Entity.create(`cart/${key}`);
    const opened: ServedEntity = {
      isServed,
      get entity() {
        reads.push(key);
        return entity;
      },
      isFull: false,
      writer: 1,
      usedUp: 0,
      degraded: false,
      copiesMax: 1,
      reign: {},
      commitAlone: () => false,
    };
    addresses.of("cart", key).opened = opened;
  }
  const keys = ["served", "over"];
  new Prefetch(addresses, unmetered).run(
    keys.map((key) => callMessage({ functionName: "cart", key })),
  );
  assert.deepEqual(new Set(reads), new Set(["served"]));
});
