import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { noOwner, placementOf } from "../../src/ring/placement.ts";
import type { Placement, PlacementMember } from "../../src/ring/placement.ts";

function members(count: number, name = "grid"): readonly PlacementMember[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `${name}-${String(index)}`,
    weight: 1,
    zone: "",
  }));
}

interface Load {
  readonly primaries: ReadonlyMap<string, number>;
  readonly held: ReadonlyMap<string, number>;
}

function loadOf(placement: Placement): Load {
  const primaries = new Map<string, number>();
  const held = new Map<string, number>();
  for (let partition = 0; partition < placement.partitionCount; partition += 1) {
    const owners = placement.ownersOf(partition);
    primaries.set(owners[0]!, (primaries.get(owners[0]!) ?? 0) + 1);
    for (const owner of owners) held.set(owner, (held.get(owner) ?? 0) + 1);
  }
  return { primaries, held };
}

/** Copies that have to be made to get from one table to the other. */
function copiesMoved(before: Placement, after: Placement): number {
  let moved = 0;
  for (let partition = 0; partition < before.partitionCount; partition += 1) {
    const old = before.ownersOf(partition);
    moved += after.ownersOf(partition).filter((owner) => !old.includes(owner)).length;
  }
  return moved;
}

const anyMembers = fc.uniqueArray(
  fc.record({
    id: fc.oneof(
      fc.string({ minLength: 1, maxLength: 20 }),
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 10 }),
      fc.constantFrom(
        "__proto__",
        "constructor",
        "prototype",
        "toString",
        "valueOf",
        "0",
        "17",
        "a:1",
      ),
    ),
    weight: fc.integer({ min: 1, max: 30 }).map((tenths) => tenths / 10),
    zone: fc.constantFrom("", "a", "b", "c"),
  }),
  { selector: ({ id }) => id, minLength: 1, maxLength: 12 },
);

const small = { partitionCount: 64 };

test("the order in which members are learnt does not matter", () => {
  fc.assert(
    fc.property(
      anyMembers.chain((list) =>
        fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
      ),
      ([list, shuffled]) => {
        const one = placementOf(list, small);
        const other = placementOf(shuffled, small);
        assert.deepEqual(other.owners, one.owners);
        assert.equal(other.tableId, one.tableId);
      },
    ),
    { numRuns: 60 },
  );
});

test("every partition has as many different owners as there can be", () => {
  fc.assert(
    fc.property(anyMembers, fc.integer({ min: 1, max: 5 }), (list, replicas) => {
      const placement = placementOf(list, { ...small, replicas });
      const ids = new Set(list.map(({ id }) => id));
      for (let partition = 0; partition < 64; partition += 1) {
        const owners = placement.ownersOf(partition);
        assert.equal(owners.length, Math.min(replicas, list.length));
        assert.equal(new Set(owners).size, owners.length);
        for (const owner of owners) assert.ok(ids.has(owner));
      }
    }),
    { numRuns: 60 },
  );
});

test("no member gets more primaries than its cap while others have room", () => {
  fc.assert(
    fc.property(anyMembers, (list) => {
      const sum = list.reduce((total, { weight }) => total + Math.round(weight * 10), 0);
      const { primaries } = loadOf(placementOf(list, small));
      for (const { id, weight } of list) {
        const cap = Math.ceil((1.25 * 64 * Math.round(weight * 10)) / sum);
        assert.ok((primaries.get(id) ?? 0) <= cap, `${id} is above its cap of ${String(cap)}`);
      }
    }),
    { numRuns: 60 },
  );
});

test("load is balanced to within 1.3 times the mean", () => {
  for (const count of [3, 7, 10, 14, 31, 49]) {
    const { primaries, held } = loadOf(placementOf(members(count)));
    const mean = 1024 / count;
    assert.equal(held.size, count);
    assert.ok(Math.max(...primaries.values()) <= Math.ceil(1.25 * mean));
    assert.ok(Math.max(...held.values()) <= 1.3 * 3 * mean);
    assert.ok(Math.min(...held.values()) >= 0.6 * 3 * mean, `${String(count)} members`);
  }
});

test("a member's load follows its weight", () => {
  const list = members(8).map((member, index) => ({ ...member, weight: index < 4 ? 0.5 : 2 }));
  const { primaries } = loadOf(placementOf(list));
  for (const { id, weight } of list) {
    const share = (1024 * weight) / 10;
    const count = primaries.get(id) ?? 0;
    assert.ok(count >= 0.6 * share && count <= 1.3 * share, `${id}: ${String(count)}`);
  }
});

