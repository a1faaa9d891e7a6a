import assert from "node:assert/strict";
import { test } from "node:test";
import { Draft } from "../../src/state/draft.ts";
import { Entity } from "../../src/state/entity.ts";
import { failedSendsMax } from "../../src/state/failed-sends.ts";
import { sendsMax } from "../../src/state/outbox.ts";

let time = 0;

function turn(entity: Entity, writer: number, run: (draft: Draft) => void): void {
  time += 1;
  const draft = new Draft({ entity, shape: {}, writer, hybridTime: time });
  run(draft);
  const commit = draft.finish();
  if (commit !== undefined) entity.apply(commit);
}

function target(key: string, bytes = 1) {
  return { functionName: "shop", key, operation: "sell", input: new Uint8Array(bytes) };
}

test("sent calls wait in order, with rising numbers, until they are confirmed", () => {
  const entity = Entity.create("f/k");
  turn(entity, 1, (draft) => {
    draft.send(target("a"));
    draft.send(target("b"));
  });
  turn(entity, 1, (draft) => draft.send(target("c")));
  const copy = Entity.decode("f/k", entity.encode());
  assert.deepEqual(
    copy.outbox.entries.map((entry) => entry.key),
    ["a", "b", "c"],
  );
  const numbers = copy.outbox.entries.map((entry) => entry.number);
  assert.deepEqual(
    numbers,
    numbers.toSorted((a, b) => a - b),
  );
  assert.equal(new Set(numbers).size, 3);
  turn(copy, 2, (draft) => draft.confirmSent(copy.outbox.entries.slice(0, 2)));
  assert.deepEqual(
    copy.outbox.entries.map((entry) => entry.key),
    ["c"],
  );
  turn(copy, 1, (draft) => draft.send(target("d")));
  assert.ok(copy.outbox.entries[1]!.number > numbers[2]!);
});

test("what was sent outlives a delete of the entity, sent before it or in the same turn", () => {
  const entity = Entity.create("f/k");
  turn(entity, 1, (draft) => {
    draft.send(target("before"));
  });
  turn(entity, 1, (draft) => {
    draft.send(target("beside"));
    draft.delete();
  });
  assert.ok(entity.dead);
  assert.deepEqual(
    entity.outbox.entries.map((entry) => entry.key),
    ["before", "beside"],
  );
});

test("merging forks keeps both sides' calls and what either side has confirmed stays confirmed", () => {
  const left = Entity.create("f/k");
  turn(left, 1, (draft) => draft.send(target("shared")));
  const right = left.clone();
  turn(left, 1, (draft) => draft.confirmSent(left.outbox.entries));
  turn(left, 1, (draft) => draft.send(target("left")));
  turn(right, 2, (draft) => draft.send(target("right")));
  left.merge(right);
  right.merge(left);
  assert.deepEqual(
    left.outbox.entries.map((entry) => entry.key),
    ["left", "right"],
  );
  assert.deepEqual(right.outbox.entries, left.outbox.entries);
});

test("a full outbox refuses the turn", () => {
  const entity = Entity.create("f/k");
  const refused = { code: "overloaded" };
  turn(entity, 1, (draft) => {
    for (let count = 0; count < sendsMax; count += 1) draft.send(target("a"));
    assert.throws(() => draft.send(target("a")), refused);
  });
  assert.equal(entity.outbox.entries.length, sendsMax);
  assert.throws(() => turn(entity, 1, (draft) => draft.send(target("a"))), refused);
  const other = Entity.create("f/k");
  assert.throws(() => turn(other, 1, (draft) => draft.send(target("a", 64 * 1024))), refused);
});

test("finally refused calls are kept for inspection, the newest 128 of them", () => {
  const entity = Entity.create("f/k");
  for (let count = 0; count < failedSendsMax + 5; count += 1) {
    turn(entity, 1, (draft) => draft.send(target(String(count))));
    turn(entity, 1, (draft) => {
      draft.failSent(entity.outbox.entries[0]!, { code: "not_found", message: "no such shop" });
    });
  }
  const { failed, entries } = Entity.decode("f/k", entity.encode()).outbox;
  assert.equal(entries.length, 0);
  assert.equal(failed.length, failedSendsMax);
  assert.equal(failed[0]!.key, "5");
  assert.equal(failed.at(-1)!.code, "not_found");
});
