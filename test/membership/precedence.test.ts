import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Claim } from "../../src/membership/precedence.ts";
import { comparePrecedence } from "../../src/membership/precedence.ts";
import type { MemberStatus, MemberUpdate } from "../../src/wire/membership-messages.ts";
import { singleCore } from "./support/single-core.ts";
import { update } from "./support/update.ts";

function claim(text: string): Claim {
  const [status, boot, refutations] = text.split(" ");
  return { status: status as MemberStatus, boot: Number(boot), refutations: Number(refutations) };
}

test("each statement of the table beats what it should and nothing else", () => {
  const beats: readonly (readonly [string, string])[] = [
    ["alive 1 1", "alive 1 0"],
    ["alive 1 1", "suspect 1 0"],
    ["alive 1 1", "dead 1 0"],
    ["suspect 1 0", "alive 1 0"],
    ["suspect 1 1", "alive 1 0"],
    ["suspect 1 1", "suspect 1 0"],
    ["dead 1 0", "alive 1 0"],
    ["dead 1 0", "suspect 1 0"],
    ["dead 1 1", "alive 1 0"],
    ["left 1 0", "dead 1 0"],
    ["left 1 1", "alive 1 1"],
    ["alive 2 0", "left 1 9"],
    ["alive 2 0", "dead 1 9"],
    ["dead 2 0", "alive 1 9"],
  ];
  for (const [winner, loser] of beats) {
    assert.ok(comparePrecedence(claim(winner), claim(loser)) > 0, `${winner} beats ${loser}`);
    assert.ok(comparePrecedence(claim(loser), claim(winner)) < 0, `${loser} yields`);
    assert.equal(comparePrecedence(claim(winner), claim(winner)), 0);
  }
});

const statements: fc.Arbitrary<MemberUpdate> = fc
  .record({
    node: fc.constantFrom("a", "b", "c"),
    boot: fc.integer({ min: 1, max: 3 }),
    refutations: fc.integer({ min: 0, max: 3 }),
    status: fc.constantFrom<MemberStatus>("alive", "suspect", "dead", "left"),
    from: fc.constantFrom("a", "b", "c", "d"),
  })
  .map(({ node, boot, refutations, status, from }) =>
    update(node, {
      boot,
      refutations,
      status,
      from: status === "left" ? node : from,
      // What a member says of itself is constant within an incarnation.
      leaving: refutations > 1,
      address: `ws://${node}/${boot}`,
    }),
  );

function viewAfter(updates: readonly MemberUpdate[]): unknown {
  const core = singleCore();
  for (const one of updates) core.receive("d", { type: "gossip", updates: [one] }, 0);
  return [...core.members.values()]
    .map(({ id, boot, refutations, status, leaving, address }) =>
      [id, boot, refutations, status, leaving, address].join(" "),
    )
    .sort();
}

test("merging in any order, any number of times, ends in the same view", () => {
  const orders = fc
    .array(statements, { maxLength: 20 })
    .chain((list) =>
      fc.tuple(
        fc.constant(list),
        fc.shuffledSubarray([...list, ...list], { minLength: 2 * list.length }),
      ),
    );
  fc.assert(
    fc.property(orders, ([list, reordered]) => {
      assert.deepEqual(viewAfter(reordered), viewAfter(list));
    }),
    { numRuns: 300 },
  );
});

test("the view of a member never steps back", () => {
  fc.assert(
    fc.property(fc.array(statements, { maxLength: 30 }), (list) => {
      const core = singleCore();
      for (const one of list) {
        const before = core.members.get(one.node);
        core.receive("d", { type: "gossip", updates: [one] }, 0);
        const after = core.members.get(one.node);
        assert.ok(after !== undefined);
        assert.ok(before === undefined || comparePrecedence(after, before) >= 0);
      }
    }),
  );
});

test("whatever is said about a node, its own incarnation never falls and it stays alive", () => {
  const accusations = fc.array(
    statements.map((one) => ({ ...one, node: "me", boot: 1022 + one.boot })),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(accusations, fc.boolean(), (list, asState) => {
      const core = singleCore(["d"]);
      for (const one of list) {
        const before = core.self;
        if (asState) core.receive("d", { type: "state", members: [one], reply: false }, 0);
        else core.receive("d", { type: "gossip", updates: [one] }, 0);
        assert.equal(core.self.status, "alive");
        assert.equal(core.self.boot, before.boot);
        assert.ok(core.self.refutations >= before.refutations);
        const accused = one.boot === 1024 && one.status !== "alive";
        if (accused) assert.ok(core.self.refutations > one.refutations, "refuted past it");
      }
    }),
  );
});
