import assert from "node:assert/strict";
import { test } from "node:test";
import { crdt } from "../../src/definition/kinds.ts";
import { Draft } from "../../src/state/draft.ts";
import { Entity } from "../../src/state/entity.ts";
import { plainOf } from "../../src/state/plain.ts";
import { viewOf } from "../../src/state/view.ts";

const shape = {
  counter: crdt.counter(),
  register: crdt.register<{ readonly list: readonly number[] } | null>(null),
  bytes: crdt.register(new Uint8Array(0)),
  most: crdt.max(),
  settings: crdt.map<string>(),
  lines: crdt.map(crdt.counter()),
};

function draftOf(entity: Entity, writer = 1): Draft<typeof shape> {
  return new Draft({ entity, shape, writer, hybridTime: entity.hybridTime + 1 });
}

test("a turn sees its own changes and the entity sees none before the commit is applied", () => {
  const entity = Entity.create("f/k");
  const draft = draftOf(entity);
  const { counter, lines } = draft.live;
  counter.add(2);
  lines.at("a").add(1);
  assert.equal(counter.value, 2);
  assert.deepEqual([...lines.entries()], [["a", 1]]);
  assert.equal(draft.view.counter.value, 2);
  assert.deepEqual(plainOf(entity, shape).lines, {});
  const commit = draft.finish()!;
  assert.equal(entity.sequenceOf(1), 0);
  assert.equal(entity.apply(commit), true);
  assert.deepEqual(plainOf(entity, shape).lines, { a: 1 });
});

test("a turn that changes nothing makes no commit", () => {
  const entity = Entity.create("f/k");
  const draft = draftOf(entity);
  draft.live.counter.add(0);
  draft.live.lines.at("a").add(2);
  draft.live.lines.at("a").add(-2);
  draft.live.lines.delete("b");
  draft.live.settings.clear();
  assert.equal(draft.finish(), undefined);
});

test("fields are seen where they are named, and nowhere else", () => {
  const { live, view } = draftOf(Entity.create("f/k"));
  for (const state of [live, view]) {
    const { counter, ...rest } = state;
    assert.equal(counter.value, 0);
    assert.deepEqual([Object.keys(state), { ...state }, rest], [[], {}, {}]);
  }
});

test("commits of one writer are numbered on from what the entity holds", () => {
  const entity = Entity.create("f/k");
  for (const expected of [1, 2, 3]) {
    const draft = draftOf(entity);
    draft.live.counter.add(1);
    const commit = draft.finish()!;
    assert.equal(commit.sequence, expected);
    entity.apply(commit);
  }
});

test("deleting while iterating visits every key once", () => {
  const entity = Entity.create("f/k");
  const first = draftOf(entity);
  for (const key of ["a", "b", "c"]) first.live.lines.at(key).add(1);
  entity.apply(first.finish()!);
  const draft = draftOf(entity);
  const seen: string[] = [];
  for (const [key] of draft.live.lines.entries()) {
    seen.push(key);
    draft.live.lines.delete(key);
  }
  assert.deepEqual(seen, ["a", "b", "c"]);
  assert.equal(draft.live.lines.size, 0);
});

test("a revoked draft throws from every handle", () => {
  const draft = draftOf(Entity.create("f/k"));
  const { live } = draft;
  const { counter, lines, settings, most } = live;
  const line = lines.at("a");
  draft.revoke();
  const cancelled = { code: "cancelled" };
  assert.throws(() => counter.add(1), cancelled);
  assert.throws(() => counter.value, cancelled);
  assert.throws(() => line.add(1), cancelled);
  assert.throws(() => lines.at("b"), cancelled);
  assert.throws(() => lines.size, cancelled);
  assert.throws(() => [...settings.entries()], cancelled);
  assert.throws(() => settings.set("a", "b"), cancelled);
  assert.throws(() => most.observe(1), cancelled);
  assert.throws(() => live.counter, cancelled);
  assert.throws(() => draft.finish(), cancelled);
  assert.throws(() => draft.delete(), cancelled);
  assert.throws(() => draft.forgetCaller("c"), cancelled);
});

test("a finished draft cannot be used any more", () => {
  const draft = draftOf(Entity.create("f/k"));
  const { counter } = draft.live;
  counter.add(1);
  assert.ok(draft.finish());
  assert.throws(() => counter.add(1), { code: "cancelled" });
});

