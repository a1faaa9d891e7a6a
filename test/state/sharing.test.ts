import assert from "node:assert/strict";
import { test } from "node:test";
import { crdt } from "../../src/definition/kinds.ts";
import { Draft } from "../../src/state/draft.ts";
import { Entity } from "../../src/state/entity.ts";
import type { Outcome } from "../../src/state/outcome.ts";
import { plainOf } from "../../src/state/plain.ts";

const shape = {
  count: crdt.counter(),
  other: crdt.counter(),
  last: crdt.register(""),
  lines: crdt.map(crdt.counter()),
};

/** Writer ids and times of which neither half is zero, and which differ in one half only. */
const writer = 5_000_000_007;
const otherWriter = writer + 2 ** 40;

interface Turn {
  readonly by?: number;
  readonly number?: number;
  readonly received?: number;
  readonly writer?: number;
  readonly value?: Uint8Array;
}

function turn(entity: Entity, options: Turn): void {
  const { by = 1, number, received = number, writer: writing = writer } = options;
  const hybridTime = Math.max(2 ** 50 + 3, entity.hybridTime + 1);
  const draft = new Draft({ entity, shape, writer: writing, hybridTime });
  draft.live.count.add(by);
  draft.live.lines.at("a").add(by);
  if (number !== undefined) {
    const outcome: Outcome = { type: "ok", value: options.value ?? Uint8Array.of(number) };
    const call = { caller: "c", number, received: received!, digest: 2 ** 52 + number, outcome };
    draft.recordResult(call);
  }
  assert.ok(entity.apply(draft.finish()!));
}

/** All that an observer can tell of an entity. */
function everything(entity: Entity): unknown {
  return {
    image: entity.encode(),
    content: entity.contentHash(),
    digest: entity.digest,
    vector: entity.vector,
    time: entity.hybridTime,
    bytes: entity.byteSize,
    plain: plainOf(entity, shape),
    records: entity.dedupe.records(),
    dedupeBytes: entity.dedupe.bytes,
    lookups: [1, 2, 3, 4].map((number) => entity.dedupe.lookup("c", number, 0)),
  };
}

for (const changed of ["the original", "the clone"] as const) {
  test(`what ${changed} does after a clone the other side does not see`, () => {
    const original = Entity.create("f/k");
    turn(original, { number: 1 });
    // Now the run and the record are changed in place.
    turn(original, { number: 2 });
    const clone = original.clone();
    const [active, idle] = changed === "the clone" ? [clone, original] : [original, clone];
    const before = everything(idle);
    assert.deepEqual(everything(active), before);
    for (const number of [3, 4]) turn(active, { by: 10, number });
    assert.deepEqual(everything(idle), before);
    turn(idle, { by: 100, number: 3, value: Uint8Array.of(9, 9) });
    assert.deepEqual(plainOf(active, shape), { count: 22, other: 0, last: "", lines: { a: 22 } });
    assert.deepEqual(plainOf(idle, shape), { count: 102, other: 0, last: "", lines: { a: 102 } });
    assert.equal(active.dedupe.lookup("c", 4, 0).type, "hit");
    assert.equal(idle.dedupe.lookup("c", 4, 0).type, "new");
  });
}

test("a merge shares nothing that either side changes in place afterwards", () => {
  const left = Entity.create("f/k");
  const right = Entity.create("f/k");
  turn(right, { number: 1, writer: otherWriter });
  turn(right, { number: 2, writer: otherWriter });
  left.merge(right);
  const before = everything(left);
  turn(right, { by: 5, number: 3, writer: otherWriter });
  assert.deepEqual(everything(left), before);
  const rightBefore = everything(right);
  turn(left, { by: 7, number: 4, writer: otherWriter });
  assert.deepEqual(everything(right), rightBefore);
});

test("writers that differ only in their upper bits are different writers", () => {
  const entity = Entity.create("f/k");
  turn(entity, { number: 1 });
  turn(entity, { number: 2, writer: otherWriter });
  turn(entity, { number: 3 });
  assert.deepEqual(
    entity.vector,
    new Map([
      [writer, 2],
      [otherWriter, 1],
    ]),
  );
  assert.equal(entity.sequenceOf(writer + 2 ** 41), 0);
  assert.equal(entity.sequenceOf(writer + 1), 0);
  assert.equal(plainOf(entity, shape).count, 3);
  assert.deepEqual(everything(Entity.decode("f/k", entity.encode())), everything(entity));
});

test("a lone result of any length comes back as it was, also after a clone and from bytes", () => {
  for (let length = 0; length <= 12; length += 1) {
    const entity = Entity.create("f/k");
    const value = Uint8Array.from({ length }, (_, index) => 0xff - index * 7);
    turn(entity, { number: 1, value: Uint8Array.from({ length: 20 - length }, () => 0xee) });
    turn(entity, { number: 2, value });
    const copies = [entity, entity.clone(), Entity.decode("f/k", entity.encode())];
    for (const copy of copies) {
      const outcome = { type: "ok", value };
      const hit = { type: "hit", outcome, digest: 2 ** 52 + 2 };
      assert.deepEqual(copy.dedupe.lookup("c", 2, 2), hit);
      assert.equal(copy.dedupe.bytes, entity.dedupe.bytes);
    }
  }
});

test("a table that had several records and has one again is what a new one is", () => {
  const busy = Entity.create("f/k");
  turn(busy, { number: 1, received: 1 });
  turn(busy, { number: 2, received: 1 });
  assert.equal(busy.dedupe.records().length, 2);
  turn(busy, { number: 3, received: 3 });
  const calm = Entity.create("f/k");
  for (const number of [1, 2, 3]) turn(calm, { number });
  assert.deepEqual(everything(busy), everything(calm));
});

test("a result is not changed by whoever holds the bytes it was given as or shown as", () => {
  const entity = Entity.create("f/k");
  turn(entity, { number: 1, value: Uint8Array.of(1, 2, 3) });
  const shown = entity.dedupe.lookup("c", 1, 1);
  assert.ok(shown.type === "hit" && shown.outcome.type === "ok");
  shown.outcome.value[0] = 9;
  const again = entity.dedupe.lookup("c", 1, 1);
  assert.ok(again.type === "hit" && again.outcome.type === "ok");
  assert.deepEqual(again.outcome.value, Uint8Array.of(1, 2, 3));
});

test("a kept result does not hold on to the chunk that it was encoded into", () => {
  const chunk = new Uint8Array(8_192).fill(7);
  const part = (length: number): Uint8Array => chunk.subarray(100, 100 + length);
  for (const length of [1, 20, 500]) {
    const lone = Entity.create("f/k");
    turn(lone, { number: 1, value: part(length) });
    const several = Entity.create("f/k");
    for (const number of [1, 2]) turn(several, { number, received: 1, value: part(length) });
    for (const { dedupe } of [lone, several]) {
      const hit = dedupe.lookup("c", 1, 1);
      assert.ok(hit.type === "hit" && hit.outcome.type === "ok");
      assert.deepEqual(hit.outcome.value, new Uint8Array(length).fill(7));
      assert.equal(hit.outcome.value.buffer.byteLength, length);
    }
  }
});
