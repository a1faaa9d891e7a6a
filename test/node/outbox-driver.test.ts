import assert from "node:assert/strict";
import { test } from "node:test";
import { outboxCaller } from "../../src/functions/outbox-caller.ts";
import type { TurnOutcome } from "../../src/functions/ports.ts";
import { Registry } from "../../src/functions/registry.ts";
import { LatticeError } from "../../src/model/error.ts";
import { Addresses } from "../../src/node/calls/addresses.ts";
import type { NodeCallEnd, NodeCallRequest } from "../../src/node/calls/node-call-request.ts";
import { OutboxDriver, type OutboxDriverOptions } from "../../src/node/calls/outbox-driver.ts";
import { VirtualTime } from "../../src/platform/virtual/virtual-time.ts";
import { Draft } from "../../src/state/draft.ts";
import { Entity } from "../../src/state/entity.ts";

type Change = (draft: Draft) => void;

const answer = {
  value: new Uint8Array(0),
  degraded: false,
  seen: undefined,
  hasStrays: false,
  copies: 1,
  hops: 0,
  node: "a",
};
const released = { value: answer.value, degraded: false, fromDedupe: false, seen: [] };

/** A cart to which each of these writers has sent a call of a shop of its own. */
function sent(writers: readonly number[], name = "cart/alice"): Entity {
  const entity = Entity.create(name);
  for (const writer of writers) {
    const hybridTime = entity.hybridTime + 1;
    const draft = new Draft({ entity, shape: {}, writer, hybridTime });
    const input = new Uint8Array(0);
    draft.send({ functionName: "shop", key: `of-${String(writer)}`, operation: "sell", input });
    entity.apply(draft.finish()!);
  }
  return entity;
}

/** A driver over one entity, whose changes are committed by `commit`. */
function stage(entity: Entity) {
  const time = new VirtualTime({ seed: 1 });
  const calls: { request: NodeCallRequest; done: (end: NodeCallEnd) => void }[] = [];
  const changes: Change[] = [];
  const ends: ((outcome: TurnOutcome) => void)[] = [];
  const told: unknown[] = [];
  const replica = {
    writer: 2,
    serving: "primary",
    owners: { processes: ["a", "b", "c"] },
    committedEntity: () => entity,
    tip: () => entity,
  };
  const parts = {
    platform: time.node("a"),
    registry: new Registry({}),
    turns: {
      runInternal: (_: unknown, change: Change, done: (outcome: TurnOutcome) => void) => {
        changes.push(change);
        ends.push(done);
      },
    },
    addresses: new Addresses(64),
    caller: {
      call: (request: NodeCallRequest, done: (end: NodeCallEnd) => void) =>
        calls.push({ request, done }),
    },
    partitions: {
      replica: () => replica,
      partitionOf: () => 1,
    },
    events: { tell: () => undefined },
    farewells: { say: (...farewell: unknown[]) => told.push(farewell) },
    buggify: { settledMin: 1 },
  };
  const driver = new OutboxDriver(parts as unknown as OutboxDriverOptions);
  return { time, driver, parts, calls, changes, ends, told, replica };
}

test("a delivered call is confirmed also beside a refused one of another writer with its number", async () => {
  const entity = sent([2, 4]);
  const [first, second] = entity.outbox.entries;
  assert.equal(first?.number, second?.number);
  const { time, driver, calls, changes } = stage(entity);
  driver.changed(1, entity.name);
  assert.equal(calls.length, 2);
  for (const { request, done } of calls) {
    if (request.key === "of-2") {
      done({ type: "failed", error: new LatticeError("not_found", "no such shop") });
    } else {
      done({ type: "ok", ...answer });
    }
  }
  await time.run();
  assert.equal(changes.length, 1);
  const draft = new Draft({ entity, shape: {}, writer: 2, hybridTime: entity.hybridTime + 1 });
  changes[0]!(draft);
  entity.apply(draft.finish()!);
  assert.deepEqual(entity.outbox.entries, []);
  assert.deepEqual(
    entity.outbox.failed.map(({ key }) => key),
    ["of-2"],
  );
});

test("without a majority, nothing is delivered that an earlier primary has left", async () => {
  const entity = sent([2, 4]);
  const { time, driver, calls, replica } = stage(entity);
  replica.serving = "degraded";
  driver.changed(1, entity.name);
  await time.run({ untilAt: time.clock.now() + 60_000 });
  const asked = (): string[] => calls.map(({ request }) => request.key);
  assert.deepEqual(asked(), ["of-2"]);
  replica.serving = "primary";
  await time.run({ untilAt: time.clock.now() + 60_000 });
  assert.deepEqual(asked(), ["of-2", "of-4"]);
});

test("what was delivered before is not made again while the word of it waits to be committed", async () => {
  const entity = sent([2, 4]);
  const { time, driver, calls, replica } = stage(entity);
  const newest = entity.clone();
  const draft = new Draft({ entity: newest, shape: {}, writer: 4, hybridTime: 9 });
  draft.confirmSent(entity.outbox.entries.filter(({ writer }) => writer === 4));
  newest.apply(draft.finish()!);
  replica.tip = () => newest;
  driver.changed(1, entity.name);
  await time.run({ untilAt: time.clock.now() + 60_000 });
  assert.deepEqual(
    calls.map(({ request }) => request.key),
    ["of-2"],
  );
});

test("what a delivery makes another entity send is known to be out once it is", () => {
  const [alice, bob] = [sent([2]), sent([2], "cart/bob")];
  const { driver, calls, parts } = stage(alice);
  parts.caller.call = (request, done) => {
    calls.push({ request, done });
    if (calls.length === 1) driver.entityChanged(1, bob);
    return calls.length;
  };
  driver.entityChanged(1, alice);
  assert.deepEqual([calls.length, driver.depth], [2, 2]);
  driver.entityChanged(1, Entity.create("cart/bob"));
  driver.entityChanged(1, Entity.create("cart/alice"));
  assert.equal(driver.depth, 0);
});

test("a target may forget a sender when a majority holds that it is done, and after one clear answer", async () => {
  for (const [hasStrays, copies, writer, isTold] of [
    [false, 2, 2, true],
    [true, 2, 2, false],
    [false, 1, 2, false],
    [false, 2, 4, false],
  ] as const) {
    const entity = sent([writer]);
    const { time, driver, calls, ends, told } = stage(entity);
    driver.changed(1, entity.name);
    calls[0]!.done({ type: "ok", ...answer, hasStrays });
    await time.run({ untilAt: time.clock.now() + 10 });
    assert.deepEqual(told, []);
    ends[0]!({ type: "ok", ...released, copies });
    const below = entity.outbox.entries[0]!.number + 1;
    const caller = outboxCaller("cart/alice", writer);
    assert.deepEqual(told, isTold ? [[`shop/of-${String(writer)}`, [{ caller, below }]]] : []);
  }
});
