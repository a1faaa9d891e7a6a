import assert from "node:assert/strict";
import { test } from "node:test";
import { Registry } from "../../src/functions/registry.ts";
import { LatticeError } from "../../src/model/error.ts";
import { Addresses } from "../../src/node/calls/addresses.ts";
import type { NodeCallEnd } from "../../src/node/calls/node-call.ts";
import type { NodeCallRequest } from "../../src/node/calls/node-call-request.ts";
import { OutboxDriver, type OutboxDriverOptions } from "../../src/node/calls/outbox-driver.ts";
import { VirtualTime } from "../../src/platform/virtual/virtual-time.ts";
import { Draft } from "../../src/state/draft.ts";
import { Entity } from "../../src/state/entity.ts";

type Change = (draft: Draft) => void;

/** A driver over one entity, whose changes are committed by `commit`. */
function stage(entity: Entity) {
  const time = new VirtualTime({ seed: 1 });
  const calls: { request: NodeCallRequest; done: (end: NodeCallEnd) => void }[] = [];
  const changes: Change[] = [];
  const parts = {
    platform: time.node("a"),
    registry: new Registry({}),
    turns: { runInternal: (_address: unknown, change: Change) => changes.push(change) },
    addresses: new Addresses(64),
    caller: {
      call: (request: NodeCallRequest, done: (end: NodeCallEnd) => void) =>
        calls.push({ request, done }),
    },
    partitions: {
      replica: () => ({ writer: 2, committedEntity: () => entity }),
      partitionOf: () => 1,
    },
    events: { tell: () => undefined },
  };
  const driver = new OutboxDriver(parts as unknown as OutboxDriverOptions);
  return { time, driver, calls, changes };
}

test("a delivered call is confirmed also beside a refused one of another writer with its number", async () => {
  const entity = Entity.create("cart/alice");
  for (const writer of [2, 4]) {
    const hybridTime = entity.hybridTime + 1;
    const draft = new Draft({ entity, shape: {}, writer, hybridTime });
    const input = new Uint8Array(0);
    draft.send({ functionName: "shop", key: `of-${String(writer)}`, operation: "sell", input });
    entity.apply(draft.finish()!);
  }
  const [first, second] = entity.outbox.entries;
  assert.equal(first?.number, second?.number);
  const { time, driver, calls, changes } = stage(entity);
  driver.changed(1, entity.name);
  assert.equal(calls.length, 2);
  for (const { request, done } of calls) {
    if (request.key === "of-2") {
      done({ type: "failed", error: new LatticeError("not_found", "no such shop") });
    } else {
      const answer = {
        value: new Uint8Array(0),
        degraded: false,
        seen: undefined,
        copies: 1,
        hops: 0,
        node: "a",
      };
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
