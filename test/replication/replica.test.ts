import assert from "node:assert/strict";
import { test } from "node:test";
import { LatticeError } from "../../src/model/error.ts";
import { limits, timing } from "../../src/replication/timing.ts";
import { commitThat } from "./support/commit-set.ts";
import { entity, Mesh, trio } from "./support/mesh.ts";

const ok = (copies: number, degraded = false): object => ({ type: "ok", copies, degraded });
const indeterminate = { type: "indeterminate" };

test("a birth serves alone at once and rests (rule 19)", () => {
  const mesh = new Mesh(["a"]);
  const a = mesh.start("a", "g1");
  assert.equal(mesh.at(a).serving, "primary");
  mesh.commit(a, "x");
  assert.deepEqual(mesh.outcomes.get("x"), ok(1));
  assert.deepEqual(mesh.committed(a), ["x"]);
  assert.equal(mesh.at(a).nextTickAt, Infinity);
});

test("a lone owner commits at once where an entity stands, while nothing else is to be done", () => {
  const mesh = new Mesh(["a"]);
  const a = mesh.start("a", "g1");
  mesh.perform(a, mesh.at(a).peersChanged(0));
  assert.equal(mesh.at(a).servedSlot(entity), undefined, "nothing stands anywhere before a commit");
  mesh.commit(a, "x");
  const slot = mesh.at(a).servedSlot(entity);
  assert.ok(slot?.isServed);
  assert.equal(slot.entity, mesh.at(a).tip(entity, false));
  assert.equal(
    slot.commitAlone(commitThat("y", entity, { writer: slot.writer, sequence: 2 })),
    true,
  );
  assert.deepEqual(mesh.committed(a), ["x", "y"]);
  assert.deepEqual(mesh.at(a).progress, { position: 2, committed: 3 });

  // Somebody joins: from now on a commit has to reach others, and the reign says so.
  const b = mesh.start("b");
  mesh.setTable(["a", "b"]);
  mesh.look();
  assert.equal(
    slot.commitAlone(commitThat("z", entity, { writer: slot.writer, sequence: 3 })),
    false,
  );
  mesh.commit(a, "z");
  assert.equal(slot.entity, mesh.at(a).tip(entity, false), "the slot has the newest form");
  mesh.deliver();
  mesh.pass(100);
  assert.deepEqual(mesh.committed(b), ["x", "y", "z"]);
});

test("what a slot says is served ends with the reign", () => {
  const { mesh, a, b, c } = trio();
  mesh.commit(a, "x");
  mesh.deliver();
  const slot = mesh.at(a).servedSlot(entity);
  assert.ok(slot?.isServed);
  assert.equal(
    slot.commitAlone(commitThat("y", entity, { writer: slot.writer, sequence: 2 })),
    false,
  );
  mesh.cut(a, b);
  mesh.cut(a, c);
  mesh.commit(a, "lost");
  mesh.pass(2000);
  assert.equal(slot.isServed, false, "a primary without a majority serves degraded at most");
  mesh.heal(a, b);
  mesh.heal(a, c);
  assert.equal(mesh.at(a).role, "follower");
  assert.equal(slot.isServed, false);
  assert.equal(mesh.at(a).servedSlot(entity), undefined);
  assert.equal(mesh.at(b).servedSlot(entity)?.entity, mesh.at(b).tip(entity, false));
});

test("an absent process never starts empty (rule 19)", () => {
  const mesh = new Mesh(["b"]);
  const b = mesh.start("b");
  mesh.look();
  mesh.pass(10_000, 100);
  assert.equal(mesh.at(b).role, "absent");
  assert.equal(mesh.at(b).tip(entity, true), undefined);
  assert.throws(() => mesh.at(b).confirm({ acks: 2, token: 1, deadlineAt: 0 }, 0), LatticeError);
});

