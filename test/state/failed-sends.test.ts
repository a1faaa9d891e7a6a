import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Draft } from "../../src/state/draft.ts";
import { Entity } from "../../src/state/entity.ts";
import { FailedSends, failedSendsMax } from "../../src/state/failed-sends.ts";
import type { FailedSend } from "../../src/state/failed-sends.ts";
import type { TimedSend } from "../../src/state/send.ts";

const name = "f/k";
const refusal = { code: "not_found", message: "no such shop" };
let time = 0;

function turn(entity: Entity, writer: number, run: (draft: Draft) => void) {
  time += 1;
  const hybridTime = Math.max(time, entity.hybridTime + 1);
  const draft = new Draft({ entity, shape: {}, writer, hybridTime });
  run(draft);
  const commit = draft.finish();
  assert.ok(commit !== undefined);
  entity.apply(commit);
  return commit;
}

/** An entity whose calls to these keys were refused. */
function withFailed(...keys: readonly string[]): Entity {
  const entity = Entity.create(name);
  for (const key of keys) {
    turn(entity, 2, (draft) => {
      draft.send({ functionName: "shop", key, operation: "sell", input: Uint8Array.of(7) });
    });
    turn(entity, 2, (draft) => {
      draft.failSent(entity.outbox.entries[0]!, refusal);
    });
  }
  return entity;
}

function keysOf(sends: readonly { readonly key: string }[]): string[] {
  return sends.map(({ key }) => key);
}

test("a discarded call is gone for good, also from a copy that is read and one that merges", () => {
  const entity = withFailed("a", "b");
  const other = entity.clone();
  const follower = Entity.decode(name, entity.encode());
  const commit = turn(entity, 2, (draft) => {
    assert.equal(draft.discardFailed(entity.outbox.failed[0]!), true);
  });
  follower.apply({ entity: name, writer: 2, sequence: commit.sequence, delta: commit.delta });
  other.merge(entity);
  const read = Entity.decode(name, entity.encode());
  for (const copy of [entity, follower, other, read]) {
    assert.deepEqual(keysOf(copy.outbox.failed), ["b"]);
    assert.equal(copy.contentHash(), entity.contentHash());
  }
  other.merge(withFailed());
  assert.deepEqual(keysOf(other.outbox.failed), ["b"]);
});

test("a call that is sent anew leaves the failed ones and gets a number of its own", () => {
  const entity = withFailed("a");
  const [failed] = entity.outbox.failed;
  turn(entity, 2, (draft) => {
    assert.equal(draft.resendFailed(failed!), true);
  });
  const { failed: left, entries } = entity.outbox;
  assert.equal(left.length, 0);
  assert.deepEqual(
    entries.map(({ functionName, key, operation, input }) => [functionName, key, operation, input]),
    [["shop", "a", "sell", Uint8Array.of(7)]],
  );
  assert.ok(entries[0]!.number > failed!.number);
});

test("what is not kept can neither be discarded nor sent anew", () => {
  const entity = withFailed("a");
  const [failed] = entity.outbox.failed;
  turn(entity, 2, (draft) => draft.discardFailed(failed!));
  const draft = new Draft({ entity, shape: {}, writer: 2, hybridTime: 90_000 });
  assert.equal(draft.discardFailed(failed!), false);
  assert.equal(draft.resendFailed(failed!), false);
  assert.equal(draft.resendFailed({ writer: 3, number: failed!.number }), false);
  assert.equal(draft.finish(), undefined);
});

test("a call whose refusal is told by both sides of a split is shown once, and dropped at once", () => {
  const left = Entity.create(name);
  turn(left, 2, (draft) => {
    draft.send({ functionName: "shop", key: "a", operation: "sell", input: new Uint8Array(0) });
  });
  const right = left.clone();
  const [entry] = left.outbox.entries;
  turn(left, 2, (draft) => {
    draft.failSent(entry!, refusal);
  });
  turn(right, 3, (draft) => {
    draft.failSent(entry!, refusal);
  });
  const both = left.clone();
  both.merge(right);
  assert.deepEqual(keysOf(both.outbox.failed), ["a"]);
  turn(left, 2, (draft) => draft.discardFailed(entry!));
  assert.deepEqual(keysOf(right.outbox.failed), ["a"]);
  right.merge(left);
  left.merge(right);
  assert.deepEqual(keysOf(left.outbox.failed), []);
  assert.deepEqual(keysOf(right.outbox.failed), []);
  turn(both, 4, (draft) => draft.resendFailed(entry!));
  assert.deepEqual(keysOf(both.outbox.failed), []);
  assert.deepEqual(keysOf(both.outbox.entries), ["a"]);
});

