import assert from "node:assert/strict";
import { before, test } from "node:test";
import fc from "fast-check";
import { Entity } from "../../src/state/entity.ts";
import { plainOf } from "../../src/state/plain.ts";
import { loadYjs } from "../../src/state/yjs.ts";
import { name, onTheWire, play, shape, shuffled, steps, turn, writers } from "./histories.ts";

const runs = { numRuns: 300 };

before(loadYjs);

/** Everything that the laws compare. */
function imageOf(entity: Entity): object {
  return {
    plain: plainOf(entity, shape),
    hash: entity.contentHash(),
    digest: entity.digest,
    vector: [...entity.vector].sort(([a], [b]) => a - b),
    mark: [entity.generation, entity.dead],
    expireAt: entity.expireAt,
    timers: entity.timers,
    outbox: entity.outbox.entries,
    failed: entity.outbox.failed,
    records: entity.dedupe.records(),
  };
}

function joined(...entities: readonly Entity[]): Entity {
  const [first, ...rest] = entities;
  const result = first!.clone();
  for (const entity of rest) result.merge(entity);
  return result;
}

test("merging is commutative, associative and idempotent", () => {
  fc.assert(
    fc.property(steps, (script) => {
      const [a, b, c] = play(script).replicas as [Entity, Entity, Entity];
      assert.deepEqual(imageOf(joined(a, b)), imageOf(joined(b, a)));
      assert.deepEqual(imageOf(joined(joined(a, b), c)), imageOf(joined(a, joined(b, c))));
      assert.deepEqual(imageOf(joined(a, a.clone())), imageOf(a));
      assert.deepEqual(imageOf(joined(a, b, a, b)), imageOf(joined(a, b)));
    }),
    runs,
  );
});

test("commits in any order and number make what merging the copies makes", () => {
  fc.assert(
    fc.property(steps, fc.nat(), fc.nat(), (script, order, again) => {
      const { replicas, commits } = play(script);
      const target = Entity.create(name);
      const twice = shuffled([...commits, ...commits.slice(again % (commits.length + 1))], order);
      for (const commit of twice) {
        target.apply(commit.sequence % 2 === 0 ? commit : onTheWire(commit));
      }
      assert.deepEqual(imageOf(target), imageOf(joined(...replicas)));
    }),
    runs,
  );
});

test("a copy that has some commits merges to the same as one that has them all", () => {
  fc.assert(
    fc.property(steps, fc.nat(), fc.nat(40), (script, order, count) => {
      const { replicas, commits } = play(script);
      const some = Entity.create(name);
      for (const commit of shuffled(commits, order).slice(0, count)) some.apply(onTheWire(commit));
      const read = Entity.decode(name, some.encode());
      assert.deepEqual(imageOf(joined(read, ...replicas)), imageOf(joined(...replicas, some)));
      for (const commit of commits) read.apply(commit);
      assert.deepEqual(imageOf(read), imageOf(joined(...replicas)));
    }),
    runs,
  );
});

test("what is encoded and decoded is the same and stays usable", () => {
  fc.assert(
    fc.property(steps, (script) => {
      for (const replica of play(script).replicas) {
        const read = Entity.decode(name, replica.encode());
        assert.deepEqual(imageOf(read), imageOf(replica));
        const commit = turn(read, writers[0], 9_000, (draft) => {
          draft.live.lines.clear();
          draft.live.counter.add(1);
          draft.live.text.insert(0, "z");
        })!;
        replica.apply(commit);
        assert.deepEqual(imageOf(read), imageOf(replica));
      }
    }),
    runs,
  );
});

test("a clone and its original do not see each other's changes", () => {
  fc.assert(
    fc.property(steps, steps, (script, more) => {
      const { replicas } = play(script);
      const entity = replicas[0]!;
      const before = imageOf(entity);
      const clone = entity.clone();
      const commits = play(more).commits;
      for (const commit of commits)
        clone.apply({ ...onTheWire(commit), writer: commit.writer - 1 });
      clone.merge(replicas[1]!);
      assert.deepEqual(imageOf(entity), before);
      const cloned = imageOf(clone);
      turn(entity, writers[2], 9_000, (draft) => {
        draft.live.deep.at("a").at("x").add(5);
        draft.live.groups.clear();
        draft.live.tags.add("q");
        draft.live.text.insert(0, "q");
      });
      assert.deepEqual(imageOf(clone), cloned);
    }),
    runs,
  );
});

test("digests are equal exactly when generation and vectors are, and then contents are", () => {
  fc.assert(
    fc.property(steps, (script) => {
      const { replicas } = play(script);
      for (const a of replicas) {
        for (const b of replicas) {
          const key = (entity: Entity): string =>
            JSON.stringify([
              entity.generation,
              entity.dead,
              [...entity.vector].sort(([left], [right]) => left - right),
            ]);
          assert.equal(a.digest === b.digest, key(a) === key(b));
        }
      }
      const all = joined(...replicas);
      const other = joined(...replicas.toReversed());
      assert.equal(all.digest, other.digest);
      assert.equal(all.contentHash(), other.contentHash());
    }),
    runs,
  );
});

test("a draft that is dropped leaves nothing behind", () => {
  fc.assert(
    fc.property(steps, (script) => {
      const entity = play(script).replicas[1]!;
      const before = imageOf(entity);
      assert.throws(() => {
        turn(entity, writers[1], 9_000, (draft) => {
          draft.live.counter.add(3);
          draft.live.lines.at("a").add(2);
          draft.live.tags.clear();
          draft.live.text.insert(0, "gone");
          draft.send({ functionName: "f", key: "k", operation: "o", input: Uint8Array.of() });
          draft.delete();
          draft.live.register.set("gone");
          throw new Error("handler");
        });
      }, /handler/);
      assert.deepEqual(imageOf(entity), before);
    }),
    runs,
  );
});

test("the size that is kept up to date equals the size that is counted anew", () => {
  fc.assert(
    fc.property(steps, (script) => {
      for (const replica of play(script).replicas) {
        const read = Entity.decode(name, replica.encode());
        assert.equal(replica.contents.bytes, read.contents.bytes);
      }
    }),
    runs,
  );
});
