/** What a follower's copy is known to show, and how it catches up with what somebody has seen. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { timing } from "../../src/replication/timing.ts";
import { Mesh, trio } from "./support/mesh.ts";

test("a follower that lacks what somebody has seen asks for it at once", () => {
  const { mesh, a, b, c } = trio();
  mesh.commit(a, "x");
  mesh.deliver(({ to }) => to !== c);
  assert.deepEqual([mesh.committed(b), mesh.committed(c)], [["x"], []]);
  const seen = mesh.at(b).reads.shown!;
  mesh.perform(c, mesh.at(c).catchUp(seen, mesh.now));
  assert.deepEqual(mesh.kinds(), ["hello"]);
  mesh.deliver();
  assert.deepEqual(mesh.committed(c), ["x"]);
  assert.ok(mesh.at(c).reads.hasSeen(seen));
});

test("marks that nobody can have seen make it ask once in a while, and only who is there", () => {
  const { mesh, a, c } = trio();
  const { term } = mesh.at(a).reads.shown!;
  const ask = (process: string, number: number): void => {
    const mark = { term: { number, process }, position: 1e9 };
    mesh.perform(c, mesh.at(c).catchUp(mark, mesh.now));
  };
  ask(a, term.number);
  ask(a, term.number);
  ask("nobody#9", 99);
  assert.deepEqual(mesh.kinds(), ["hello"]);
  mesh.deliver();
  mesh.pass(timing.resyncMs);
  ask("nobody#9", 99);
  assert.deepEqual(
    mesh.sent.map(({ to }) => to),
    [a],
    "it asks whom it follows",
  );
  mesh.deliver();
  mesh.perform(a, mesh.at(a).catchUp({ term, position: 1e9 }, mesh.now));
  assert.deepEqual(mesh.kinds(), [], "who leads asks nobody");
});

test("a follower that has what was seen asks for nothing", () => {
  const { mesh, a, c } = trio();
  mesh.commit(a, "x");
  mesh.deliver();
  mesh.perform(c, mesh.at(c).catchUp(mesh.at(a).reads.shown!, mesh.now));
  assert.deepEqual(mesh.kinds(), []);
});

test("what a follower of five holds is shown once it is known to be committed", () => {
  const mesh = new Mesh(["a", "b", "c", "d", "e"]);
  const [a, b] = [
    mesh.start("a", "g1"),
    mesh.start("b"),
    ...["c", "d", "e"].map((n) => mesh.start(n)),
  ];
  mesh.look();
  mesh.pass(1_000);
  const before = mesh.at(b).reads.shown!;
  assert.equal(mesh.at(b).reads.held, undefined);
  mesh.commit(a, "x");
  mesh.deliver();
  const { held, shown, ownersSetAt } = mesh.at(b).reads;
  assert.deepEqual(shown, before, "two of five are no majority");
  assert.deepEqual(held, mesh.at(a).reads.shown);
  assert.equal(mesh.at(b).reads.canRead(held), false);
  assert.deepEqual(ownersSetAt, mesh.at(a).reads.ownersSetAt);
  mesh.pass(timing.tellCommittedMs + 20);
  assert.equal(mesh.at(b).reads.canRead(held), true);
  assert.deepEqual(mesh.at(b).reads.shown, held);
});