test("owners of the table are added one at a time and then all rest (rule 13)", () => {
  const { mesh, a } = trio();
  const sizes = mesh.effects
    .filter(({ at, effect }) => at === a && effect.type === "owners-changed")
    .map(({ effect }) => (effect.type === "owners-changed" ? effect.owners.processes.length : 0));
  assert.deepEqual(sizes, [2, 3]);
  mesh.pass(2000);
  for (const replica of mesh.replicas.values()) assert.equal(replica.nextTickAt, Infinity);
});

test("an answer waits for a majority, watchers for the committed part (rules 4 and 5)", () => {
  const { mesh, a, b } = trio();
  mesh.commit(a, "x");
  assert.deepEqual(mesh.tip(a), ["x"]);
  assert.deepEqual(mesh.committed(a), []);
  mesh.perform(a, mesh.at(a).confirm({ acks: 2, token: "read", deadlineAt: Infinity }, 0));
  assert.equal(mesh.outcomes.size, 0);
  mesh.deliver(({ from, to }) => from === b || to === b);
  assert.deepEqual(mesh.outcomes.get("x"), ok(2));
  assert.deepEqual(mesh.outcomes.get("read"), ok(2));
  assert.deepEqual(mesh.committed(a), ["x"]);
  assert.deepEqual(mesh.committed(b), ["x"]);
});

test("acks: all waits for every owner, 1 for none, too many say how many copies (rule 5)", () => {
  const { mesh, a, b } = trio();
  mesh.commit(a, "one", { acks: 1 });
  assert.deepEqual(mesh.outcomes.get("one"), ok(1));
  mesh.commit(a, "all", { acks: "all" });
  mesh.commit(a, "nine", { acks: 9 });
  mesh.deliver(({ from, to }) => from === b || to === b);
  assert.equal(mesh.outcomes.has("all"), false);
  mesh.pass(3000);
  assert.deepEqual(mesh.outcomes.get("all"), ok(3));
  assert.deepEqual(mesh.outcomes.get("nine"), ok(3));
});

test("an answer whose time is up is indeterminate", () => {
  const { mesh, a, b, c } = trio();
  mesh.cut(a, b);
  mesh.cut(a, c);
  mesh.commit(a, "x", { deadlineAt: mesh.now + 200 });
  mesh.pass(150);
  assert.equal(mesh.outcomes.size, 0);
  mesh.pass(100);
  assert.deepEqual(mesh.outcomes.get("x"), indeterminate);
});

test("a deposed primary answers indeterminate, and its unacknowledged commit goes (rules 2, 10)", () => {
  const { mesh, a, b, c } = trio();
  mesh.commit(a, "lost");
  mesh.sent.length = 0;
  mesh.cut(a, b);
  mesh.cut(a, c);
  mesh.pass(2000);
  assert.equal(mesh.at(b).serving, "primary");
  mesh.commit(b, "kept");
  mesh.deliver();
  assert.deepEqual(mesh.outcomes.get("kept"), ok(2));
  mesh.heal(a, b);
  mesh.heal(a, c);
  assert.deepEqual(mesh.outcomes.get("lost"), indeterminate);
  assert.equal(mesh.at(a).role, "follower");
  assert.deepEqual(mesh.committed(a), ["kept"]);
  assert.equal(mesh.at(a).digest, mesh.at(b).digest);
});

test("a survivor of two shows every acknowledged write after a takeover (rule 7)", () => {
  const { mesh, a, b, c } = trio();
  mesh.commit(a, "x");
  mesh.deliver(({ from, to }) => from === c || to === c);
  assert.deepEqual(mesh.outcomes.get("x"), ok(2));
  const writer = mesh.at(a).writer;
  mesh.crash(a);
  mesh.pass(100);
  assert.equal(mesh.at(b).serving, "primary");
  assert.deepEqual(mesh.committed(b), ["x"]);
  assert.notEqual(mesh.at(b).writer, writer);
});

