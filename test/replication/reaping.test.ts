/** What was deleted long ago is forgotten, on all owners, and does not come back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { entity, Mesh, trio } from "./support/mesh.ts";

/** Three owners of an entity that is deleted. */
function deleted(): ReturnType<typeof trio> {
  const three = trio();
  const { mesh, a } = three;
  mesh.commit(a, "x");
  mesh.wipe(a);
  mesh.deliver();
  return three;
}

/** Three owners that have forgotten it. */
function reaped(): ReturnType<typeof trio> {
  const three = deleted();
  const { mesh, a } = three;
  mesh.reap(a);
  mesh.deliver();
  mesh.pass(100);
  return three;
}

test("a primary forgets what is deleted, and so does every owner", () => {
  const { mesh, a, b, c } = reaped();
  for (const process of [a, b, c]) {
    assert.deepEqual([...mesh.at(process).entityNames()], []);
    assert.equal(mesh.at(process).digest, 0);
  }
  const counts = mesh.effects.filter(({ effect }) => effect.type === "reaped");
  assert.deepEqual(counts, [{ at: a, effect: { type: "reaped", count: 1 } }]);
  mesh.pass(2_000);
  assert.equal(mesh.at(a).nextTickAt, Infinity, "and nobody has anything more to do for it");
});

test("what lives is not forgotten, nor what calls work on", () => {
  const { mesh, a } = trio();
  mesh.commit(a, "x");
  mesh.deliver();
  mesh.reap(a);
  assert.deepEqual(mesh.committed(a), ["x"]);
  mesh.wipe(a);
  mesh.deliver();
  assert.deepEqual(
    mesh.at(a).reap(0, (name) => name === entity, mesh.now),
    [],
  );
  assert.deepEqual([...mesh.at(a).entityNames()], [entity]);
});

test("nothing is forgotten while a delete is on its way to the owners, or one of them is away", () => {
  const { mesh, a, b, c } = trio();
  mesh.commit(a, "x");
  mesh.deliver();
  mesh.wipe(a);
  mesh.reap(a);
  mesh.deliver();
  assert.deepEqual([...mesh.at(b).entityNames()], [entity]);
  mesh.cut(a, c);
  mesh.reap(a);
  mesh.deliver();
  assert.deepEqual([...mesh.at(b).entityNames()], [entity]);
});

test("a key that begins anew has another life, and other numbers", () => {
  const { mesh, a, b } = reaped();
  const before = mesh.at(a).usedUp;
  assert.equal(before, 2);
  mesh.commit(a, "y");
  mesh.deliver();
  for (const process of [a, b]) {
    const held = mesh.at(process).committedEntity(entity);
    assert.equal(held?.mark, 2);
    assert.equal(held.sequenceOf(mesh.at(a).writer), before + 1);
    assert.deepEqual([...held.commits.values()], ["y"]);
  }
});

test("calls run on the new life while the forgetting of the old one is on its way", () => {
  const { mesh, a, b } = deleted();
  const slot = mesh.at(a).servedSlot(entity);
  assert.equal(slot?.isServed, true);
  mesh.reap(a);
  assert.equal(slot.isServed, false, "whoever found it has to look again");
  assert.equal(mesh.at(a).servedSlot(entity), undefined);
  mesh.commit(a, "y");
  assert.deepEqual(mesh.tip(a), ["y"]);
  assert.deepEqual(mesh.committed(a), []);
  mesh.deliver();
  assert.deepEqual([mesh.committed(a), mesh.committed(b)], [["y"], ["y"]]);
  mesh.commit(a, "z");
  mesh.deliver();
  assert.deepEqual(
    [mesh.committed(a), mesh.committed(b)],
    [
      ["y", "z"],
      ["y", "z"],
    ],
  );
});

test("a lone owner forgets at once", () => {
  const mesh = new Mesh(["a"]);
  const a = mesh.start("a", "g1");
  mesh.commit(a, "x");
  mesh.wipe(a);
  const slot = mesh.at(a).servedSlot(entity);
  mesh.reap(a);
  assert.deepEqual([...mesh.at(a).entityNames()], []);
  assert.equal(slot?.isServed, false);
  mesh.commit(a, "y");
  assert.deepEqual(mesh.committed(a), ["y"]);
});

test("who becomes primary with a forgetting in its tail goes on with it", () => {
  const { mesh, a, b, c } = deleted();
  mesh.reap(a);
  mesh.deliver(({ message, to }) => message.type === "delta" && to === b);
  mesh.crash(a);
  mesh.pass(2_000);
  assert.equal(mesh.at(b).serving, "primary");
  for (const process of [b, c]) assert.deepEqual([...mesh.at(process).entityNames()], []);
  mesh.commit(b, "y");
  mesh.deliver();
  assert.equal(mesh.at(c).committedEntity(entity)?.mark, 2, "the marks go on where they were");
});

test("an owner that missed a forgetting is sent everything, and holds nothing more", () => {
  const { mesh, a, b, c } = deleted();
  mesh.reap(a);
  mesh.deliver(({ to }) => to !== c);
  assert.deepEqual([...mesh.at(c).entityNames()], [entity]);
  mesh.pass(3_000);
  for (const process of [a, b, c]) assert.deepEqual([...mesh.at(process).entityNames()], []);
  mesh.perform(a, mesh.at(a).compareCopies());
  mesh.deliver();
  assert.equal(
    mesh.effects.some(({ effect }) => effect.type === "diverged"),
    false,
  );
});

test("a fork's changes of what is forgotten are refused, told and dropped; what it began stays", () => {
  for (const holdsIt of [true, false]) {
    const { mesh, a, b, c } = trio();
    if (holdsIt) mesh.commit(a, "x");
    mesh.deliver();
    mesh.cut(a, c);
    mesh.cut(b, c);
    mesh.pass(3_000);
    mesh.commit(c, "late");
    if (!holdsIt) mesh.commit(a, "x");
    mesh.wipe(a);
    mesh.deliver();
    mesh.setTable(["a", "b"]);
    mesh.pass(1_000);
    mesh.reap(a);
    mesh.deliver();
    assert.deepEqual([...mesh.at(b).entityNames()], []);
    // A query, say, has looked at it meanwhile.
    assert.equal(mesh.at(a).tip(entity, true)?.mark, 2);
    mesh.heal(a, c);
    mesh.heal(b, c);
    mesh.pass(3_000);
    assert.equal(mesh.at(c).forkCommits, 0);
    const refused = mesh.effects.filter(({ effect }) => effect.type === "fork-refused");
    if (holdsIt) {
      assert.deepEqual([...mesh.at(a).entityNames()], []);
      const effect = { type: "fork-refused", from: c, entities: [entity] };
      assert.deepEqual(refused, [{ at: a, effect }]);
    } else {
      for (const process of [a, b]) assert.deepEqual(mesh.committed(process), ["late"]);
      assert.deepEqual(mesh.tip(a), ["late"]);
      assert.equal(mesh.at(a).digest, mesh.at(b).digest);
      assert.deepEqual(refused, []);
    }
  }
});