test("writing through a view is refused", () => {
  const view = viewOf(Entity.create("f/k"), shape) as unknown as Draft<typeof shape>["live"];
  const refused = { code: "failed_precondition", message: /queries cannot write/ };
  assert.throws(() => view.counter.add(1), refused);
  assert.throws(() => view.register.set(null), refused);
  assert.throws(() => view.lines.at("a").add(1), refused);
  assert.throws(() => view.lines.clear(), refused);
});

test("reserved and overlong keys are refused", () => {
  const { live } = draftOf(Entity.create("f/k"));
  for (const key of ["__proto__", "constructor", "prototype", "ü".repeat(257), ""]) {
    assert.throws(() => live.settings.set(key, "x"), { code: "invalid_argument" });
    assert.throws(() => live.lines.at(key), { code: "invalid_argument" });
  }
  live.settings.set("ü".repeat(256), "x");
});

test("what is no value is refused by its path", () => {
  const { live } = draftOf(Entity.create("f/k"));
  const set = live.register.set.bind(live.register) as (value: unknown) => void;
  assert.throws(() => set(new Set()), { code: "invalid_argument", message: /register.*Set/ });
  assert.throws(() => set({ list: [1n] }), { message: /register\.list\[0\]/ });
  for (const by of [Number.NaN, Infinity, "1" as unknown as number]) {
    assert.throws(() => live.counter.add(by), { code: "invalid_argument" });
    assert.throws(() => live.most.observe(by), { code: "invalid_argument" });
  }
});

test("nobody can change state through a value that he gave or got", () => {
  const entity = Entity.create("f/k");
  const draft = draftOf(entity);
  const list = [1, 2];
  const given = Uint8Array.of(1);
  draft.live.register.set({ list });
  draft.live.bytes.set(given);
  list.push(3);
  given[0] = 9;
  const commit = draft.finish()!;
  entity.apply(commit);
  const other = Entity.decode("f/k", entity.encode());
  for (const copy of [entity, other]) {
    const view = viewOf(copy, shape);
    const got = view.register.value as { list: number[] };
    assert.deepEqual(got, { list: [1, 2] });
    assert.throws(() => got.list.push(4), TypeError);
    view.bytes.value[0] = 7;
    assert.deepEqual(view.bytes.value, Uint8Array.of(1));
  }
});

test("an entity takes 1 MiB of scalars and no more", () => {
  const entity = Entity.create("f/k");
  const text = "x".repeat(300 * 1024);
  for (const key of ["a", "b", "c"]) {
    const draft = draftOf(entity);
    draft.live.settings.set(key, text);
    entity.apply(draft.finish()!);
  }
  const tooMuch = draftOf(entity);
  tooMuch.live.settings.set("d", text);
  assert.throws(() => tooMuch.finish(), { code: "too_large", message: /f\/k.*spread it/ });
  assert.equal(entity.sequenceOf(1), 3);
  const replacing = draftOf(entity);
  replacing.live.settings.set("a", text);
  assert.ok(replacing.finish());
  const atOnce = draftOf(Entity.create("f/k"));
  assert.throws(
    () => {
      for (let key = 0; key < 5; key += 1) atOnce.live.settings.set(`k${String(key)}`, text);
    },
    { code: "too_large" },
  );
});

test("the time of expiry is the last one set and goes with a delete", () => {
  const entity = Entity.create("f/k");
  const first = draftOf(entity);
  first.expireAt = 5_000;
  first.live.counter.add(1);
  assert.equal(first.expireAt, 5_000);
  entity.apply(first.finish()!);
  assert.equal(entity.expireAt, 5_000);
  const second = draftOf(entity);
  second.expireAt = 3_000;
  entity.apply(second.finish()!);
  assert.equal(Entity.decode("f/k", entity.encode()).expireAt, 3_000);
  const third = draftOf(entity);
  third.expireAt = undefined;
  entity.apply(third.finish()!);
  assert.equal(entity.expireAt, undefined);
  const fourth = draftOf(entity);
  fourth.expireAt = 9_000;
  entity.apply(fourth.finish()!);
  const last = draftOf(entity);
  last.delete();
  entity.apply(last.finish()!);
  assert.equal(entity.expireAt, undefined);
});

test("a commit is encoded once", () => {
  const entity = Entity.create("f/k");
  const draft = draftOf(entity);
  draft.live.counter.add(1);
  const commit = draft.finish()!;
  assert.equal(commit.delta, commit.delta);
});