test("a live primary and who follows it refuse, so terms do not chase each other (rule 9)", () => {
  const { mesh, a, b } = trio();
  const term = mesh.at(a).term;
  mesh.cut(a, b);
  mesh.pass(60_000, 100);
  assert.equal(mesh.at(a).serving, "primary");
  assert.deepEqual(mesh.at(a).term, term);
  assert.equal(mesh.at(b).serving, undefined, "a refused candidate does not serve degraded");
  mesh.commit(a, "x");
  mesh.deliver();
  assert.deepEqual(mesh.outcomes.get("x"), ok(2));
});

test("who was refused asks again soon, for owners notice a crash at different times (rule 6)", () => {
  const { mesh, a, b, c } = trio();
  mesh.cut(a, b);
  mesh.pass(10);
  assert.equal(mesh.at(b).serving, undefined, "the other one still follows a primary");
  mesh.cut(a, c);
  mesh.pass(4 * timing.refusedMs);
  assert.equal(mesh.at(b).serving, "primary");
});

test("who is refused for long asks seldom", () => {
  const { mesh, a, b } = trio();
  mesh.cut(a, b);
  mesh.pass(60_000);
  mesh.effects.length = 0;
  mesh.pass(60_000);
  const asked = mesh.effects.filter(
    ({ effect }) => effect.type === "send" && effect.message.type === "prepare",
  ).length;
  assert.ok(asked > 0 && asked <= 40, `asked ${asked} times in a minute`);
});

test("prepare at or below what was promised is answered with stale (rule 1)", () => {
  const { mesh, b, c } = trio();
  const term = mesh.at(b).standing.promised!;
  const message = { type: "prepare", term, handover: true, genesis: "g1" } as const;
  mesh.perform(b, mesh.at(b).receive(c, message, mesh.now));
  assert.deepEqual(mesh.kinds(), ["stale"]);
});

test("an idle primary that missed its replacement learns of it by what it still says (rule 1)", () => {
  const { mesh, a, b, c } = trio();
  const term = mesh.at(a).term!;
  const higher = { number: term.number + 1, process: c };
  const prepare = { type: "prepare", term: higher, handover: true, genesis: "g1" } as const;
  mesh.perform(b, mesh.at(b).receive(c, prepare, mesh.now));
  mesh.sent.length = 0;
  const digest = { type: "digest", term, position: 0, digest: 0, content: undefined } as const;
  mesh.perform(b, mesh.at(b).receive(a, digest, mesh.now));
  mesh.perform(b, mesh.at(b).receive(a, { type: "handover", term }, mesh.now));
  assert.deepEqual(mesh.kinds(), ["stale", "stale"]);
  mesh.deliver();
  assert.notEqual(mesh.at(a).serving, "primary");
});

test("a delta with a gap asks for a base, an old one is acknowledged (rule 3)", () => {
  const { mesh, a, b } = trio();
  mesh.commit(a, "x");
  mesh.commit(a, "y");
  const second = mesh.sent.filter(({ to }) => to === b)[1];
  assert.ok(second);
  mesh.sent.length = 0;
  mesh.perform(b, mesh.at(b).receive(a, second.message, mesh.now));
  assert.deepEqual(mesh.kinds(), ["need"]);
  mesh.deliver();
  assert.deepEqual(mesh.committed(b), ["x", "y"]);
  mesh.perform(b, mesh.at(b).receive(a, second.message, mesh.now));
  assert.deepEqual(mesh.kinds(), ["ack"]);
});

test("an owner that is proven dead is dropped, its next life joins anew (rules 8 and 13)", () => {
  const mesh = new Mesh(["a", "b"]);
  const a = mesh.start("a", "g1");
  mesh.start("b");
  mesh.look();
  mesh.pass(100);
  mesh.commit(a, "x");
  mesh.deliver();
  mesh.crash("b#1");
  mesh.commit(a, "y");
  mesh.pass(1000);
  assert.equal(mesh.at(a).serving, "degraded", "suspicion is no proof");
  mesh.start("b", undefined, 2);
  mesh.look();
  mesh.pass(3000);
  assert.deepEqual(mesh.at(a).owners?.processes, ["a#1", "b#2"]);
  assert.equal(mesh.at(a).serving, "primary");
  assert.deepEqual(mesh.committed("b#2"), ["x", "y"]);
});

