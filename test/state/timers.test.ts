/** Timers are kept in a hidden field: with the state, merged like it, and seen by nobody else. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defineFunction } from "../../src/definition/define-function.ts";
import { crdt } from "../../src/definition/kinds.ts";
import type { Shape } from "../../src/definition/kinds.ts";
import { LatticeError } from "../../src/model/error.ts";
import { Draft } from "../../src/state/draft.ts";
import { Entity } from "../../src/state/entity.ts";
import { timersField } from "../../src/state/field-tag.ts";
import { plainOf } from "../../src/state/plain.ts";
import { nextDueAt, timerInputBytesMax, timersMax } from "../../src/state/timers.ts";
import type { TimerSetting } from "../../src/state/timers.ts";
import { viewOf } from "../../src/state/view.ts";

const shape = { names: crdt.map<string>(), count: crdt.counter() };
let time = 0;

function turn(entity: Entity, writer: number, run: (draft: Draft) => void, of: Shape = {}): void {
  time += 1;
  const draft = new Draft({ entity, shape: of, writer, hybridTime: time });
  run(draft);
  const commit = draft.finish();
  if (commit !== undefined) entity.apply(commit);
}

function timer(id: string, at: number, rest: Partial<TimerSetting> = {}): TimerSetting {
  return { id, operation: "run", at, every: undefined, input: new Uint8Array(0), ...rest };
}

function dueIn({ timers }: Entity): string[] {
  return timers.map(({ id, at }) => `${id} ${String(at)}`);
}

function overloaded(error: unknown): boolean {
  return error instanceof LatticeError && error.code === "overloaded";
}

test("timers are sorted by when they are due, then by id, and survive encoding", () => {
  const entity = Entity.create("f/k");
  assert.deepEqual(entity.timers, []);
  const input = Uint8Array.of(1, 2, 3);
  turn(entity, 1, ({ timers }) => {
    timers.set(timer("late", 30));
    timers.set(timer("b", 10, { every: 1_000, input }));
    timers.set(timer("a", 10));
  });
  assert.deepEqual(dueIn(entity), ["a 10", "b 10", "late 30"]);
  const copy = Entity.decode("f/k", entity.encode());
  assert.deepEqual(copy.timers, entity.timers);
  const { every, input: kept, operation } = copy.timers[1]!;
  assert.deepEqual([every, kept, operation], [1_000, input, "run"]);
  assert.equal(copy.contentHash(), entity.contentHash());
});

test("the field of timers is in no state, view or plain value, and its bytes count", () => {
  const entity = Entity.create("f/k");
  const before = entity.byteSize;
  turn(entity, 1, ({ timers }) => {
    timers.set(timer("a", 10, { input: new Uint8Array(500) }));
  });
  assert.ok(entity.byteSize - before > 500);
  assert.ok(entity.contents.get(timersField) !== undefined);
  assert.deepEqual(plainOf(entity, shape), { names: {}, count: 0 });
  assert.deepEqual(Object.keys(plainOf(entity, {})), []);
  assert.equal(viewOf(entity, shape).names.size, 0);
  const draft = new Draft({ entity, shape, writer: 1, hybridTime: 100 });
  assert.deepEqual([...draft.live.names.keys()], []);
  assert.throws(
    () => defineFunction({ state: { "": crdt.map<string>() }, handlers: {} }),
    /cannot be the name of a state field/,
  );
});

test("a turn sees the timers that it sets and cancels, and the entity only those of its commit", () => {
  const entity = Entity.create("f/k");
  turn(entity, 1, ({ timers }) => {
    timers.set(timer("a", 10));
    timers.set(timer("b", 20));
    timers.set(timer("b", 5, { operation: "other" }));
    assert.equal(timers.cancel("a"), true);
    assert.equal(timers.cancel("a"), false);
    assert.deepEqual(
      timers.list().map(({ id, operation }) => [id, operation]),
      [["b", "other"]],
    );
    assert.deepEqual(dueIn(entity), []);
  });
  assert.deepEqual(dueIn(entity), ["b 5"]);
  turn(entity, 1, ({ timers }) => {
    timers.cancel("b");
  });
  assert.deepEqual(dueIn(entity), []);
  assert.equal(entity.contents.get(timersField), undefined);
});

test("what is taken out is the very timer that was set, and one with a period goes to its next", () => {
  const entity = Entity.create("f/k");
  turn(entity, 1, ({ timers }) => {
    timers.set(timer("once", 10));
    timers.set(timer("often", 10, { every: 1_000 }));
  });
  const [often, once] = entity.timers;
  turn(entity, 1, ({ timers }) => {
    timers.set(timer("once", 10));
  });
  const [, replaced] = entity.timers;
  turn(entity, 1, ({ timers }) => {
    assert.equal(timers.take(once!, 50), false, "it was replaced by one that is due with it");
    assert.equal(timers.take({ ...often!, id: "none" }, 50), false);
    assert.equal(timers.take(often!, 50), true);
  });
  assert.deepEqual(dueIn(entity), ["once 10", "often 1010"]);
  turn(entity, 1, ({ timers }) => {
    assert.equal(timers.take(often!, 50), false, "it was taken before");
    assert.equal(timers.take(replaced!, 50), true);
  });
  assert.deepEqual(dueIn(entity), ["often 1010"]);
});

test("the next period is the first after now, counted from when it was due", () => {
  assert.equal(nextDueAt(1_000, 100, 1_000), 1_100);
  assert.equal(nextDueAt(1_000, 100, 1_099), 1_100);
  assert.equal(nextDueAt(1_000, 100, 1_100), 1_200);
  assert.equal(nextDueAt(1_000, 100, 1_950), 2_000);
  assert.equal(nextDueAt(1_000, 100, 900), 1_100);
});

test("a delete drops the timers; what is set after it stays", () => {
  const entity = Entity.create("f/k");
  turn(entity, 1, ({ timers }) => {
    timers.set(timer("a", 10));
  });
  turn(entity, 1, (draft) => {
    draft.timers.set(timer("b", 20));
    draft.delete();
    assert.deepEqual(draft.timers.list(), []);
  });
  assert.ok(entity.dead);
  assert.deepEqual(dueIn(entity), []);
  turn(entity, 1, (draft) => {
    draft.delete();
    draft.timers.set(timer("c", 30));
  });
  assert.deepEqual([entity.dead, dueIn(entity)], [false, ["c 30"]]);
});

test("sides of a split keep the timers of both; of one id the later one, and it beats a cancel", () => {
  const left = Entity.create("f/k");
  turn(left, 1, ({ timers }) => {
    for (const id of ["cancelled", "again", "both"]) timers.set(timer(id, 10));
  });
  const right = left.clone();
  turn(left, 1, ({ timers }) => {
    timers.cancel("cancelled");
    timers.cancel("again");
    timers.set(timer("both", 20));
    timers.set(timer("left", 30));
  });
  turn(right, 2, ({ timers }) => {
    timers.set(timer("again", 40));
    timers.set(timer("both", 50));
    timers.set(timer("right", 60));
  });
  const merged = left.clone();
  merged.merge(right);
  right.merge(left);
  assert.deepEqual(dueIn(merged), ["left 30", "again 40", "both 50", "right 60"]);
  assert.deepEqual(right.timers, merged.timers);
});

test("too many timers, or too much input, are refused; fewer and shorter ones are not", () => {
  const entity = Entity.create("f/k");
  turn(entity, 1, ({ timers }) => {
    for (let n = 0; n < timersMax; n += 1) timers.set(timer(`t${String(n)}`, n));
    assert.throws(() => {
      timers.set(timer("more", 1));
    }, overloaded);
    timers.set(timer("t0", 7));
    timers.cancel("t1");
    timers.set(timer("more", 1));
  });
  assert.equal(entity.timers.length, timersMax);
  const half = new Uint8Array(timerInputBytesMax / 2);
  const other = Entity.create("f/k");
  turn(other, 1, ({ timers }) => {
    timers.set(timer("a", 1, { input: half }));
    timers.set(timer("b", 1, { input: half }));
  });
  turn(other, 1, ({ timers }) => {
    assert.throws(() => {
      timers.set(timer("c", 1, { input: Uint8Array.of(1) }));
    }, overloaded);
    timers.set(timer("a", 2, { input: half.slice(1) }));
    timers.set(timer("c", 1, { input: Uint8Array.of(1) }));
    timers.set(timer("d", 1));
  });
  assert.deepEqual(dueIn(other), ["b 1", "c 1", "d 1", "a 2"]);
});

test("after a split there may be more than fit: no more are added, and those go on", () => {
  const left = Entity.create("f/k");
  const right = Entity.create("f/k");
  for (let n = 0; n < timersMax; n += 1) {
    turn(left, 1, ({ timers }) => timers.set(timer(`l${String(n)}`, 1, { every: 5 })));
    turn(right, 2, ({ timers }) => timers.set(timer(`r${String(n)}`, 2)));
  }
  left.merge(right);
  assert.equal(left.timers.length, 2 * timersMax);
  turn(left, 1, ({ timers }) => {
    assert.throws(() => timers.set(timer("more", 1)), overloaded);
    timers.set(timer("r0", 9));
    assert.equal(timers.take(left.timers[0]!, 1), true);
  });
  assert.equal(left.timers.length, 2 * timersMax);
});

test("what a later version keeps in the field is not taken for a timer", () => {
  const entity = Entity.create("f/k");
  turn(entity, 1, ({ timers }) => timers.set(timer("a", 10)));
  for (const [index, value] of [
    7,
    null,
    { at: 1 },
    { operation: "run", at: 1, input: "" },
  ].entries()) {
    const draft = new Draft({ entity, shape: {}, writer: 1, hybridTime: (time += 1) });
    draft.timers.set(timer("other", 1));
    const commit = draft.finish()!;
    const write = commit.operations[0]!;
    assert.equal(write.type, "write");
    Object.assign(write, { value, path: [timersField, `other${String(index)}`] });
    entity.apply(commit);
  }
  assert.deepEqual(dueIn(entity), ["a 10"]);
});
