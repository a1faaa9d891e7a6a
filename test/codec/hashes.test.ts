import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { hash53 } from "../../src/codec/hash53.ts";
import { murmur3 } from "../../src/codec/murmur3.ts";
import { anyText } from "./values.ts";

test("murmur3 agrees with the published vectors of MurmurHash3_x86_32", () => {
  const golden: readonly (readonly [string | number[], number, number])[] = [
    ["", 0, 0],
    ["", 1, 0x514e28b7],
    ["", 0xffffffff, 0x81f16f39],
    [[0xff, 0xff, 0xff, 0xff], 0, 0x76293b50],
    [[0x21, 0x43, 0x65, 0x87], 0, 0xf55b516b],
    [[0x21, 0x43, 0x65, 0x87], 0x5082edee, 0x2362f9de],
    [[0x21, 0x43, 0x65], 0, 0x7e4a8634],
    [[0x21, 0x43], 0, 0xa0f7b07a],
    [[0x21], 0, 0x72661cf4],
    [[0, 0, 0, 0], 0, 0x2362f9de],
    [[0, 0, 0], 0, 0x85f0b427],
    [[0, 0], 0, 0x30f4c306],
    [[0], 0, 0x514e28b7],
    ["aaaa", 0x9747b28c, 0x5a97808a],
    ["aaa", 0x9747b28c, 0x283e0130],
    ["aa", 0x9747b28c, 0x5d211726],
    ["a", 0x9747b28c, 0x7fa09ea6],
    ["abcd", 0x9747b28c, 0xf0478627],
    ["Hello, world!", 0x9747b28c, 0x24884cba],
    ["ππππππππ", 0x9747b28c, 0xd58063c1],
    ["The quick brown fox jumps over the lazy dog", 0x9747b28c, 0x2fa826cd],
  ];
  for (const [input, seed, hash] of golden) {
    assert.equal(murmur3(typeof input === "string" ? input : Uint8Array.from(input), seed), hash);
  }
});

test("a string hashes as its UTF-8 bytes", () => {
  fc.assert(
    fc.property(anyText, fc.nat(0xffffffff), (text, seed) => {
      assert.equal(murmur3(text, seed), murmur3(new TextEncoder().encode(text), seed));
      assert.equal(hash53(text), hash53(new TextEncoder().encode(text)));
    }),
  );
});

test("hash53 fills 53 bits and no more, and stays what it is", () => {
  assert.equal(hash53(""), 6405926542114816);
  assert.equal(hash53("latticework"), hash53("latticework"));
  let high = 0;
  const seen = new Set<number>();
  for (let index = 0; index < 20_000; index += 1) {
    const hash = hash53(`entity/${String(index)}`);
    assert.ok(Number.isSafeInteger(hash) && hash >= 0);
    if (hash >= 2 ** 52) high += 1;
    seen.add(hash);
  }
  assert.equal(seen.size, 20_000);
  assert.ok(high > 9_000 && high < 11_000);
});