test("the last owner leads on once an operator has declared the others gone (rule 8)", () => {
  const { mesh, a, b, c } = trio();
  mesh.crash(a);
  mesh.crash(b);
  mesh.pass(3000);
  assert.equal(mesh.at(c).serving, "degraded");
  mesh.gone.add(a);
  mesh.gone.add(b);
  mesh.look();
  mesh.pass(5000);
  assert.equal(mesh.at(c).serving, "primary");
});

test("who was removed while it was cut off asks others before the dead fill its majority (rule 8)", () => {
  // All owners that c knows have died since, one by one, and were replaced first: others lead.
  const { mesh, a, b, c } = trio();
  const cutOff = (process: string): void => {
    mesh.cuts.add(`${process}>${c}`).add(`${c}>${process}`);
  };
  const anew = (process: string, node: string): string => {
    mesh.crash(process);
    const next = mesh.start(node, undefined, 2);
    cutOff(next);
    mesh.look();
    mesh.pass(3000);
    return next;
  };
  for (const process of [a, b, mesh.start("d")]) cutOff(process);
  mesh.look();
  mesh.setTable(["a", "b", "d"]);
  mesh.pass(1000);
  mesh.commit(a, "x");
  mesh.deliver();
  assert.deepEqual(mesh.outcomes.get("x"), ok(2));
  const others = [anew(a, "a"), anew(b, "b"), "d#1"];
  const leader = others.find((process) => mesh.at(process).serving === "primary")!;
  const { term } = mesh.at(leader);
  // Its links are up, and nobody has said anything yet.
  for (const process of others.slice(0, 2)) {
    mesh.cuts.delete(`${process}>${c}`);
    mesh.cuts.delete(`${c}>${process}`);
  }
  mesh.look();
  mesh.pass(3000);
  assert.deepEqual(mesh.at(leader).term, term);
  assert.equal(mesh.at(c).serving, undefined);
  assert.deepEqual(mesh.committed(leader), ["x"]);
});

test("degraded service has its own writer, raises no term, and is merged (rules 15–18)", () => {
  const { mesh, a, b, c } = trio();
  mesh.commit(a, "before");
  mesh.deliver();
  mesh.cut(a, c);
  mesh.cut(b, c);
  mesh.pass(3000);
  assert.equal(mesh.at(c).serving, "degraded");
  assert.deepEqual(mesh.tip(c), ["before"]);
  const { promised } = mesh.at(c).standing;
  mesh.commit(c, "forked");
  assert.deepEqual(mesh.outcomes.get("forked"), ok(1, true));
  assert.deepEqual(mesh.committed(c), ["before"]);
  assert.deepEqual(mesh.at(c).standing.promised, promised);
  mesh.commit(a, "meanwhile");
  mesh.deliver();
  mesh.heal(a, c);
  mesh.heal(b, c);
  mesh.pass(2000);
  assert.equal(mesh.at(c).serving, undefined);
  assert.equal(mesh.at(c).forkCommits, 0);
  for (const process of [a, b, c]) {
    assert.deepEqual(mesh.committed(process), ["before", "forked", "meanwhile"]);
  }
});

test("a primary without a majority serves degraded from what is committed, and merges (rule 15)", () => {
  const { mesh, a, b, c } = trio();
  mesh.cut(a, b);
  mesh.cut(a, c);
  mesh.cut(b, c);
  mesh.commit(a, "waits");
  const reign = mesh.at(a).reign;
  mesh.pass(600);
  assert.equal(mesh.at(a).serving, "degraded");
  assert.notEqual(mesh.at(a).reign, reign);
  assert.deepEqual(mesh.tip(a), []);
  mesh.commit(a, "forked");
  mesh.heal(a, b);
  mesh.pass(3000);
  assert.deepEqual(mesh.committed(mesh.at(a).primary), ["forked", "waits"]);
});

