/** Reads that must not be older than their asking: a majority has to confirm the term since. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProcessId } from "../../src/model/ids.ts";
import { Mesh, trio } from "./support/mesh.ts";

function fresh(mesh: Mesh, at: ProcessId, token: string): void {
  const waiter = { acks: 2, token, deadlineAt: mesh.now + 2_000 };
  mesh.perform(at, mesh.at(at).confirmTerm(waiter, mesh.now));
}

function plain(mesh: Mesh, at: ProcessId, token: string): void {
  const waiter = { acks: 2, token, deadlineAt: mesh.now + 2_000 };
  mesh.perform(at, mesh.at(at).confirm(waiter, mesh.now));
}

const ok = (copies: number): object => ({ type: "ok", copies, degraded: false });
const indeterminate = { type: "indeterminate" };

/** `a` sleeps, and the others have a primary of their own by the time it wakes. */
function succeeded(): ReturnType<typeof trio> {
  const { mesh, a, b, c } = trio();
  mesh.commit(a, "x");
  mesh.deliver();
  for (const other of [b, c]) mesh.cuts.add(`${a}>${other}`).add(`${other}>${a}`);
  for (let step = 0; step < 300; step++) {
    mesh.now += 10;
    for (const other of [b, c]) {
      mesh.perform(other, mesh.at(other).peersChanged(mesh.now));
      mesh.perform(other, mesh.at(other).tick(mesh.now));
    }
    mesh.deliver();
  }
  assert.equal(mesh.at(b).role, "primary");
  mesh.commit(b, "y");
  mesh.deliver();
  assert.deepEqual(mesh.outcomes.get("y"), ok(2));
  return { mesh, a, b, c };
}

test("a primary that slept through its succession confirms no fresh read, and does confirm a plain one", () => {
  const { mesh, a, b, c } = succeeded();
  assert.equal(mesh.at(a).serving, "primary", "it has heard of nothing");
  plain(mesh, a, "plain");
  fresh(mesh, a, "fresh");
  mesh.deliver();
  assert.deepEqual(mesh.tip(a), ["x"]);
  assert.deepEqual(
    mesh.outcomes.get("plain"),
    ok(3),
    "old, and answered: what fresh reads are for",
  );
  assert.equal(mesh.outcomes.get("fresh"), undefined);
  for (const other of [b, c]) mesh.heal(a, other);
  mesh.pass(100);
  assert.deepEqual(mesh.outcomes.get("fresh"), indeterminate);
});

test("a fresh read takes one position, and those that ask meanwhile share the next", () => {
  const { mesh, a } = trio();
  mesh.commit(a, "x");
  mesh.deliver();
  const before = mesh.at(a).progress!.position;
  for (const token of ["1", "2", "3", "4"]) fresh(mesh, a, token);
  assert.equal(mesh.outcomes.has("1"), false, "nobody has confirmed anything yet");
  mesh.deliver();
  for (const token of ["1", "2", "3", "4"]) assert.deepEqual(mesh.outcomes.get(token), ok(2));
  assert.deepEqual(mesh.at(a).progress, { position: before + 2, committed: before + 3 });
  mesh.pass(1_000);
  assert.equal(mesh.at(a).nextTickAt, Infinity, "and the partition rests again");
});

test("followers count positions without a commit, and go on with what comes after them", () => {
  const { mesh, a, b, c } = trio();
  fresh(mesh, a, "1");
  mesh.commit(a, "x");
  mesh.deliver();
  fresh(mesh, a, "2");
  mesh.deliver();
  for (const process of [a, b, c]) assert.deepEqual(mesh.committed(process), ["x"]);
  const { position } = mesh.at(a).progress!;
  for (const process of [b, c]) assert.equal(mesh.at(process).progress!.position, position);
  mesh.perform(a, mesh.at(a).compareCopies(0));
  mesh.deliver();
  assert.ok(mesh.effects.every(({ effect }) => effect.type !== "diverged"));
});

test("a fresh read ends when its time is up, and when the reign ends", () => {
  const { mesh, a, b, c } = trio();
  mesh.commit(a, "x");
  mesh.deliver();
  fresh(mesh, a, "late");
  fresh(mesh, a, "later");
  mesh.sent.length = 0;
  mesh.now += 2_000;
  mesh.perform(a, mesh.at(a).tick(mesh.now));
  for (const token of ["late", "later"]) assert.deepEqual(mesh.outcomes.get(token), indeterminate);
  fresh(mesh, a, "third");
  mesh.perform(a, mesh.at(a).handOver(mesh.now));
  mesh.deliver();
  mesh.pass(1_000);
  assert.notEqual(mesh.outcomes.get("third"), undefined);
  fresh(mesh, c, "elsewhere");
  assert.deepEqual(mesh.outcomes.get("elsewhere"), indeterminate, "c does not lead");
  assert.equal(mesh.at(b).role, "primary");
});

test("without a majority there is no fresh read", () => {
  const { mesh, a, b, c } = trio();
  mesh.commit(a, "x");
  mesh.deliver();
  mesh.cut(a, b);
  mesh.cut(a, c);
  fresh(mesh, a, "cut off");
  mesh.pass(1_000);
  assert.equal(mesh.at(a).serving, "degraded", "asking was enough to find out");
  fresh(mesh, a, "degraded");
  assert.deepEqual(mesh.outcomes.get("degraded"), indeterminate);
});

test("a lone owner confirms its term by itself", () => {
  const mesh = new Mesh(["a"]);
  const a = mesh.start("a", "g1");
  mesh.commit(a, "x");
  fresh(mesh, a, "1");
  assert.deepEqual(mesh.outcomes.get("1"), ok(1));
  assert.equal(mesh.at(a).nextTickAt, Infinity);
});
