import assert from "node:assert/strict";
import { test } from "node:test";
import { crdt } from "../../src/definition/kinds.ts";
import type { Live, MapKind, Shape } from "../../src/definition/kinds.ts";
import { Draft } from "../../src/state/draft.ts";
import { Entity } from "../../src/state/entity.ts";
import { plainOf } from "../../src/state/plain.ts";
import { viewOf } from "../../src/state/view.ts";

const shape = {
  counter: crdt.counter(),
  most: crdt.max(),
  least: crdt.min(),
  register: crdt.register("none"),
  flag: crdt.flag(),
  stop: crdt.flag({ wins: "disable" }),
  tags: crdt.set<string | { readonly a: number; readonly b: number }>(),
  settings: crdt.map<string>(),
  lines: crdt.map(crdt.counter()),
  deep: crdt.map(crdt.map(crdt.set<number>())),
  peaks: crdt.map(crdt.max()),
};

let time = 0;

function turn(entity: Entity, writer: number, run: (live: Live<typeof shape>) => void): void {
  time += 1;
  const draft = new Draft({ entity, shape, writer, hybridTime: time });
  run(draft.live);
  const commit = draft.finish();
  if (commit !== undefined) entity.apply(commit);
}

/** Two copies of what `run` made. */
function twins(run: (live: Live<typeof shape>) => void): [Entity, Entity] {
  const entity = Entity.create("f/k");
  turn(entity, 1, run);
  return [entity, entity.clone()];
}

function merged(a: Entity, b: Entity): ReturnType<typeof plainOf<typeof shape>> {
  a.merge(b);
  b.merge(a);
  assert.equal(a.contentHash(), b.contentHash());
  assert.deepEqual(plainOf(a, shape), plainOf(b, shape));
  return plainOf(a, shape);
}

test("fields that were never written read as the initial value of their kind", () => {
  const plain = plainOf(Entity.create("f/k"), shape);
  assert.deepEqual(plain, {
    counter: 0,
    register: "none",
    flag: false,
    stop: false,
    tags: [],
    settings: {},
    lines: {},
    deep: {},
    peaks: {},
  });
  const view = viewOf(Entity.create("f/k"), shape);
  assert.equal(view.most.value, undefined);
  assert.equal(view.lines.get("a"), undefined);
  assert.equal(view.tags.size, 0);
});

test("a counter sums what all writers added, fractions too", () => {
  const [a, b] = twins((live) => live.counter.add(0.5));
  turn(a, 1, (live) => live.counter.add(2));
  turn(b, 2, (live) => live.counter.add(-4.25));
  assert.equal(merged(a, b).counter, -1.75);
});

test("a counter stays within the finite numbers", () => {
  const [a, b] = twins((live) => live.counter.add(Number.MAX_VALUE));
  turn(b, 2, (live) => live.counter.add(-1));
  turn(a, 3, (live) => live.counter.add(-1));
  assert.ok(Number.isFinite(merged(a, b).counter));
  assert.throws(() => turn(a, 1, (live) => live.counter.add(Number.MAX_VALUE)), {
    code: "invalid_argument",
  });
});

test("max and min keep the largest and smallest that anybody observed", () => {
  const [a, b] = twins((live) => live.most.observe(3));
  turn(a, 1, (live) => live.most.observe(9));
  turn(b, 2, (live) => live.most.observe(7));
  turn(a, 1, (live) => live.least.observe(-1));
  turn(b, 2, (live) => live.least.observe(4));
  const plain = merged(a, b);
  assert.equal(plain.most, 9);
  assert.equal(plain.least, -1);
});

test("an observation that is not beyond the extreme makes no commit", () => {
  const [a] = twins((live) => live.most.observe(3));
  turn(a, 1, (live) => live.most.observe(2));
  assert.equal(a.sequenceOf(1), 1);
});

