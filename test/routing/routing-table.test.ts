import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LatticeError } from "../../src/model/error.ts";
import { maxOwnersKept, maxPartitionCount, RoutingTable } from "../../src/routing/routing-table.ts";
import type { TableMessage } from "../../src/wire/messages.ts";

const member = (id: string, boot = 1) => ({ id, address: `ws://${id}`, boot });

function table(overrides: Partial<TableMessage> = {}): TableMessage {
  return {
    type: "table",
    version: 1,
    tableId: 77,
    partitionCount: 4,
    members: [member("a"), member("b"), member("c")],
    full: true,
    owners: [
      { partition: 0, members: [0, 1, 2] },
      { partition: 1, members: [1, 2, 0] },
      { partition: 2, members: [2, 0, 1] },
      { partition: 3, members: [0, 2, 1] },
    ],
    ...overrides,
  };
}

/** The owners of a partition by name. */
function owners(routes: RoutingTable, partition: number): string[] {
  const names: string[] = [];
  for (let rank = 0; rank < maxOwnersKept; rank++) {
    const slot = routes.ownerSlot(partition, rank);
    if (slot >= 0) names.push(routes.member(slot)?.id ?? "?");
  }
  return names;
}

test("a full table gives the owners of every partition, the primary first", () => {
  const routes = new RoutingTable();
  assert.deepEqual(routes.apply(table()), { members: true, primaries: true });
  assert.equal(routes.tableId, 77);
  assert.deepEqual(owners(routes, 1), ["b", "c", "a"]);
  assert.deepEqual(owners(routes, 3), ["a", "c", "b"]);
  assert.deepEqual(routes.apply(table()), { members: false, primaries: false });
});

test("a delta changes only the partitions it names and may number members its own way", () => {
  const routes = new RoutingTable();
  routes.apply(table());
  const change = routes.apply(
    table({
      full: false,
      tableId: 78,
      members: [member("d"), member("b")],
      owners: [{ partition: 0, members: [0, 1] }],
    }),
  );
  assert.deepEqual(change, { members: true, primaries: true });
  assert.deepEqual(owners(routes, 0), ["d", "b"]);
  assert.deepEqual(owners(routes, 1), ["b", "c", "a"]);
  assert.equal(routes.tableId, 78);
});

test("a full table forgets members it does not name, and their slot is used again", () => {
  const routes = new RoutingTable();
  routes.apply(table());
  const slot = routes.slotOf("c");
  const members = [member("a"), member("b"), member("d")];
  assert.deepEqual(routes.apply(table({ members })), {
    members: true,
    primaries: true,
  });
  assert.equal(routes.slotOf("c"), -1);
  assert.equal(routes.slotOf("d"), slot);
  assert.equal(routes.slotCount, 3);
  assert.deepEqual(owners(routes, 2), ["d", "a", "b"]);
});

test("a restarted or moved member is reported as a change", () => {
  const routes = new RoutingTable();
  routes.apply(table());
  const again = table({ members: [member("a"), member("b", 2), member("c")] });
  assert.equal(routes.apply(again).members, true);
  assert.equal(routes.member(routes.slotOf("b"))?.boot, 2);
});

test("a partition that a full table leaves out has no owners any more", () => {
  const routes = new RoutingTable();
  routes.apply(table());
  const change = routes.apply(table({ owners: [{ partition: 0, members: [0, 1, 2] }] }));
  assert.deepEqual(change, { members: false, primaries: true });
  assert.deepEqual(owners(routes, 1), []);
});

test("a learnt primary moves to the front and the others keep their order", () => {
  const routes = new RoutingTable();
  routes.apply(table());
  assert.equal(routes.learnPrimary(0, "c"), true);
  assert.deepEqual(owners(routes, 0), ["c", "a", "b"]);
  assert.equal(routes.learnPrimary(0, "c"), true);
  assert.deepEqual(owners(routes, 0), ["c", "a", "b"]);
  assert.equal(routes.learnPrimary(0, "stranger"), false);
  assert.equal(routes.learnPrimary(99, "a"), false);
});

test("a learnt primary that is no owner pushes the last one out when all places are taken", () => {
  const names = Array.from({ length: maxOwnersKept + 1 }, (_, i) => `n${String(i)}`);
  const routes = new RoutingTable();
  const all = names.map((_, index) => index);
  routes.apply(
    table({
      members: names.map((name) => member(name)),
      owners: [{ partition: 0, members: all }],
    }),
  );
  assert.deepEqual(owners(routes, 0), names.slice(0, maxOwnersKept));
  routes.learnPrimary(0, names[maxOwnersKept] ?? "");
  assert.deepEqual(owners(routes, 0), [names[maxOwnersKept], ...names.slice(0, maxOwnersKept - 1)]);
});

test("the catalogue of a full table replaces the one before; a delta keeps it", () => {
  const entry = {
    name: "cart",
    handlers: ["add"],
    queries: ["total"],
    whenSplit: "serve" as const,
    acks: 0,
    deadlineMs: 30_000,
    stateless: false,
  };
  const routes = new RoutingTable();
  routes.apply(table({ functions: [entry] }));
  routes.apply(table({ full: false, owners: [] }));
  assert.deepEqual([...routes.functions.keys()], ["cart"]);
  routes.apply(table({ functions: [] }));
  assert.equal(routes.functions.size, 0);
});

for (const [what, message] of [
  ["a count that is no power of two", table({ partitionCount: 3 })],
  ["no partitions", table({ partitionCount: 0 })],
  ["too many partitions", table({ partitionCount: maxPartitionCount * 2 })],
] as const) {
  test(`refuses a table with ${what}`, () => {
    assert.throws(
      () => new RoutingTable().apply(message),
      (error: unknown) => error instanceof LatticeError && error.code === "incompatible",
    );
  });
}

test("refuses a table of a cluster with another number of partitions", () => {
  const routes = new RoutingTable();
  routes.apply(table());
  assert.throws(() => routes.apply(table({ partitionCount: 8 })), /different clusters/);
});

test("ignores owners and partitions that are out of range", () => {
  const routes = new RoutingTable();
  routes.apply(table());
  routes.apply(table({ full: false, owners: [{ partition: 9, members: [0] }] }));
  routes.apply(table({ full: false, owners: [{ partition: 1, members: [7, 2] }] }));
  assert.deepEqual(owners(routes, 1), ["c"]);
});

test("deltas in order lead to the same owners as one full table", () => {
  const ids = ["a", "b", "c", "d", "e"];
  const ownerList = fc.uniqueArray(fc.integer({ min: 0, max: 4 }), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          partition: fc.integer({ min: 0, max: 3 }),
          members: ownerList,
        }),
        {
          maxLength: 30,
        },
      ),
      (changes) => {
        const members = ids.map((id) => member(id));
        const routes = new RoutingTable();
        routes.apply(table({ members }));
        const expected = new Map(table().owners.map((o) => [o.partition, o.members]));
        for (const change of changes) {
          routes.apply(table({ members, full: false, owners: [change] }));
          expected.set(change.partition, change.members);
        }
        for (const [partition, list] of expected) {
          assert.deepEqual(
            owners(routes, partition),
            list.map((index) => ids[index]),
          );
        }
      },
    ),
  );
});