test("a discard that comes before the refusal it drops waits for it", () => {
  const entity = Entity.create(name);
  const sent = turn(entity, 2, (draft) => {
    draft.send({ functionName: "shop", key: "a", operation: "sell", input: new Uint8Array(0) });
  });
  const failed = turn(entity, 3, (draft) => {
    draft.failSent(entity.outbox.entries[0]!, refusal);
  });
  const discarded = turn(entity, 4, (draft) => draft.discardFailed(entity.outbox.failed[0]!));
  const late = Entity.create(name);
  for (const { writer, sequence, delta } of [discarded, failed, sent]) {
    late.apply({ entity: name, writer, sequence, delta });
  }
  assert.deepEqual(late.outbox.failed, []);
  assert.equal(late.contentHash(), entity.contentHash());
});

test("what was dropped takes no more room than what newer refusals push out", () => {
  const entity = withFailed(...Array.from({ length: failedSendsMax }, (_, at) => String(at)));
  turn(entity, 2, (draft) => {
    for (const send of entity.outbox.failed.slice(0, 100)) draft.discardFailed(send);
  });
  assert.equal(entity.outbox.failures.dropped.length, 100);
  const more = withFailed(...Array.from({ length: 100 }, (_, at) => `new ${String(at)}`));
  const { failures } = more.outbox;
  const joined = entity.outbox.failures.joined(
    FailedSends.of(
      failures.kept.map((send) => ({ ...send, hybridTime: send.hybridTime + 1_000_000 })),
      [],
    ),
  );
  assert.equal(joined.dropped.length, 0);
  assert.equal(joined.shown.length, failedSendsMax);
});

/** Few ids and times, so that the same call is refused, dropped and pushed out in all orders. */
const timedSend: fc.Arbitrary<TimedSend> = fc
  .record({
    writer: fc.integer({ min: 1, max: 3 }),
    number: fc.integer({ min: 1, max: 40 }),
    hybridTime: fc.integer({ min: 1, max: 3 }),
  })
  .map(stamp);
const failedSend: fc.Arbitrary<FailedSend> = timedSend.map((send) => ({
  ...send,
  ...{ functionName: "f", key: "k", operation: "o", input: Uint8Array.of(send.number) },
  ...refusal,
}));
const failedSends: fc.Arbitrary<FailedSends> = fc
  .tuple(
    fc.array(failedSend, { maxLength: 200, size: "max" }),
    fc.array(timedSend, { maxLength: 80, size: "max" }),
  )
  .map(([kept, dropped]) => FailedSends.of(kept, dropped));

test("joining is commutative, associative and idempotent, also where the oldest are pushed out", () => {
  let isFull = 0;
  fc.assert(
    fc.property(failedSends, failedSends, failedSends, (a, b, c) => {
      assert.deepEqual(a.joined(b), b.joined(a));
      assert.deepEqual(a.joined(b).joined(c), a.joined(b.joined(c)));
      assert.deepEqual(a.joined(FailedSends.of(a.kept, a.dropped)), a);
      const { kept, dropped } = a.joined(b).joined(c);
      assert.ok(kept.length + dropped.length <= failedSendsMax);
      if (kept.length + dropped.length === failedSendsMax) isFull += 1;
    }),
    { numRuns: 200 },
  );
  assert.ok(isFull > 20, String(isFull));
});

test("one refusal after the other, dropped in between, makes what joining them makes", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(failedSend, fc.boolean()), { maxLength: 260, size: "max" }),
      (steps) => {
        let one = FailedSends.none;
        for (const [send, isDropped] of steps) {
          one = isDropped ? one.without([stamp(send)]) : one.with(send);
        }
        const kept = steps.filter(([, isDropped]) => !isDropped).map(([send]) => send);
        const dropped = steps.filter(([, isDropped]) => isDropped).map(([send]) => stamp(send));
        assert.deepEqual(one, FailedSends.of(kept, dropped));
      },
    ),
    { numRuns: 200 },
  );
});

function stamp({ writer, number, hybridTime }: TimedSend): TimedSend {
  return { writer, number, hybridTime };
}
