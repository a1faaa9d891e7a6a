import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { KeyTable, noSlot, tableKeyBytesMax } from "../../src/codec/key-table.ts";
import { textEncoder } from "../../src/codec/utf8.ts";
import { anyText } from "./values.ts";

/** Where `key` stands, looked up in the middle of other bytes. */
function slotOf<T>(table: KeyTable<T>, owner: string, key: string): number {
  const bytes = textEncoder.encode(`<${key}>`);
  return table.find(owner, bytes, 1, bytes.length - 1);
}

function get<T>(table: KeyTable<T>, owner: string, key: string): T | undefined {
  const slot = slotOf(table, owner, key);
  if (slot === noSlot) return undefined;
  assert.equal(table.keyAt(slot), key);
  return table.at(slot);
}

test("it finds what was put, and nothing else, whatever the keys are", () => {
  const owner = fc.constantFrom("cart", "shop", "a much longer name of a function");
  const key = fc.oneof(fc.string({ maxLength: 40, unit: "binary-ascii" }), anyText);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(owner, key), { maxLength: 300 }),
      owner,
      key,
      (puts, by, other) => {
        const table = new KeyTable<string>();
        const kept = new Set<string>();
        for (const [of, name] of puts) {
          if (kept.has(`${of} ${name}`)) continue;
          kept.add(`${of} ${name}`);
          table.put(of, name, `${of} ${name}`);
        }
        for (const [of, name] of puts) {
          const isKept = /^[\0-\x7f]*$/.test(name) && name.length <= tableKeyBytesMax;
          assert.equal(get(table, of, name), isKept ? `${of} ${name}` : undefined);
        }
        if (!kept.has(`${by} ${other}`)) assert.equal(slotOf(table, by, other), noSlot);
      },
    ),
  );
});

test("keys that differ in one byte or only in length are not taken for each other", () => {
  const table = new KeyTable<number>();
  const keys = ["", "a", "aa", "aaa", "aaaa", "aaaaa", "a\0", "\0a", "\0", "\0\0", "aaa\0"];
  keys.forEach((key, index) => {
    table.put("f", key, index);
  });
  keys.forEach((key, index) => {
    assert.equal(get(table, "f", key), index);
  });
});

test("ten thousand keys in a row are all found, and none after the table was cleared", () => {
  const table = new KeyTable<number>();
  const keys = Array.from({ length: 10_000 }, (_, index) => `account-${String(index)}`);
  keys.forEach((key, index) => {
    table.put("f", key, index);
  });
  const slots = keys.map((key) => slotOf(table, "f", key));
  assert.ok(keys.filter((key, index) => get(table, "f", key) === index).length === keys.length);
  table.clear();
  table.put("f", "account-0", 1);
  for (const slot of slots) if (slot !== noSlot) assert.equal(table.at(slot), undefined);
  assert.equal(get(table, "f", "account-1"), undefined);
  assert.equal(get(table, "f", "account-0"), 1);
});

test("more functions than it tells apart are let alone", () => {
  const table = new KeyTable<number>();
  for (let index = 0; index < 70_000; index++) table.put(`f${String(index)}`, "k", index);
  assert.equal(get(table, "f65534", "k"), 65_534);
  assert.equal(get(table, "f65535", "k"), undefined);
});
