import assert from "node:assert/strict";
import { test } from "node:test";
import { Routes, type RouteMember } from "../../src/node/cluster/routes.ts";
import { Primaries } from "../../src/node/cluster/primaries.ts";
import { VirtualTime } from "../../src/platform/virtual/virtual-time.ts";
import { placementOf } from "../../src/ring/placement.ts";
import { RoutingTable } from "../../src/routing/routing-table.ts";
import type { PrimariesMessage } from "../../src/wire/messages.ts";

const partitionCount = 16;

function member(id: string, boot = 1): RouteMember {
  return { id, boot, address: `ws://${id}:7400` };
}

function makeRoutes(ids: readonly string[]) {
  const members = ids.map((id) => member(id));
  const routes = new Routes({ partitionCount, catalogue: [], members: () => members });
  const placed = ids.map((id) => ({ id, weight: 1, zone: "" }));
  routes.setPlacement(placementOf(placed, { partitionCount, replicas: 3 }));
  return { routes, members };
}

/** The owners of a partition as a client that heard these tables believes. */
function believed(table: RoutingTable, partition: number): string[] {
  const owners: string[] = [];
  for (let rank = 0; ; rank++) {
    const slot = table.ownerSlot(partition, rank);
    if (slot < 0) return owners;
    owners.push(table.member(slot)?.id ?? "?");
  }
}

void test("the primary comes first, then the owners in table order, each once", () => {
  const { routes } = makeRoutes(["a", "b", "c", "d"]);
  const owners = routes.ownersOf(3);
  routes.learn(3, owners[2]!, 5);
  const table = new RoutingTable();
  table.apply(routes.full());
  assert.deepEqual(believed(table, 3), [owners[2], owners[0], owners[1]]);
  assert.deepEqual(believed(table, 4), [...routes.ownersOf(4)]);
});

void test("older news of a primary does not replace newer", () => {
  const { routes } = makeRoutes(["a", "b", "c"]);
  routes.learn(1, "b", 7);
  routes.learn(1, "c", 6);
  assert.equal(routes.primaryOf(1), "b");
  routes.learn(1, "c", 8);
  assert.equal(routes.primaryOf(1), "c");
  routes.learn(1_000, "c", 8);
  assert.equal(routes.primaryOf(1_000), "");
});

void test("of two primaries of one term number the later process leads, whoever is heard of last", () => {
  for (const order of [
    ["a", "c", "b"],
    ["c", "b", "a"],
  ]) {
    const { routes } = makeRoutes(["a", "b", "c"]);
    for (const node of order) routes.learn(1, node, 2);
    assert.equal(routes.primaryOf(1), "c");
    routes.learn(1, "a", 3);
    assert.equal(routes.primaryOf(1), "a");
  }
});

void test("what an earlier life of a node led is forgotten when its next one is linked", () => {
  const { routes } = makeRoutes(["a", "b", "c"]);
  routes.linked("b", 1);
  routes.learn(1, "b", 7);
  routes.linked("b", 1);
  assert.equal(routes.primaryOf(1), "b", "the same life, linked again");
  routes.linked("b", 2);
  assert.equal(routes.primaryOf(1), "");
  routes.learn(1, "c", 2);
  assert.equal(routes.primaryOf(1), "c", "a survivor of a lost majority begins with what it knows");
});

void test("a primary that is no member any more is not named, the living owners are", () => {
  const { routes, members } = makeRoutes(["a", "b", "c"]);
  routes.learn(2, "b", 3);
  members.splice(1, 1);
  assert.equal(routes.membersChanged(), true);
  const table = new RoutingTable();
  table.apply(routes.full());
  assert.deepEqual(
    believed(table, 2),
    routes.ownersOf(2).filter((id) => id !== "b"),
  );
});

void test("a client that applies the differences has what the whole table says", () => {
  const { routes, members } = makeRoutes(["a", "b", "c", "d"]);
  const table = new RoutingTable();
  table.apply(routes.full());
  routes.takeDelta();
  const changes: (() => void)[] = [
    () => routes.learn(0, "b", 2),
    () => routes.learn(7, "c", 2),
    () => {
      members.push(member("e"));
      routes.membersChanged();
    },
    () => routes.learn(7, "e", 3),
    () => {
      members.splice(0, 1);
      routes.membersChanged();
    },
    () => routes.learn(9, "d", 4),
  ];
  for (const change of changes) {
    change();
    const delta = routes.takeDelta();
    assert.notEqual(delta, undefined);
    if (delta !== undefined) table.apply(delta);
    const whole = new RoutingTable();
    whole.apply(routes.full());
    for (let p = 0; p < partitionCount; p++)
      assert.deepEqual(believed(table, p), believed(whole, p));
  }
  assert.equal(routes.takeDelta(), undefined);
});

void test("members that only look different to membership need no new table", () => {
  const { routes, members } = makeRoutes(["a", "b", "c"]);
  assert.equal(routes.membersChanged(), true, "the first time");
  assert.equal(routes.membersChanged(), false);
  members.reverse();
  assert.equal(routes.membersChanged(), false);
  members[0] = member(members[0]!.id, 2);
  assert.equal(routes.membersChanged(), true);
});

void test("what a node begins to lead is told at once, and what follows soon in one message", async () => {
  const time = new VirtualTime({ seed: 1 });
  const { routes } = makeRoutes(["a", "b", "c"]);
  const told: PrimariesMessage[] = [];
  const changed: number[] = [];
  const primaries = new Primaries({
    self: "a",
    timers: time.timers,
    routes,
    broadcast: (message) => told.push(message),
    changed: (partition) => changed.push(partition),
  });
  primaries.lead(1, 4);
  primaries.lead(2, 5);
  primaries.lead(3, 6);
  primaries.resign(2);
  assert.equal(primaries.count, 2);
  await time.sleep(1);
  assert.deepEqual(told, [
    {
      type: "primaries",
      entries: [
        { partition: 1, term: 4 },
        { partition: 3, term: 6 },
      ],
    },
  ]);
  assert.deepEqual(primaries.all().entries, told[0]!.entries);
  assert.equal(routes.primaryOf(3), "a");
  primaries.receive("b", { type: "primaries", entries: [{ partition: 3, term: 7 }] });
  assert.equal(routes.primaryOf(3), "b");
  assert.deepEqual(changed, [1, 2, 3, 3]);
  // What follows soon is gathered, and told once.
  primaries.lead(4, 1);
  await time.sleep(1);
  primaries.lead(5, 1);
  await time.sleep(1);
  assert.equal(told.length, 1);
  await time.sleep(20);
  assert.deepEqual(
    told.slice(1).map(({ entries }) => entries.map(({ partition }) => partition)),
    [[4, 5]],
  );
  primaries.lead(6, 1);
  await time.sleep(1);
  assert.equal(told.length, 3);
});
