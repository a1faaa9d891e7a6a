import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LatticeError } from "../../src/model/error.ts";
import {
  checkClusterName,
  checkFunctionName,
  checkKey,
  checkNodeId,
  checkOperationName,
} from "../../src/model/names.ts";

type Check = (name: unknown) => void;

function accepts(check: Check, names: readonly unknown[]): void {
  for (const name of names)
    assert.doesNotThrow(() => {
      check(name);
    }, String(name));
}

function refuses(check: Check, names: readonly unknown[]): void {
  for (const name of names) {
    assert.throws(
      () => {
        check(name);
      },
      (error: unknown) => error instanceof LatticeError && error.code === "invalid_argument",
      String(name),
    );
  }
}

test("function names are letters, digits, '_', '.' and '-', a letter first", () => {
  accepts(checkFunctionName, ["cart", "A", "a.b-c_d9", "x".repeat(128)]);
  refuses(checkFunctionName, [
    "",
    "9a",
    "_a",
    "a/b",
    "a b",
    "é",
    "x".repeat(129),
    1,
    null,
    undefined,
  ]);
  refuses(checkFunctionName, ["constructor", "prototype", "__proto__", "cart\n"]);
});

test("handler names are what can follow a dot", () => {
  accepts(checkOperationName, ["add", "checkOut", "_x", "$x", "a-b"]);
  refuses(checkOperationName, [
    "",
    "a.b",
    "a b",
    "1a",
    "constructor",
    "__proto__",
    "prototype",
    {},
  ]);
});

test("node ids are host:port or any name without '#'", () => {
  accepts(checkNodeId, ["127.0.0.1:7400", "[::1]:7400", "pod-0", "knoten-ä", "__proto__"]);
  refuses(checkNodeId, ["", "a#1", "a b", "a\u0000", "\ud800", "x".repeat(129), 7]);
});

test("cluster names are one word", () => {
  accepts(checkClusterName, ["dev", "prod-eu.1", "7"]);
  refuses(checkClusterName, ["", " ", "-a", "a b", "x".repeat(129), null]);
});

test("keys are 1 to 512 bytes of UTF-8", () => {
  accepts(checkKey, [
    "a",
    "x".repeat(512),
    "é".repeat(256),
    "𝄞".repeat(128),
    "€".repeat(170),
    "a/b {c}",
  ]);
  refuses(checkKey, [
    "",
    "x".repeat(513),
    "é".repeat(257),
    "𝄞".repeat(129),
    "€".repeat(171),
    1,
    null,
  ]);
});

test("keys have no control characters, halves of characters or reserved names", () => {
  refuses(checkKey, ["a\u0000", "\n", "a\u007f", "\u0085", "\ud800", "\udc00a", "a\ud800b"]);
  refuses(checkKey, ["__proto__", "constructor", "prototype"]);
});

test("a refusal shows the name and says what to do", () => {
  assert.throws(() => {
    checkKey("a\nb");
  }, /key "a\\nb" is refused: remove the control character at/);
  assert.throws(() => {
    checkFunctionName("9a");
  }, /function name "9a" is refused: use 1 to 128/);
  assert.throws(() => {
    checkKey(7);
  }, /key of type number is refused: a key is a string/);
  assert.throws(() => {
    checkKey("y".repeat(1000));
  }, /^LatticeError: key "y{64}…" is refused/);
});

test("a key is accepted exactly when its UTF-8 form says so", () => {
  const encoder = new TextEncoder();
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 300 }), (key) => {
      const fits = key.length > 0 && encoder.encode(key).length <= 512 && !/\p{Cc}/u.test(key);
      const reserved = ["__proto__", "constructor", "prototype"].includes(key);
      (fits && !reserved ? accepts : refuses)(checkKey, [key]);
    }),
  );
});
