import assert from "node:assert/strict";
import { test } from "node:test";
import { Addresses } from "../../src/node/calls/addresses.ts";
import { partitionOf } from "../../src/ring/partition.ts";
import { LinkDecoder, LinkEncoder } from "../../src/wire/link-codec.ts";
import { nodeFrameLimits } from "../../src/wire/node-codecs.ts";
import type { CallMessage } from "../../src/wire/messages.ts";
import { callMessage } from "./support/raw-peer.ts";

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

/** The calls as they come out of a frame at a node with these addresses. */
function received(addresses: Addresses, calls: readonly CallMessage[]): CallMessage[] {
  const encoder = new LinkEncoder(nodeFrameLimits);
  const decoder = new LinkDecoder(nodeFrameLimits, addresses.keys);
  encoder.become("data");
  decoder.become("data");
  for (const call of calls) encoder.write(call);
  const decoded: CallMessage[] = [];
  const advice = decoder.decode(encoder.take()!, (message) => {
    if (message.type === "call") decoded.push(message);
  });
  assert.equal(advice, undefined);
  return decoded;
}

void test("a call that came in a frame is known by the bytes of its key", () => {
  const addresses = new Addresses(64);
  const keys = ["alice", "a key that is too long for the table of keys", "Ålesund", "bob"];
  const known = keys.map((key) => addresses.of("cart", key));
  const calls = keys.map((key) => callMessage({ functionName: "cart", key }));
  const [alice, long, foreign, bob] = received(addresses, calls);
  assert.deepEqual(
    [alice, long, foreign, bob].map((call) => call!.keySlot! >= 0),
    [true, false, false, true],
  );
  assert.deepEqual(
    [alice, long, foreign, bob].map((call) => addresses.known(call!)),
    known,
  );
  const [other] = received(addresses, [callMessage({ functionName: "shop", key: "alice" })]);
  assert.equal(other!.key, "alice");
  assert.equal(addresses.known(other!), undefined);
});

void test("what was found before a generation went is not taken for what came after it", () => {
  const addresses = new Addresses(64);
  addresses.of("cart", "early");
  const [early] = received(addresses, [callMessage({ functionName: "cart", key: "early" })]);
  assert.ok(early!.keySlot! >= 0);
  for (let other = 0; other < 20_000; other++) addresses.of("cart", String(other));
  assert.equal(addresses.known(early!), undefined);
});
