/** When an entity may be forgotten, and how one of the same name begins anew. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { crdt } from "../../src/definition/kinds.ts";
import { StateCommit } from "../../src/state/commit.ts";
import { Draft } from "../../src/state/draft.ts";
import { Entity } from "../../src/state/entity.ts";

const shape = { count: crdt.counter() };
const target = { functionName: "shop", key: "a", operation: "sell", input: new Uint8Array(1) };

function turn(
  entity: Entity,
  hybridTime: number,
  run: (draft: Draft<typeof shape>) => void,
  usedUp = 0,
): StateCommit {
  const draft = new Draft({ entity, shape, writer: 7, usedUp, hybridTime });
  run(draft);
  return draft.finish()!;
}

const add = (draft: Draft<typeof shape>): void => draft.live.count.add(1);

test("what was deleted before a time may be forgotten, once nothing of it waits", () => {
  const entity = Entity.create("f/k");
  entity.apply(turn(entity, 1, add));
  assert.equal(entity.mayBeReaped(100), false, "it lives");
  entity.apply(
    turn(entity, 5, (draft) => {
      draft.delete();
      draft.send(target);
    }),
  );
  assert.equal(entity.mayBeReaped(100), false, "its outbox is not empty");
  entity.apply(
    turn(entity, 9, (draft) => {
      draft.confirmSent(entity.outbox.entries);
    }),
  );
  assert.equal(entity.mayBeReaped(9), false, "that was later");
  assert.equal(entity.mayBeReaped(10), true);
});

test("one that is begun where others were reaped has a mark of its own and goes on numbering", () => {
  const entity = Entity.create("f/k", 4);
  const first = turn(entity, 1, add, 12);
  assert.deepEqual([first.mark, first.sequence, first.begins], [4, 13, true]);
  entity.apply(first);
  const second = turn(entity, 2, add, 12);
  assert.deepEqual([second.sequence, second.begins], [14, false]);
  entity.apply(second);
  // Another owner knows nothing of what was before, and may get them in any order.
  const other = Entity.create("f/k");
  for (const { entity: name, writer, sequence, delta } of [second, first]) {
    const sent = StateCommit.decode({ entity: name, writer, sequence, delta });
    assert.equal(sent.begins, sequence === 13);
    other.apply(sent);
  }
  assert.equal(other.digest, entity.digest);
  assert.equal(other.contentHash(), entity.contentHash());
  assert.deepEqual(other.vector, new Map([[7, 14]]));
});

test("a writer that has numbers here already does not begin again", () => {
  const entity = Entity.create("f/k");
  entity.apply(turn(entity, 1, add));
  const next = turn(entity, 2, add, 30);
  assert.deepEqual([next.sequence, next.begins], [2, false]);
});
