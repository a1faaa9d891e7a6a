import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LatticeError } from "../../src/model/error.ts";
import type { Value } from "../../src/model/value.ts";
import { applyDifference, differenceOf } from "../../src/wire/difference.ts";

const keys = fc.constantFrom("a", "b", "c", "lines", "tea", "hasOwnProperty", "");
const leaf: fc.Arbitrary<Value> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer({ min: -3, max: 3 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.string({ maxLength: 5, unit: "binary" }),
  fc.stringMatching(/^[ab😀]{30,60}$/u),
  fc.uint8Array({ maxLength: 3 }),
);
const { value } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc.array(tie("value"), { maxLength: 5 }),
    fc.dictionary(keys, tie("value"), { maxKeys: 5, noNullPrototype: true }),
  ),
}));

/** Changes a few places of a value, so that the pairs tested resemble two states of one entity. */
function edited(base: Value): fc.Arbitrary<Value> {
  if (Array.isArray(base)) {
    const list = base as readonly Value[];
    return fc.oneof(
      fc
        .tuple(fc.nat(list.length), fc.nat(2), fc.array(value, { maxLength: 2 }))
        .map(([start, count, inserted]): Value => list.toSpliced(start, count, ...inserted)),
      list.length === 0
        ? value
        : fc
            .nat(list.length - 1)
            .chain((at) => edited(list[at] as Value).map((item): Value => list.with(at, item))),
    );
  }
  if (typeof base === "object" && base !== null && !(base instanceof Uint8Array)) {
    const object = base as Readonly<Record<string, Value>>;
    return fc.oneof(
      fc.tuple(keys, value).map(([key, item]): Value => ({ ...object, [key]: item })),
      keys.map((key): Value =>
        Object.fromEntries(Object.entries(object).filter(([k]) => k !== key)),
      ),
      keys.chain((key) =>
        edited(new Map(Object.entries(object)).get(key) ?? null).map((item): Value => ({
          ...object,
          [key]: item,
        })),
      ),
    );
  }
  return fc.oneof(value, leaf);
}

const pairs = fc.oneof(
  fc.tuple(value, value),
  value.chain((base) => fc.tuple(fc.constant(base), edited(base))),
);

test("applying the difference of two values to the first gives the second", () => {
  fc.assert(
    fc.property(pairs, ([base, next]) => {
      const difference = differenceOf(base, next);
      if (difference === undefined) assert.deepStrictEqual(base, next);
      else assert.deepStrictEqual(applyDifference(base, difference), next);
    }),
    { numRuns: 1_000 },
  );
});

test("equal values have no difference", () => {
  fc.assert(
    fc.property(value, (base) => {
      assert.equal(differenceOf(base, structuredClone(base)), undefined);
    }),
  );
});

test("neither the base nor the next value is changed", () => {
  fc.assert(
    fc.property(pairs, ([base, next]) => {
      const before = structuredClone([base, next]);
      const difference = differenceOf(base, next);
      if (difference !== undefined) applyDifference(base, difference);
      assert.deepStrictEqual([base, next], before);
    }),
  );
});

/** Every place of `next` that equals the same place of `base` must be the same object. */
function assertShared(base: Value | undefined, next: Value | undefined, path: string): void {
  if (typeof base !== "object" || base === null || typeof next !== "object" || next === null)
    return;
  if (differenceOf(base, next) === undefined) {
    assert.equal(next, base, `${path} did not change but was copied`);
    return;
  }
  if (Array.isArray(base) && Array.isArray(next)) {
    if (base.length !== next.length) return;
    base.forEach((item, index) => {
      assertShared(item as Value, next[index] as Value, `${path}[${String(index)}]`);
    });
  } else if (!Array.isArray(base) && !Array.isArray(next)) {
    const from = base as Readonly<Record<string, Value>>;
    const to = next as Readonly<Record<string, Value>>;
    for (const key of Object.keys(from)) {
      if (Object.hasOwn(to, key)) assertShared(from[key], to[key], `${path}.${key}`);
    }
  }
}

test("parts that did not change are the very same objects", () => {
  fc.assert(
    fc.property(pairs, ([base, next]) => {
      const difference = differenceOf(base, structuredClone(next));
      if (difference !== undefined) assertShared(base, applyDifference(base, difference), "value");
    }),
    { numRuns: 500 },
  );
});

test("a change of one field of a large state is small", () => {
  const base = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`k${String(i)}`, i]));
  const difference = differenceOf(base, { ...base, k500: -1 });
  assert.deepEqual(difference, [1, { k500: [0, -1] }, []]);
});

test("an edit of a long text is a splice at whole characters", () => {
  const text = "x".repeat(100);
  assert.deepEqual(differenceOf(`${text}😀${text}`, `${text}😁${text}`), [4, 100, 2, "😁"]);
  assert.deepEqual(differenceOf(text, `${text}!`), [4, 100, 0, "!"]);
});

const misfits: readonly (readonly [string, Value | undefined, Value])[] = [
  ["no array", {}, "x"],
  ["an unknown form", {}, [9]],
  ["a replacement of nothing", {}, [0]],
  ["fields of a number", 1, [1, {}, []]],
  ["fields of what was never there", undefined, [1, {}, []]],
  ["a removed key that is a number", {}, [1, {}, [1]]],
  ["elements of an object", {}, [2, [0, [0, 1]]]],
  ["an element behind the end", [1], [2, [1, [0, 1]]]],
  ["an element at a fraction", [1], [2, [0.5, [0, 1]]]],
  ["an array splice behind the end", [1], [3, 1, 1, []]],
  ["a splice from nowhere", [1], [3, null, 0, []]],
  ["a text splice of an array", [1], [4, 0, 0, ""]],
  ["a text splice before the start", "abc", [4, -1, 0, ""]],
  ["a prototype", {}, [1, JSON.parse('{"__proto__":[0,1]}') as Value, []]],
];

for (const [what, base, difference] of misfits) {
  test(`refuses a difference that does not fit: ${what}`, () => {
    assert.throws(
      () => applyDifference(base, difference),
      (error: unknown) => error instanceof LatticeError && error.code === "internal",
    );
  });
}
