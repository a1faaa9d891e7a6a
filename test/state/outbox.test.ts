import assert from "node:assert/strict";
import { test } from "node:test";
import type { CommitLike } from "../../src/state/commit-like.ts";
import { Draft } from "../../src/state/draft.ts";
import { Entity } from "../../src/state/entity.ts";
import { failedSendsMax } from "../../src/state/failed-sends.ts";
import { sendsMax } from "../../src/state/outbox.ts";

let time = 0;

function turn(
  entity: Entity,
  writer: number,
  run: (draft: Draft) => void,
  made?: (commit: CommitLike) => void,
): void {
  time += 1;
  const draft = new Draft({ entity, shape: {}, writer, hybridTime: time });
  run(draft);
  const commit = draft.finish();
  if (commit === undefined) return;
  entity.apply(commit);
  // As it travels: others have nothing of it but the bytes.
  const { writer: by, sequence, delta } = commit;
  made?.({ entity: entity.name, writer: by, sequence, delta });
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

const trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

test("the trace of a sent call is kept with it, in changes, in copies and where copies merge", () => {
  const entity = Entity.create("f/k");
  const copy = Entity.create("f/k");
  turn(
    entity,
    1,
    (draft) => {
      draft.send({ ...target("a"), trace });
      draft.send(target("b"));
    },
    (delta) => copy.apply(delta),
  );
  const traces = ({ outbox }: Entity): unknown => outbox.entries.map((entry) => entry.trace);
  assert.deepEqual(traces(entity), [trace, undefined]);
  assert.deepEqual(copy.outbox.entries, entity.outbox.entries);
  const decoded = Entity.decode("f/k", entity.encode());
  assert.deepEqual(decoded.outbox.entries, entity.outbox.entries);
  assert.equal(decoded.stateHash(), copy.stateHash());
  const right = copy.clone();
  turn(right, 2, (draft) => draft.send({ ...target("c"), trace }));
  copy.merge(right);
  assert.deepEqual(traces(copy), [trace, undefined, trace]);
  turn(copy, 1, (draft) => draft.confirmSent(copy.outbox.entries));
  assert.deepEqual(traces(copy), []);
});

test("a call that was refused for good keeps its trace, and is sent anew in it", () => {
  const entity = Entity.create("f/k");
  const copy = Entity.create("f/k");
  const change = (run: (draft: Draft) => void): void => {
    turn(entity, 1, run, (delta) => copy.apply(delta));
  };
  change((draft) => {
    draft.send({ ...target("a"), trace });
    draft.send(target("b"));
  });
  change((draft) => {
    for (const sent of entity.outbox.entries) {
      draft.failSent(sent, { code: "not_found", message: "no such thing" });
    }
  });
  const decoded = Entity.decode("f/k", copy.encode());
  for (const { outbox } of [entity, copy, decoded]) {
    assert.deepEqual(
      outbox.failed.map((failed) => failed.trace),
      [trace, undefined],
    );
  }
  change((draft) => {
    for (const failed of entity.outbox.failed) draft.resendFailed(failed);
  });
  assert.deepEqual(
    copy.outbox.entries.map((entry) => entry.trace),
    [trace, undefined],
  );
  assert.equal(copy.stateHash(), entity.stateHash());
});

test("calls without a trace are written as they always were", () => {
  const untraced = Entity.create("f/k");
  const deltas: Uint8Array[] = [];
  const keep = (commit: CommitLike): number => deltas.push(commit.delta);
  time = 0;
  turn(untraced, 1, (draft) => draft.send(target("a")), keep);
  assert.equal(hex(deltas[0]!), "0100010107000473686f7001610473656c6c0100");
  const image = "03000101010100" + "00" + "00" + "01" + "01800801" + "0473686f7001610473656c6c0100";
  assert.equal(hex(untraced.encode()), `${image}0000000000`);

  const traced = Entity.create("f/k");
  time = 0;
  turn(traced, 1, (draft) => draft.send({ ...target("a"), trace }), keep);
  const traceBytes = "00" + "4bf92f3577b34da6a3ce929d0e0e4736" + "00f067aa0ba902b7" + "01";
  assert.equal(hex(deltas[1]!), `010001010c000473686f7001610473656c6c0100${traceBytes}`);
  assert.equal(hex(traced.encode()), `04${image.slice(2)}01${traceBytes}0000000000`);
  // When it is delivered, nothing is left of it.
  turn(traced, 1, (draft) => draft.confirmSent(traced.outbox.entries));
  assert.equal(traced.encode()[0], 3);
});

test("a trace that is none is refused, as a change and as a copy", () => {
  const entity = Entity.create("f/k");
  let delta = new Uint8Array(0);
  turn(
    entity,
    1,
    (draft) => draft.send({ ...target("a"), trace }),
    (commit) => (delta = commit.delta.slice()),
  );
  const other = Entity.create("f/k");
  const change = { entity: "f/k", writer: 1, sequence: 1 };
  const refused = { code: "incompatible", message: /trace of an unknown form/ };
  assert.throws(() => other.apply({ ...change, delta: delta.fill(0, -25, -9) }), refused);
  assert.equal(other.outbox.entries.length, 0);
  const image = entity.encode();
  const at = Buffer.from(image).indexOf(Buffer.from("4bf92f35", "hex"));
  assert.throws(() => Entity.decode("f/k", image.fill(0, at, at + 16)), refused);
  assert.throws(() => Entity.decode("f/k", entity.encode().fill(2, at - 2, at - 1)), {
    code: "incompatible",
    message: /unknown form of a sent call/,
  });
});

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