test("of concurrent writes of a register the later wins, and at one time the higher writer", () => {
  const [a, b] = twins((live) => live.register.set("first"));
  turn(a, 9, (live) => live.register.set("earlier"));
  turn(b, 2, (live) => live.register.set("later"));
  assert.equal(merged(a, b).register, "later");
  const [c, d] = twins((live) => live.register.set("first"));
  for (const [entity, writer] of [
    [c, 3],
    [d, 4],
  ] as const) {
    const draft = new Draft({ entity, shape, writer, hybridTime: 1_000_000 });
    draft.live.register.set(`by ${String(writer)}`);
    entity.apply(draft.finish()!);
  }
  assert.equal(merged(c, d).register, "by 4");
});

test("a write that has seen another supersedes it even with an older clock", () => {
  const [a] = twins((live) => live.register.set("first"));
  const draft = new Draft({ entity: a, shape, writer: 2, hybridTime: 0 });
  draft.live.register.set("second");
  a.apply(draft.finish()!);
  assert.equal(plainOf(a, shape).register, "second");
});

test("enable wins in one kind of flag and disable in the other", () => {
  const [a, b] = twins((live) => {
    live.flag.enable();
    live.stop.enable();
  });
  turn(a, 1, (live) => {
    live.flag.enable();
    live.stop.enable();
  });
  turn(b, 2, (live) => {
    live.flag.disable();
    live.stop.disable();
  });
  const plain = merged(a, b);
  assert.equal(plain.flag, true);
  assert.equal(plain.stop, false);
});

test("an element added on one side and removed on the other stays", () => {
  const [a, b] = twins((live) => {
    live.tags.add("kept");
    live.tags.add("gone");
  });
  turn(a, 1, (live) => live.tags.clear());
  turn(b, 2, (live) => live.tags.add("kept"));
  assert.deepEqual(merged(a, b).tags, ["kept"]);
});

test("set elements are the same when their values are, whatever the order of properties", () => {
  const [a] = twins((live) => {
    live.tags.add({ a: 1, b: 2 });
    live.tags.add({ b: 2, a: 1 });
    assert.equal(live.tags.size, 1);
    assert.ok(live.tags.has({ b: 2, a: 1 }));
  });
  turn(a, 1, (live) => live.tags.delete({ b: 2, a: 1 }));
  assert.deepEqual(plainOf(a, shape).tags, []);
  assert.equal(a.contents.bytes, 0);
});

test("a counter increment survives the concurrent delete of its key, what was seen does not", () => {
  const [a, b] = twins((live) => live.lines.at("tea").add(5));
  turn(a, 1, (live) => live.lines.at("tea").add(2));
  turn(b, 2, (live) => live.lines.delete("tea"));
  assert.deepEqual(merged(a, b).lines, { tea: 2 });
});

test("a deleted counter begins at zero", () => {
  const [a] = twins((live) => live.lines.at("tea").add(5));
  turn(a, 1, (live) => {
    live.lines.delete("tea");
    assert.equal(live.lines.has("tea"), false);
    live.lines.at("tea").add(1);
    assert.equal(live.lines.get("tea"), 1);
  });
  assert.deepEqual(plainOf(a, shape).lines, { tea: 1 });
});

test("a delete by the only writer leaves nothing behind", () => {
  const [a] = twins((live) => {
    for (let key = 0; key < 50; key += 1) live.lines.at(`k${String(key)}`).add(1);
    live.deep.at("x").at("y").add(1);
    live.peaks.at("x").observe(1);
  });
  turn(a, 1, (live) => {
    live.lines.clear();
    live.deep.at("x").delete("y");
    live.peaks.delete("x");
  });
  assert.equal(a.contents.bytes, 0);
  assert.equal(a.contents.fieldCount, 0);
});

test("the tombstone of a counter goes once its writer has seen the delete and goes on", () => {
  const [a, b] = twins((live) => live.lines.at("tea").add(5));
  turn(b, 2, (live) => live.lines.delete("tea"));
  a.merge(b);
  assert.deepEqual(plainOf(a, shape).lines, {});
  const withTombstone = a.contents.bytes;
  turn(a, 1, (live) => live.lines.at("tea").add(3));
  assert.equal(a.contents.bytes, withTombstone);
  assert.deepEqual(plainOf(a, shape).lines, { tea: 3 });
  turn(a, 1, (live) => live.lines.clear());
  assert.equal(a.contents.bytes, 0);
});

