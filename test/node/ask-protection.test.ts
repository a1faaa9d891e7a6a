/** Names and numbers of what turns ask. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { limits } from "../../src/model/limits.ts";
import { protectionOfAsk, type AskProtection } from "../../src/node/calls/ask-protection.ts";
import { familyOf } from "../../src/state/caller-family.ts";

interface Step {
  readonly entity: string;
  /** Which ask of its turn leads on. */
  readonly ordinal: number;
}

/** The protection of the last ask on a way that begins with call `number` of a client. */
function along(caller: string, number: number, way: readonly Step[]): AskProtection {
  let protection: AskProtection = { caller, number, received: number };
  const chain: string[] = [];
  for (const { entity, ordinal } of way) {
    chain.push(entity);
    protection = protectionOfAsk({ ...protection, chain, askNumber: ordinal });
  }
  return protection;
}

const entity = fc.constantFrom(
  "f/a",
  "f/b",
  "f/a\u2192f/b",
  "f/1",
  "g/a",
  `f/${"long".repeat(100)}`,
);
const step = fc.record({ entity, ordinal: fc.integer({ min: 1, max: 1_023 }) });
const way = fc.array(step, { minLength: 1, maxLength: limits.callDepthMax });
const call = fc.integer({ min: 1, max: 2 ** 42 });

test("an ask has the same name and number whenever its turn runs, and no other ask has both", () => {
  const ask = fc.tuple(fc.constantFrom("client", "@w:f/a"), call, way);
  fc.assert(
    fc.property(ask, ask, (one, other) => {
      const [a, b] = [along(...one), along(...other)];
      assert.deepEqual(along(...one), a);
      const isSame = JSON.stringify(one) === JSON.stringify(other);
      assert.equal(a.caller === b.caller && a.number === b.number, isSame);
    }),
  );
});

test("numbers stay integers that are sent exactly, however deep turns ask, and names bounded", () => {
  fc.assert(
    fc.property(call, way, (number, steps) => {
      const { caller, number: nested, received } = along("client", number, steps);
      assert.ok(Number.isSafeInteger(nested));
      assert.ok(received < nested && received === 1_024 * number);
      assert.ok(caller.length <= 256);
    }),
  );
});

test("all asks that one call of a client to an entity leads to are of one family", () => {
  fc.assert(
    fc.property(call, way, way, (number, some, others) => {
      const [first = { entity: "f/a", ordinal: 1 }] = some;
      const one = along("client", number, some);
      const other = along("client", number + 1, [first, ...others.slice(1)]);
      assert.equal(familyOf(one.caller), familyOf(other.caller));
      assert.notEqual(familyOf(along("another", number, some).caller), familyOf(one.caller));
    }),
  );
});

test("a turn that asks too often is told so", () => {
  const ask = { caller: "client", number: 1, received: 1, chain: ["f/a"], askNumber: 1_024 };
  assert.throws(() => protectionOfAsk(ask), { code: "invalid_argument" });
});
