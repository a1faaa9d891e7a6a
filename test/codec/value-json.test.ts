import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeBase64, encodeBase64 } from "../../src/codec/base64.ts";
import { valueFromJson, valueToJson } from "../../src/codec/value-json.ts";
import { anyBytes, anyValue } from "./values.ts";

test("bytes are base64 under $bytes", () => {
  assert.deepEqual(valueToJson({ a: [Uint8Array.of(1, 2, 3)] }), { a: [{ $bytes: "AQID" }] });
  assert.deepEqual(valueFromJson({ a: [{ $bytes: "AQID" }] }, "x"), {
    a: [Uint8Array.of(1, 2, 3)],
  });
});

test("an object that looks like bytes stays an object", () => {
  assert.deepEqual(valueToJson({ $bytes: "AQID" }), { $$bytes: "AQID" });
  assert.deepEqual(valueFromJson({ $$bytes: "AQID" }, "x"), { $bytes: "AQID" });
  assert.deepEqual(valueToJson({ $bytes: 1, more: 2 }), { $bytes: 1, more: 2 });
});

test("every value survives JSON", () => {
  const odd = fc.dictionary(fc.constantFrom("$bytes", "$$bytes", "$", "bytes"), anyValue, {
    noNullPrototype: true,
  });
  fc.assert(
    fc.property(fc.oneof(anyValue, odd), (value) => {
      const json = JSON.stringify(valueToJson(value));
      assert.deepEqual(valueFromJson(JSON.parse(json), "x"), value);
    }),
    { numRuns: 200 },
  );
});

test("refuses $bytes that are not padded base64, and names the path", () => {
  for (const bytes of ["A", "AQI", "AQI=A", "====", "A===", "AQ*=", 7, null]) {
    assert.throws(
      () => valueFromJson({ $bytes: bytes }, "input"),
      /^LatticeError: input: "\$bytes" needs/,
    );
  }
  assert.throws(() => valueFromJson(JSON.parse('{"__proto__":1}'), "input"), /reserved/);
});

test("base64 agrees with Node's", () => {
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      const text = encodeBase64(bytes);
      assert.equal(text, Buffer.from(bytes).toString("base64"));
      assert.deepEqual(decodeBase64(text), bytes);
    }),
  );
});