test("of two births the smaller id wins, the other's copies are merged (rule 20)", () => {
  const mesh = new Mesh(["a", "b"]);
  const a = mesh.start("a", "g1");
  const b = mesh.start("b", "g2");
  mesh.cut(a, b);
  mesh.commit(a, "of a");
  mesh.commit(b, "of b");
  mesh.pass(100);
  mesh.heal(a, b);
  mesh.pass(3000);
  assert.equal(mesh.at(b).role, "follower");
  assert.deepEqual(mesh.committed(a), ["of a", "of b"]);
  assert.deepEqual(mesh.committed(b), ["of a", "of b"]);
  assert.equal(mesh.at(b).forkCommits, 0);
});

test("what a process did without a majority of another birth comes with what it did it to (rule 20)", () => {
  const mesh = new Mesh(["b", "c", "a"]);
  const a = mesh.start("a", "g1");
  const b = mesh.start("b", "g2");
  const c = mesh.start("c");
  for (const other of [b, c]) mesh.cuts.add(`${a}>${other}`).add(`${other}>${a}`);
  mesh.look();
  mesh.pass(100);
  mesh.commit(b, "of b");
  mesh.deliver();
  mesh.pass(100);
  assert.deepEqual(mesh.committed(c), ["of b"]);
  mesh.cut(b, c);
  mesh.pass(6000);
  assert.equal(mesh.at(c).serving, "degraded");
  mesh.commit(c, "forked");
  mesh.heal(a, c);
  mesh.pass(3000);
  assert.deepEqual(mesh.committed(a), ["forked", "of b"]);
  const refused = mesh.effects.filter(({ effect }) => effect.type === "fork-refused");
  assert.deepEqual(refused, []);
});

test("the first owner of the table gets the role back 30 s after it joined (rule 11)", () => {
  const { mesh, a, b } = trio();
  mesh.commit(a, "x");
  mesh.deliver();
  mesh.crash(a);
  mesh.pass(1000);
  assert.equal(mesh.at(b).role, "primary");
  const home = mesh.start("a", undefined, 2);
  mesh.look();
  mesh.pass(timing.homeAfterMs - 5000, 100);
  assert.equal(mesh.at(b).role, "primary");
  mesh.pass(10_000, 100);
  assert.equal(mesh.at(home).serving, "primary");
  assert.deepEqual(mesh.committed(home), ["x"]);
});

test("while tables differ the role of an empty partition does not go to and fro (rule 11)", () => {
  const { mesh, a, b } = trio();
  const learn = (process: string, table: readonly string[]): void => {
    mesh.perform(process, mesh.at(process).tableChanged(table, mesh.now));
    mesh.deliver();
  };
  learn(a, ["b", "c", "a"]);
  learn(b, ["a", "b", "c"]);
  mesh.pass(timing.homeAfterMs - 1000, 50);
  assert.equal(mesh.at(b).serving, "primary");
  const { term } = mesh.at(b);
  assert.equal(term?.number, 2);
  // Should the giver's table be the one that was wrong, it gets the role back all the same.
  mesh.pass(5000, 50);
  assert.equal(mesh.at(a).serving, "primary");
});

test("a leaving node hands over at once, and no answer is lost (rule 11)", () => {
  const { mesh, a, b } = trio();
  mesh.commit(a, "x");
  mesh.perform(a, mesh.at(a).handOver(mesh.now));
  assert.equal(mesh.at(a).serving, undefined);
  assert.equal(mesh.at(a).isHandingOver, true);
  mesh.deliver();
  assert.deepEqual(mesh.outcomes.get("x"), ok(2));
  mesh.pass(100);
  assert.equal(mesh.at(b).serving, "primary");
  assert.deepEqual(mesh.committed(b), ["x"]);
});

