/** Rule 14: who is no owner any more learns that its copy is not needed, whatever happens meanwhile. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { timing } from "../../src/replication/timing.ts";
import { trio } from "./support/mesh.ts";
import type { Sent } from "./support/mesh.ts";

test("a removed process keeps its copy for 60 s, then a few bytes (rules 13 and 14)", () => {
  const { mesh, a, c } = trio();
  mesh.start("d");
  mesh.look();
  mesh.commit(a, "x");
  mesh.deliver();
  mesh.setTable(["a", "b", "d"]);
  mesh.pass(1000);
  assert.deepEqual(mesh.at(a).owners?.processes, ["a#1", "b#1", "d#1"]);
  assert.equal(mesh.at(c).role, "removed");
  assert.deepEqual(mesh.committed(c), ["x"]);
  mesh.pass(timing.retentionMs + 1000, 500);
  assert.equal(mesh.at(c).role, "absent");
  assert.deepEqual(mesh.at(c).standing.owners, ["a#1", "b#1", "d#1"]);
  assert.equal(mesh.at(c).nextTickAt, Infinity);
});

test("who was removed in a term that ended before it was known is told by the next primary", () => {
  const { mesh, a, b, c } = trio();
  const d = mesh.start("d");
  mesh.look();
  mesh.commit(a, "x");
  mesh.deliver();
  mesh.table = ["a", "b", "d"];
  for (const process of [a, b, c, d]) {
    mesh.perform(process, mesh.at(process).tableChanged(mesh.table, mesh.now));
  }
  let isCut = false;
  mesh.deliver(({ from, to, message }) => {
    const owners = message.type === "delta" ? message.owners?.processes : undefined;
    isCut ||= owners !== undefined && !owners.includes(c);
    return !isCut || (from === a && to === b);
  });
  assert.ok(isCut, "only b has heard of the removal");
  mesh.crash(a);
  const next = mesh.start("a", undefined, 2);
  mesh.look();
  mesh.pass(3000);
  assert.deepEqual(mesh.at(b).owners?.processes, [b, d, next]);
  assert.equal(mesh.at(c).isNeeded, false);
});

test("who was removed asks to be dismissed when the role was given away before it could be", () => {
  const { mesh, a, b, c } = trio();
  const d = mesh.start("d");
  mesh.look();
  mesh.commit(a, "x");
  mesh.deliver();
  mesh.table = ["b", "a", "d"];
  for (const process of [a, b, c, d]) {
    mesh.perform(process, mesh.at(process).tableChanged(mesh.table, mesh.now));
  }
  // d does not acknowledge the removal before a has left: a and b are enough to commit it, and b is told.
  let isRemoved = false;
  const exceptAcks = ({ from, to, message }: Sent): boolean => {
    const owners = message.type === "delta" ? message.owners?.processes : undefined;
    isRemoved ||= owners?.includes(c) === false;
    return !(isRemoved && from === d && to === a);
  };
  mesh.deliver(exceptAcks);
  mesh.now += timing.tellCommittedMs;
  mesh.perform(a, mesh.at(a).tick(mesh.now));
  mesh.deliver(exceptAcks);
  mesh.perform(a, mesh.at(a).handOver(mesh.now));
  mesh.deliver(exceptAcks);
  assert.deepEqual([mesh.at(b).role, mesh.at(c).role], ["primary", "removed"]);
  assert.equal(mesh.at(c).isNeeded, true, "a has not dismissed it, and b does not know of it");
  // It asks a, which tells it who leads, and then b.
  mesh.pass(3 * timing.dismissalMs + 100);
  assert.equal(mesh.at(c).isNeeded, false);
});

test("who was removed is told so, also if it was about to become an owner again meanwhile", () => {
  const { mesh, a, c } = trio();
  mesh.start("d");
  mesh.look();
  const change = (table: readonly string[]): void => {
    mesh.table = table;
    for (const [process, replica] of mesh.replicas) {
      mesh.perform(process, replica.tableChanged(table, mesh.now));
    }
  };
  let isProposed = false;
  change(["a", "b", "d"]);
  mesh.deliver(({ message }) => {
    const owners = message.type === "delta" ? message.owners?.processes : undefined;
    isProposed ||= owners !== undefined && !owners.includes(c);
    return !isProposed;
  });
  assert.ok(isProposed, "the removal is not committed");
  assert.equal(mesh.at(a).owners?.processes.includes(c), false);
  // It is wanted back, and not wanted again, before anything of that has reached it.
  const passesC = ({ from, to }: { from: string; to: string }): boolean => from !== c && to !== c;
  change(["a", "b", "c"]);
  for (let step = 0; step < 200; step++) {
    mesh.now += 10;
    for (const [process, replica] of mesh.replicas) {
      if (replica.nextTickAt <= mesh.now) mesh.perform(process, replica.tick(mesh.now));
    }
    mesh.deliver(passesC);
  }
  change(["a", "b", "d"]);
  mesh.look();
  mesh.pass(1000);
  assert.equal(mesh.at(c).isNeeded, false);
});