test("a removal that comes before what it removes waits for it", () => {
  const [a, b] = twins((live) => live.lines.at("tea").add(5));
  turn(a, 1, (live) => live.lines.at("tea").add(4));
  const late = a.clone();
  b.merge(a);
  const draft = new Draft({ entity: b, shape, writer: 2, hybridTime: 500 });
  draft.live.lines.delete("tea");
  const removal = draft.finish()!;
  const fresh = Entity.create("f/k");
  fresh.apply(removal);
  assert.deepEqual(plainOf(fresh, shape).lines, {});
  assert.ok(fresh.includes(2, 1));
  fresh.merge(late);
  assert.deepEqual(plainOf(fresh, shape).lines, {});
  late.apply(removal);
  assert.equal(fresh.contentHash(), late.contentHash());
});

test("commits of one writer that come out of order are held until the gap is closed", () => {
  const entity = Entity.create("f/k");
  const commits = [1, 2, 3].map((by) => {
    time += 1;
    const draft = new Draft({ entity, shape, writer: 1, hybridTime: time });
    draft.live.counter.add(by);
    const commit = draft.finish()!;
    entity.apply(commit);
    return commit;
  });
  const other = Entity.create("f/k");
  assert.equal(other.apply(commits[2]!), true);
  assert.equal(other.apply(commits[2]!), false);
  assert.equal(other.includes(1, 3), false);
  assert.equal(plainOf(other, shape).counter, 0);
  assert.equal(other.apply(commits[0]!), true);
  assert.equal(other.apply(commits[1]!), true);
  assert.equal(plainOf(other, shape).counter, 6);
  assert.equal(other.apply(commits[1]!), false);
  assert.equal(other.digest, entity.digest);
});

test("a delete beats what is concurrent with it, and the next generation begins empty", () => {
  const [a, b] = twins((live) => live.counter.add(5));
  turn(b, 2, (live) => live.counter.add(7));
  const draft = new Draft({ entity: a, shape, writer: 1, hybridTime: 100 });
  draft.delete();
  assert.equal(draft.live.counter.value, 0);
  a.apply(draft.finish()!);
  assert.ok(a.dead);
  assert.equal(merged(a, b).counter, 0);
  assert.ok(b.dead);
  turn(a, 1, (live) => live.counter.add(1));
  assert.deepEqual([a.generation, a.dead], [1, false]);
  assert.equal(merged(a, b).counter, 1);
});

test("what a turn writes after deleting belongs to the next generation", () => {
  const [a] = twins((live) => live.tags.add("old"));
  const draft = new Draft({ entity: a, shape, writer: 1, hybridTime: 100 });
  draft.live.tags.add("lost");
  draft.delete();
  assert.deepEqual([...draft.live.tags.values()], []);
  draft.live.tags.add("new");
  a.apply(draft.finish()!);
  assert.deepEqual(plainOf(a, shape).tags, ["new"]);
  assert.deepEqual([a.generation, a.dead], [1, false]);
});

test("a field whose kind changed does not meet what it was before", () => {
  const before: Shape = { total: crdt.counter() };
  const after = { total: crdt.register(7) };
  const entity = Entity.create("f/k");
  const draft = new Draft({ entity, shape: before, writer: 1, hybridTime: 1 });
  (draft.live as { total: { add(by: number): void } }).total.add(3);
  entity.apply(draft.finish()!);
  assert.deepEqual(plainOf(entity, after), { total: 7 });
  assert.deepEqual(plainOf(entity, before), { total: 3 });
});

test("a map of texts is refused with advice", () => {
  const texts = { pages: { kind: "map", of: crdt.text() } as MapKind<unknown, string> };
  assert.throws(() => viewOf(Entity.create("f/k"), texts), {
    code: "invalid_argument",
    message: /pages: a map cannot hold texts/,
  });
});