test("a handover that nobody answers changes nothing (rule 11)", () => {
  const { mesh, a } = trio();
  const { term } = mesh.at(a);
  mesh.perform(a, mesh.at(a).handOver(mesh.now));
  mesh.sent.length = 0;
  mesh.now += 600;
  mesh.perform(a, mesh.at(a).tick(mesh.now));
  assert.equal(mesh.at(a).serving, "primary");
  assert.deepEqual(mesh.at(a).term, term);
});

test("who takes a deposed primary for the primary is told by it who leads", () => {
  const { mesh, a, b, c } = trio();
  mesh.commit(a, "x");
  mesh.deliver();
  mesh.cut(b, c);
  mesh.setTable(["b", "a", "c"]);
  mesh.pass(timing.homeAfterMs + 5000, 100);
  assert.equal(mesh.at(b).role, "primary");
  assert.equal(mesh.at(a).primary, b);
  assert.equal(mesh.at(c).primary, a, "b could not tell it");
  for (let round = 0; round < 2; round++) {
    mesh.perform(c, mesh.at(c).compareCopies());
    mesh.deliver();
  }
  assert.equal(mesh.at(c).primary, b);
});

test("copies that differ at one position are found and replaced (anti-entropy)", () => {
  const { mesh, a, b } = trio();
  mesh.commit(a, "x");
  mesh.deliver();
  mesh.at(b).committedEntity(entity)?.commits.clear();
  mesh.perform(a, mesh.at(a).compareCopies());
  mesh.deliver();
  assert.ok(mesh.effects.some(({ effect }) => effect.type === "diverged"));
  assert.deepEqual(mesh.committed(b), ["x"]);
});

test("contents that differ under equal digests are found within as many rounds as there are shares", () => {
  const { mesh, a, b } = trio();
  mesh.commit(a, "x");
  mesh.deliver();
  const commits = mesh.at(b).committedEntity(entity)!.commits;
  const id = [...commits.keys()][0]!;
  const damage = (): void => void commits.set(id, "something else");
  damage();
  mesh.perform(a, mesh.at(a).compareCopies());
  mesh.deliver();
  assert.deepEqual(mesh.committed(b), ["something else"], "digests alone do not see it");
  const found = (): number =>
    mesh.effects.filter(({ effect }) => effect.type === "diverged").length;
  for (let round = 1; round <= limits.contentShares; round++) {
    mesh.perform(a, mesh.at(a).compareCopies(round));
    mesh.deliver();
  }
  assert.equal(found(), 1);
  assert.deepEqual(mesh.committed(b), ["x"]);
});

test("a replaced owner set still has a say until its replacement is committed", () => {
  // a removes c for d; only b hears of it. If {a, b} of {a, b, d} were enough for an answer, c and d,
  // half of the old four, could take over beside it once a is proven dead.
  const { mesh, a, b, c } = trio();
  const d = mesh.start("d");
  mesh.look();
  mesh.table = ["a", "b", "d"];
  mesh.perform(a, mesh.at(a).tableChanged(mesh.table, mesh.now));
  const removal = ({ message, to }: { message: { type: string }; to: string }): boolean => {
    const owners = message.type === "delta" && "owners" in message ? message.owners : undefined;
    const processes = (owners as { processes?: readonly string[] } | undefined)?.processes;
    return processes?.includes(c) === false && to !== b;
  };
  let isCut = false;
  mesh.deliver((sent) => {
    if (removal(sent)) isCut = true;
    return !(isCut && sent.from === a && sent.to !== b);
  });
  assert.ok(isCut);
  mesh.commit(a, "x");
  mesh.deliver(({ from, to }) => !(from === a && to !== b));
  assert.equal(
    mesh.outcomes.has("x"),
    false,
    "two of the next three, but not three of the old four",
  );
  mesh.pass(5000);
  assert.deepEqual(mesh.outcomes.get("x"), ok(2), "b, and c of the old four");
  assert.deepEqual(mesh.committed(d), ["x"]);
});
