import assert from "node:assert/strict";
import { test } from "node:test";
import { RoutingTable } from "../../src/routing/routing-table.ts";
import { chooseTarget, noneTried, standings } from "../../src/routing/target.ts";

const { unknown, linked, demoted, down } = standings;

function routes(): RoutingTable {
  const table = new RoutingTable();
  table.apply({
    type: "table",
    version: 1,
    tableId: 1,
    partitionCount: 2,
    members: ["a", "b", "c"].map((id) => ({
      id,
      address: `ws://${id}`,
      boot: 1,
    })),
    full: true,
    owners: [{ partition: 0, members: [0, 1, 2] }],
  });
  return table;
}

const cases = [
  {
    name: "the primary when it is linked",
    standing: [linked, linked, linked],
    expect: 0,
  },
  {
    name: "a primary that was never dialled",
    standing: [unknown, linked, linked],
    expect: 0,
  },
  {
    name: "the next owner when the primary is down",
    standing: [down, linked, linked],
    expect: 1,
  },
  {
    name: "a healthy owner before a demoted primary",
    standing: [demoted, down, linked],
    expect: 2,
  },
  {
    name: "a demoted primary when all others are down",
    standing: [demoted, down, down],
    expect: 0,
  },
  {
    name: "nobody when all are down",
    standing: [down, down, down],
    expect: -1,
  },
  {
    name: "an owner not tried yet",
    standing: [linked, linked, linked],
    tried: [0],
    expect: 1,
  },
  {
    name: "a demoted one left over",
    standing: [linked, demoted, linked],
    tried: [0, 2],
    expect: 1,
  },
  {
    name: "nobody when all were tried",
    standing: [linked, linked, linked],
    tried: [2, 1, 0],
    expect: -1,
  },
];

for (const { name, standing, tried, expect } of cases) {
  test(`chooses ${name}`, () => {
    assert.equal(chooseTarget(routes(), 0, Uint8Array.from(standing), tried ?? noneTried), expect);
  });
}

test("chooses nobody for a partition without owners", () => {
  assert.equal(chooseTarget(routes(), 1, Uint8Array.from([linked, linked, linked]), noneTried), -1);
});
