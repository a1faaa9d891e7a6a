import assert from "node:assert/strict";
import { test } from "node:test";
import { crdt } from "../../src/definition/kinds.ts";
import { Draft } from "../../src/state/draft.ts";
import { Entity } from "../../src/state/entity.ts";
import { plainOf } from "../../src/state/plain.ts";
import { viewOf } from "../../src/state/view.ts";
import { loadYjs } from "../../src/state/yjs.ts";

const shape = { title: crdt.text(), body: crdt.text(), edits: crdt.counter() };

let time = 0;

function draftOf(entity: Entity, writer: number): Draft<typeof shape> {
  time += 1;
  return new Draft({ entity, shape, writer, hybridTime: time });
}

function turn(
  entity: Entity,
  writer: number,
  run: (draft: Draft<typeof shape>) => void,
): Uint8Array {
  const draft = draftOf(entity, writer);
  run(draft);
  const commit = draft.finish()!;
  entity.apply(commit);
  return commit.delta;
}

test("an empty text needs no Yjs, a written one says what to do without it", () => {
  const entity = Entity.create("doc/one");
  assert.equal(plainOf(entity, shape).body, "");
  assert.throws(() => draftOf(entity, 1).live.body.insert(0, "x"), {
    code: "failed_precondition",
    message: /loadYjs/,
  });
});

// Everything below needs Yjs.
test("documents", async (t) => {
  await loadYjs();
  const big = Number.MAX_SAFE_INTEGER - 1;

  await t.test("edits of both sides of a split are in the merged text", () => {
    const left = Entity.create("doc/one");
    turn(left, big, ({ live }) => live.body.insert(0, "hello world"));
    const right = Entity.decode("doc/one", left.encode());
    turn(left, big, ({ live }) => live.body.insert(5, ", dear"));
    turn(right, big - 2 ** 32, ({ live }) => live.body.delete(0, 1));
    turn(right, big - 2 ** 32, ({ live }) => live.body.insert(0, "H"));
    left.merge(right);
    right.merge(left);
    assert.equal(plainOf(left, shape).body, "Hello, dear world");
    assert.equal(plainOf(right, shape).body, "Hello, dear world");
    assert.equal(left.contentHash(), right.contentHash());
  });

  await t.test("a turn sees its own edits, others do not before they are committed", () => {
    const entity = Entity.create("doc/one");
    turn(entity, 1, ({ live }) => live.body.insert(0, "one"));
    const draft = draftOf(entity, 1);
    draft.live.body.insert(3, " two");
    assert.equal(draft.live.body.toString(), "one two");
    assert.equal(draft.live.body.length, 7);
    assert.equal(viewOf(entity, shape).body.toString(), "one");
    entity.apply(draft.finish()!);
    assert.equal(viewOf(entity, shape).body.toString(), "one two");
  });

  await t.test("a dropped turn leaves no edit and does not use up numbers", () => {
    const entity = Entity.create("doc/one");
    turn(entity, 1, ({ live }) => live.body.insert(0, "one"));
    draftOf(entity, 1).live.body.insert(0, "lost");
    turn(entity, 1, ({ live }) => live.body.insert(3, "!"));
    const copy = Entity.decode("doc/one", entity.encode());
    assert.equal(plainOf(copy, shape).body, "one!");
  });

  await t.test("a document that changed during a turn keeps both changes", () => {
    const entity = Entity.create("doc/one");
    turn(entity, 1, ({ live }) => live.body.insert(0, "base"));
    const fork = entity.clone();
    const draft = draftOf(entity, 1);
    draft.live.body.insert(4, " mine");
    turn(fork, 2, ({ live }) => live.body.insert(0, "theirs "));
    entity.merge(fork);
    entity.apply(draft.finish()!);
    assert.equal(plainOf(entity, shape).body, "theirs base mine");
    assert.equal(
      plainOf(Entity.decode("doc/one", entity.encode()), shape).body,
      "theirs base mine",
    );
  });

  await t.test("an owner keeps appended bytes and reads the same after many changes", () => {
    const primary = Entity.create("doc/one");
    const backup = Entity.create("doc/one");
    let expected = "";
    for (let count = 0; count < 150; count += 1) {
      const draft = draftOf(primary, 7);
      draft.live.body.insert(count, "x");
      if (count % 10 === 9) draft.live.title.insert(0, "y");
      const commit = draft.finish()!;
      expected += "x";
      primary.apply(commit);
      const { entity, writer, sequence, delta } = commit;
      backup.apply({ entity, writer, sequence, delta });
    }
    assert.ok(backup.documents.updates.length <= 65);
    assert.deepEqual(plainOf(backup, shape), plainOf(primary, shape));
    assert.equal(plainOf(backup, shape).body, expected);
    assert.equal(backup.contentHash(), primary.contentHash());
    primary.passivate();
    assert.equal(plainOf(primary, shape).body, expected);
  });

  await t.test("a change does not carry the deletes of the document's whole life", () => {
    const entity = Entity.create("doc/one");
    turn(entity, 1, ({ live }) => live.body.insert(0, "a".repeat(2_000)));
    turn(entity, 2, ({ live }) => {
      for (let index = 0; index < 900; index += 1) live.body.delete(index, 1);
    });
    const delta = turn(entity, 1, ({ live }) => live.body.insert(0, "b"));
    assert.ok(delta.length < 100, `${String(delta.length)} bytes`);
  });

  await t.test("a delete starts an empty document", () => {
    const entity = Entity.create("doc/one");
    turn(entity, 1, ({ live }) => live.body.insert(0, "old"));
    turn(entity, 1, (draft) => {
      draft.live.body.insert(0, "lost");
      draft.delete();
      assert.equal(draft.live.body.toString(), "");
      draft.live.body.insert(0, "new");
    });
    assert.equal(plainOf(entity, shape).body, "new");
    const copy = Entity.decode("doc/one", entity.encode());
    assert.equal(plainOf(copy, shape).body, "new");
    assert.equal(entity.contentHash(), copy.contentHash());
  });

  await t.test("a place outside of the text is refused", () => {
    const { live } = draftOf(Entity.create("doc/one"), 1);
    live.body.insert(0, "abc");
    const refused = { code: "invalid_argument", message: /body: / };
    for (const index of [-1, 4, 0.5, Number.NaN]) {
      assert.throws(() => live.body.insert(index, "x"), refused);
    }
    assert.throws(() => live.body.delete(2, 2), refused);
    assert.throws(() => live.body.insert(0, 5 as unknown as string), refused);
    assert.equal(live.body.toString(), "abc");
  });
});
