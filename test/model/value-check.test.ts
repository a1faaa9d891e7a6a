import assert from "node:assert/strict";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { LatticeError } from "../../src/model/error.ts";
import type { ErrorCode } from "../../src/model/error.ts";
import { limits } from "../../src/model/limits.ts";
import { checkOptionalValue, checkValue } from "../../src/model/value-check.ts";
import { maxValueDepth } from "../../src/model/value.ts";

function refused(value: unknown, code: ErrorCode, message: string | RegExp): void {
  assert.throws(
    () => checkValue(value, "line"),
    (error: unknown) => {
      assert.ok(error instanceof LatticeError);
      assert.equal(error.code, code);
      if (typeof message === "string") assert.equal(error.message, message);
      else assert.match(error.message, message);
      return true;
    },
  );
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { in: value };
  return value;
}

test("returns a clean value as the same reference", () => {
  const value = { a: [1, "two", null, true, { b: new Uint8Array([1, 2]) }], c: { d: -0.5 } };
  assert.equal(checkValue(value, "line"), value);
  for (const scalar of [null, true, 0, -1.5, "", "é𝄞"])
    assert.equal(checkValue(scalar, "x"), scalar);
});

test("names the path of what is not a value", () => {
  refused({ price: 1n }, "invalid_argument", /^line\.price: BigInt is not a value/);
  refused(
    { items: [0, { at: new Date(0) }] },
    "invalid_argument",
    /^line\.items\[1\]\.at: Date is/,
  );
  refused({ "odd key": NaN }, "invalid_argument", 'line["odd key"]: NaN is not a value');
  refused(Infinity, "invalid_argument", "line: Infinity is not a value");
  refused([1, undefined], "invalid_argument", "line[1]: undefined is not a value");
  refused(undefined, "invalid_argument", "line: undefined is not a value");
  refused(() => 1, "invalid_argument", "line: function is not a value");
  refused({ tag: Symbol("s") }, "invalid_argument", "line.tag: symbol is not a value");
});

test("refuses what has a class of its own", () => {
  class Money {
    readonly amount = 1;
  }
  for (const value of [
    new Set([1]),
    new Map(),
    new Money(),
    /x/,
    new Error("x"),
    new Float64Array(1),
    new ArrayBuffer(1),
    Promise.resolve(),
    Object.create({ inherited: 1 }),
  ]) {
    refused(value, "invalid_argument", /^line: \w+ is not a value; send /);
  }
});

test("refuses keys that would reach the prototype chain, at any depth", () => {
  refused(
    JSON.parse('{"a":{"__proto__":1}}'),
    "invalid_argument",
    /^line\.a\.__proto__: .*reserved/,
  );
  refused({ constructor: 1 }, "invalid_argument", /^line\.constructor: /);
  refused([{ prototype: 1 }], "invalid_argument", /^line\[0\]\.prototype: /);
});

test("accepts 64 levels and refuses 65", () => {
  assert.deepEqual(checkValue(nested(maxValueDepth), "line"), nested(maxValueDepth));
  refused(nested(maxValueDepth + 1), "invalid_argument", /nested deeper than 64 levels$/);
});

test("says where a value contains itself", () => {
  const cart: { lines: unknown[] } = { lines: [] };
  cart.lines.push(cart);
  refused(cart, "invalid_argument", "line.lines[0]: the value contains itself");
});

test("refuses more parts than fit, also when they are shared many times over", () => {
  refused(new Array(limits.valueNodesMax + 1).fill(0), "too_large", /more than 1,048,576 parts$/);
  let shared: unknown = 1;
  for (let level = 0; level < 60; level += 1) shared = [shared, shared];
  refused(shared, "too_large", /more than 1,048,576 parts$/);
});

test("drops undefined properties in a copy and leaves the original alone", () => {
  const kept = { c: 1 };
  const value = { a: undefined, b: 2, kept, d: undefined };
  const checked = checkValue(value, "line") as Record<string, unknown>;
  assert.deepEqual(checked, { b: 2, kept: { c: 1 } });
  assert.equal(checked.kept, kept);
  assert.equal(Object.keys(value).length, 4);
});

test("irons out what would change at the first border", () => {
  assert.ok(Object.is(checkValue(-0, "x"), 0));
  assert.deepEqual(checkValue([1, -0, 3], "x"), [1, 0, 3]);
  assert.deepEqual(checkValue({ a: "\ud800", "\udfff": 1 }, "x"), { a: "\ufffd", "\ufffd": 1 });
  const bytes = checkValue(Buffer.from("ab"), "x");
  assert.equal(Object.getPrototypeOf(bytes), Uint8Array.prototype);
  assert.deepEqual(bytes, new Uint8Array([97, 98]));
});

test("copies plain objects without prototype and from other realms", () => {
  const bare = Object.assign(Object.create(null) as object, { a: 1 });
  assert.deepEqual(checkValue(bare, "x"), { a: 1 });
  const foreign: unknown = runInNewContext("({ a: [1, { b: 2 }] })");
  const checked = checkValue(foreign, "x") as { a: unknown[] };
  assert.equal(Object.getPrototypeOf(checked), Object.prototype);
  assert.equal(JSON.stringify(checked), '{"a":[1,{"b":2}]}');
});

test("lets a bare undefined pass where there may be no value", () => {
  assert.equal(checkOptionalValue(undefined, "x"), undefined);
  assert.equal(checkOptionalValue(1, "x"), 1);
});

test("accepts every JSON value unchanged but for -0 and reserved keys", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      if (/"(__proto__|constructor|prototype)":/.test(text)) return;
      assert.equal(
        JSON.stringify(checkValue(value, "x")),
        text.replaceAll(/\\ud[89a-f]../g, "\ufffd"),
      );
    }),
  );
});

test("never throws anything but a LatticeError", () => {
  fc.assert(
    fc.property(
      fc.anything({ withBigInt: true, withMap: true, withSet: true, withDate: true }),
      (value) => {
        try {
          checkValue(value, "x");
        } catch (error) {
          assert.ok(error instanceof LatticeError);
        }
      },
    ),
  );
});
