/** Arbitrary `Value`s, as `checkValue` returns them: no -0, no reserved keys, well-formed strings. */
import fc from "fast-check";
import { isPrototypeName } from "../../src/model/names.ts";
import type { Value } from "../../src/model/value.ts";

export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 24 }),
  fc.string({ unit: "binary", maxLength: 24 }),
  fc.string({ minLength: 60, maxLength: 300 }),
  fc.constantFrom("", "\ufeff", `\ufeff${"x".repeat(100)}`, "é".repeat(40), "𝄞".repeat(20)),
);

const anyKey = anyText.filter((key) => !isPrototypeName(key));

const anyNumber = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (number === 0 ? 0 : number)),
  fc.constantFrom(
    0,
    127,
    128,
    255,
    256,
    65_535,
    65_536,
    2 ** 32 - 1,
    2 ** 32,
    -32,
    -33,
    -128,
    -129,
  ),
);

export const anyBytes: fc.Arbitrary<Uint8Array> = fc
  .array(fc.nat(255), { maxLength: 300 })
  .map((bytes) => Uint8Array.from(bytes));

export const anyValue: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(fc.constant(null), fc.boolean(), anyNumber, anyText, anyBytes),
    fc.array(tie("value"), { maxLength: 20 }),
    fc.dictionary(anyKey, tie("value"), { maxKeys: 20, noNullPrototype: true }),
  ),
})).value;
