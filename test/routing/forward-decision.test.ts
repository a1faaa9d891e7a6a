import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decideForward, maxHops, type ArrivedCall } from "../../src/routing/forward-decision.ts";

function arrived(overrides: Partial<ArrivedCall> = {}): ArrivedCall {
  return {
    hop: 1,
    from: "",
    self: "b",
    role: "stranger",
    primary: "a",
    way: "",
    owners: ["a", "c"],
    isLinked: () => true,
    ...overrides,
  };
}

const cases = [
  {
    name: "the primary runs it",
    call: arrived({ role: "primary", primary: "b" }),
    expect: { type: "local" },
  },
  {
    name: "a stranger forwards to the primary",
    call: arrived(),
    expect: { type: "forward", to: "a" },
  },
  {
    name: "an owner forwards to the primary",
    call: arrived({ role: "owner", hop: 2 }),
    expect: { type: "forward", to: "a" },
  },
  {
    name: "an owner that lost the primary leaves it to replication",
    call: arrived({ role: "owner", isLinked: (node) => node !== "a" }),
    expect: { type: "local" },
  },
  {
    name: "an owner that lost a living primary forwards through one that reaches it",
    call: arrived({ role: "owner", way: "c", isLinked: (node) => node !== "a" }),
    expect: { type: "forward", to: "c" },
  },
  {
    name: "an owner does not send it back through the one that passed it on",
    call: arrived({ role: "owner", way: "c", from: "c", hop: 2, isLinked: (n) => n !== "a" }),
    expect: { type: "local" },
  },
  {
    name: "an owner without a known primary leaves it to replication",
    call: arrived({ role: "owner", primary: "" }),
    expect: { type: "local" },
  },
  {
    name: "an owner never sends it back to a primary that passed it on",
    call: arrived({ role: "owner", from: "a", hop: 2 }),
    expect: { type: "local" },
  },
  {
    name: "a stranger that lost the primary forwards to another owner",
    call: arrived({ isLinked: (node) => node !== "a" }),
    expect: { type: "forward", to: "c" },
  },
  {
    name: "a stranger does not forward to where it came from",
    call: arrived({ primary: "", owners: ["c", "a"], from: "c" }),
    expect: { type: "forward", to: "a" },
  },
  {
    name: "a stranger out of legs names the primary",
    call: arrived({ hop: maxHops }),
    expect: { type: "not_owner", primary: "a" },
  },
  {
    name: "an owner out of legs names the primary",
    call: arrived({ role: "owner", hop: maxHops }),
    expect: { type: "not_owner", primary: "a" },
  },
  {
    name: "a stranger without links says so",
    call: arrived({ isLinked: () => false }),
    expect: { type: "not_owner", primary: "a" },
  },
] as const;

for (const { name, call, expect } of cases) {
  test(name, () => {
    assert.deepEqual(decideForward(call), expect);
  });
}

test("whatever nodes believe, a call comes to rest within three legs", () => {
  const ids = ["a", "b", "c", "d"];
  const belief = fc.record({
    role: fc.constantFrom("primary" as const, "owner" as const, "stranger" as const),
    primary: fc.constantFrom("", ...ids),
    way: fc.constantFrom("", ...ids),
    owners: fc.shuffledSubarray(ids),
    links: fc.subarray(ids),
  });
  fc.assert(
    fc.property(fc.tuple(belief, belief, belief, belief), (beliefs) => {
      let at = "a";
      let from = "";
      let hop = 1;
      for (;;) {
        const { links, ...view } = beliefs[ids.indexOf(at)] ?? assert.fail("unknown node");
        const isLinked = (node: string): boolean => links.includes(node);
        const decision = decideForward({
          hop,
          from,
          self: at,
          ...view,
          isLinked,
        });
        if (decision.type !== "forward") break;
        assert.notEqual(decision.to, from, "sent straight back");
        assert.notEqual(decision.to, at);
        from = at;
        at = decision.to;
        hop += 1;
      }
      assert.ok(hop <= maxHops);
    }),
  );
});
