/** What may be a name and what may be a key. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { didYouMean } from "../../src/definition/known-names.ts";
import { checkFunctionName, checkKey } from "../../src/definition/names.ts";
import { refuses } from "../support/refuses.ts";

test("function names follow the published pattern", () => {
  for (const name of ["a", "Cart", "cart.v2", "cart-line_2", "a".repeat(128)]) {
    checkFunctionName(name);
  }
  const wrong = ["", "1a", "_a", "a/b", "a b", "é", "a".repeat(129), "__proto__", "constructor"];
  for (const name of [...wrong, "prototype", "toString"]) {
    refuses(() => {
      checkFunctionName(name);
    }, "invalid_argument");
  }
});

test("a key is 1 … 512 bytes of UTF-8", () => {
  for (const key of ["a", "a/b", "ORD-LAX", "{alice}/1", "é".repeat(256), "😀".repeat(128), " "]) {
    checkKey("cart", key);
  }
  for (const key of ["", "a".repeat(513), "é".repeat(257), "€".repeat(171), "😀".repeat(129)]) {
    refuses(() => {
      checkKey("cart", key);
    }, "invalid_argument");
  }
});

test("keys that would be dangerous or ambiguous are refused", () => {
  const wrong = ["__proto__", "constructor", "prototype", "a\nb", "\u0000", "\u007f", "\ud800x"];
  for (const key of [...wrong, 7, null, undefined, {}]) {
    refuses(
      () => {
        checkKey("cart", key);
      },
      "invalid_argument",
      /^cart: /,
    );
  }
});

test("the length of a key is that of its encoding", () => {
  const encoder = new TextEncoder();
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 100, maxLength: 300 }), (key) => {
      fc.pre(!/[\p{Cc}\p{Cs}]/u.test(key));
      const fits = encoder.encode(key).length <= 512;
      const check = (): void => {
        checkKey("cart", key);
      };
      if (fits) assert.doesNotThrow(check);
      else refuses(check, "invalid_argument");
    }),
  );
});

test("a suggestion is made only when something is near", () => {
  assert.equal(didYouMean("ad", ["add", "checkOut"]), " (did you mean 'add'?)");
  assert.equal(didYouMean("checkout", ["add", "checkOut"]), " (did you mean 'checkOut'?)");
  assert.equal(didYouMean("remove", ["add", "checkOut"]), "");
});