for (const count of [3, 10, 30]) {
  test(`${String(count + 1)} members instead of ${String(count)} move little more than they must`, () => {
    const ideal = (1024 * 3) / (count + 1);
    const ratios: number[] = [];
    for (const name of ["grid", "node", "a", "worker", "eu", "x9", "pod", "edge", "db", "n"]) {
      const before = placementOf(members(count, name));
      const after = placementOf(members(count + 1, name));
      const joins = copiesMoved(before, after) / ideal;
      const leaves = copiesMoved(after, before) / ideal;
      ratios.push(joins, leaves);
      // How much a single newcomer takes depends on where its points fall.
      assert.ok(Math.max(joins, leaves) <= 1.35, `${name}: ${String(joins)} ${String(leaves)}`);
    }
    const named = placementOf(members(count));
    assert.ok(copiesMoved(named, placementOf(members(count + 1))) <= 1.25 * ideal);
    ratios.sort((a, b) => a - b);
    assert.ok(ratios[10]! <= 1.1, ratios.join(" "));
  });
}

test("one member more or less never replaces all owners of a partition", () => {
  for (const count of [3, 10, 30]) {
    const before = placementOf(members(count));
    const after = placementOf(members(count + 1));
    for (let partition = 0; partition < 1024; partition += 1) {
      const old = before.ownersOf(partition);
      assert.ok(after.ownersOf(partition).some((owner) => old.includes(owner)));
    }
  }
});

test("replicas are spread over the zones", () => {
  const list = members(9).map((member, index) => ({ ...member, zone: `z${String(index % 3)}` }));
  const zones = new Map(list.map(({ id, zone }) => [id, zone]));
  const placement = placementOf(list);
  for (let partition = 0; partition < 1024; partition += 1) {
    assert.equal(new Set(placement.ownersOf(partition).map((id) => zones.get(id))).size, 3);
  }
});

test("a zone that is too small to share the load does not leave partitions short", () => {
  const list = members(7).map((member, index) => ({
    ...member,
    zone: index === 0 ? "lone" : "rest",
  }));
  const placement = placementOf(list);
  for (let partition = 0; partition < 1024; partition += 1) {
    assert.equal(new Set(placement.ownersOf(partition)).size, 3);
  }
  const held = loadOf(placement).held.get("grid-0") ?? 0;
  assert.ok(held <= 3 * Math.ceil((1.25 * 1024) / 7), String(held));
});

test("fewer members than replicas own everything and leave slots empty", () => {
  const placement = placementOf(members(2), small);
  assert.equal(placement.owners.filter((owner) => owner === noOwner).length, 64);
  assert.equal(placement.ownersOf(5).length, 2);
  const nobody = placementOf([], small);
  assert.deepEqual(nobody.ownersOf(5), []);
});

test("the table id changes with everything that the table depends on", () => {
  const base = placementOf(members(3), small);
  const others = [
    placementOf(members(4), small),
    placementOf(members(3, "x"), small),
    placementOf(
      members(3).map((member) => ({ ...member, zone: "z" })),
      small,
    ),
    placementOf(
      members(3).map((member) => ({ ...member, weight: 2 })),
      small,
    ),
    placementOf(members(3), { partitionCount: 128 }),
    placementOf(members(3), { ...small, replicas: 2 }),
    placementOf(members(3), { ...small, epsilon: 0.5 }),
  ].map(({ tableId }) => tableId);
  assert.equal(new Set([base.tableId, ...others]).size, others.length + 1);
  assert.equal(placementOf(members(3), small).tableId, base.tableId);
});

test("owner lists are made once", () => {
  const placement = placementOf(members(3), small);
  assert.equal(placement.ownersOf(7), placement.ownersOf(7));
  assert.throws(() => placement.ownersOf(64), /no partition 64/);
});

test("a member twice or with an impossible weight is a defect", () => {
  const [member] = members(1) as [PlacementMember];
  assert.throws(() => placementOf([member, member]), /twice/);
  for (const weight of [0, -1, NaN, 0.01, 1001]) {
    assert.throws(() => placementOf([{ ...member, weight }]), /has the weight/);
  }
});
