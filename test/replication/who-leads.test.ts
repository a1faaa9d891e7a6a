/** What processes believe of who leads, and that it does not keep them from having somebody who does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProcessId } from "../../src/model/ids.ts";
import type { Term } from "../../src/model/term.ts";
import { timing } from "../../src/replication/timing.ts";
import { trio, type Mesh } from "./support/mesh.ts";

/** b leads after a; d is there, is no owner, and takes nobody for the primary. */
function trioWithBystander(): Readonly<Record<"a" | "b" | "c" | "d", ProcessId>> & { mesh: Mesh } {
  const { mesh, a, b, c } = trio();
  const d = mesh.start("d");
  mesh.perform(a, mesh.at(a).handOver(mesh.now));
  mesh.pass(100);
  assert.equal(mesh.at(b).role, "primary");
  return { mesh, a, b, c, d };
}

/** Somebody who has promised a higher term tells `to` that d leads. Of what comes of it c alone hears. */
function claimThatDLeads(mesh: Mesh, to: ProcessId, synced: Term): void {
  const promised = { number: 9, process: "x#1" };
  const owners = ["a#1", "b#1", "c#1"];
  const standing = { promised, synced, owners, primary: "d#1", genesis: "g1" };
  mesh.perform(to, mesh.at(to).receive("x#1", { type: "hello", standing }, mesh.now));
  mesh.deliver((sent) => sent.to === "c#1");
}

function leaders(mesh: Mesh): number {
  return [...mesh.replicas.values()].filter(({ role }) => role === "primary").length;
}

test("who has followed a later term believes nobody who tells of an earlier primary", () => {
  const { mesh, b, c } = trioWithBystander();
  for (const owner of [b, c]) claimThatDLeads(mesh, owner, { number: 1, process: "a#1" });
  assert.deepEqual([mesh.at(b).primary, mesh.at(c).primary], ["", ""]);
  mesh.pass(2_000);
  assert.equal(leaders(mesh), 1);
});

test("who is taken for the primary and is not says so, also where it knows of none", () => {
  const { mesh, a, b, c, d } = trioWithBystander();
  for (const owner of [b, c]) claimThatDLeads(mesh, owner, { number: 2, process: b });
  assert.deepEqual([mesh.at(b).primary, mesh.at(c).primary, mesh.at(d).primary], [d, d, ""]);
  mesh.pass(2_000);
  assert.equal(leaders(mesh), 0, "all take somebody for the primary, and nobody asks");
  for (let round = 0; round < 2; round++) {
    for (const owner of [a, b, c]) mesh.perform(owner, mesh.at(owner).compareCopies());
    mesh.deliver();
  }
  mesh.pass(2_000);
  assert.equal(leaders(mesh), 1);
});

test("who refuses for a primary that it has only heard of asks it", () => {
  const { mesh, a, b, c } = trioWithBystander();
  for (const owner of [b, c]) claimThatDLeads(mesh, owner, { number: 2, process: b });
  mesh.crash(b);
  mesh.pass(1_000);
  assert.equal(mesh.at(a).role, "primary", "c would have refused for ever");
});

test("who is refused for a primary that says it is none does not ask without end", () => {
  const { mesh, a, b, c, d } = trioWithBystander();
  for (const owner of [b, c]) claimThatDLeads(mesh, owner, { number: 2, process: b });
  mesh.replicas.delete(b);
  for (let step = 0; step < 100; step++) {
    mesh.now += 10;
    for (const process of [a, c]) mesh.perform(process, mesh.at(process).peersChanged(mesh.now));
    mesh.deliver(({ from, to }) => from !== d || to === a);
  }
  assert.equal(leaders(mesh), 0, "c does not hear that d is none");
});

test("who gave the role away and has it again does not give it away at once", () => {
  const { mesh, a, b } = trio();
  let count = 0;
  const passOn = (ms: number): void => {
    for (const until = mesh.now + ms; mesh.now < until; mesh.now += 10) {
      for (const [process, replica] of mesh.replicas) {
        mesh.perform(process, replica.tick(mesh.now));
      }
      mesh.deliver(({ from, message }) => {
        if (message.type === "handover") count++;
        return message.type !== "promise" || from !== a;
      });
    }
  };
  // b and c do not reach each other, and b never hears that a has promised.
  mesh.cuts.add(`${b}>c#1`);
  for (const replica of mesh.replicas.values()) replica.tableChanged(["b", "a", "c"], mesh.now);
  passOn(timing.handoverRetryMs);
  assert.deepEqual([count, mesh.at(a).role], [1, "primary"]);
  mesh.cuts.clear();
  mesh.pass(2 * timing.handoverRetryMs);
  assert.equal(mesh.at(b).role, "primary");
});
