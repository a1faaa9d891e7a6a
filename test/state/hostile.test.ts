import assert from "node:assert/strict";
import { before, test } from "node:test";
import fc from "fast-check";
import { LatticeError } from "../../src/model/error.ts";
import { Entity } from "../../src/state/entity.ts";
import { loadYjs } from "../../src/state/yjs.ts";
import { name, play, shape, steps, turn } from "./histories.ts";
import { plainOf } from "../../src/state/plain.ts";

before(loadYjs);

/** Runs `attempt`: it may succeed or fail with an error of ours. */
function survives(attempt: () => void): boolean {
  try {
    attempt();
    return true;
  } catch (error) {
    assert.ok(error instanceof LatticeError, String(error));
    return false;
  }
}

test("garbage is refused as a copy and as a change", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, withVersion) => {
      const starting = (version: number): Uint8Array =>
        withVersion ? Uint8Array.of(version, ...bytes) : bytes;
      survives(() => Entity.decode(name, starting(3)).encode());
      const entity = Entity.create(name);
      const commit = { entity: name, writer: 1, sequence: 1, delta: starting(1) };
      if (!survives(() => entity.apply(commit))) {
        assert.equal(entity.sequenceOf(1), 0);
        assert.equal(entity.contents.fieldCount, 0);
      }
    }),
    { numRuns: 2_000 },
  );
});

test("a damaged or cut copy is refused or usable, never a crash", () => {
  fc.assert(
    fc.property(steps, fc.nat(), fc.nat(255), fc.boolean(), (script, at, byte, cut) => {
      const entity = play(script).replicas[0]!;
      const image = entity.encode();
      const place = at % image.length;
      const damaged = cut ? image.slice(0, place) : image.with(place, byte);
      survives(() => {
        const read = Entity.decode(name, damaged);
        read.encode();
        plainOf(read, shape);
        read.merge(entity);
        turn(read, 77, 1, (draft) => {
          draft.live.lines.clear();
          draft.live.tags.add("x");
        });
      });
    }),
    { numRuns: 1_000 },
  );
});

test("a damaged change is refused whole or applied", () => {
  fc.assert(
    fc.property(steps, fc.nat(), fc.nat(255), (script, at, byte) => {
      const { commits } = play(script);
      const entity = Entity.create(name);
      for (const commit of commits) {
        const { writer, sequence } = commit;
        const delta = commit.delta.with(at % commit.delta.length, byte);
        const known = entity.sequenceOf(writer);
        const before = entity.contents.bytes;
        if (survives(() => entity.apply({ entity: name, writer, sequence, delta }))) continue;
        assert.equal(entity.sequenceOf(writer), known);
        assert.equal(entity.contents.bytes, before);
      }
    }),
    { numRuns: 500 },
  );
});

test("a count larger than its bytes allocates nothing", () => {
  const huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f];
  for (const before of [[], [0, 2]]) {
    const image = Uint8Array.of(3, 0, 0, ...before, ...huge);
    assert.throws(() => Entity.decode(name, image), { code: "incompatible" });
  }
  const delta = Uint8Array.of(1, 0, 0, ...huge);
  const entity = Entity.create(name);
  assert.throws(() => entity.apply({ entity: name, writer: 1, sequence: 1, delta }), {
    code: "incompatible",
    message: /thing\/one/,
  });
});

test("commits without numbers are refused", () => {
  const entity = Entity.create(name);
  const delta = Uint8Array.of(1, 0, 0, 0);
  for (const [writer, sequence] of [
    [0, 1],
    [-1, 1],
    [1.5, 1],
    [1, 0.5],
  ] as const) {
    assert.throws(() => entity.apply({ entity: name, writer, sequence, delta }), {
      code: "incompatible",
    });
  }
});

test("commits that can never be applied do not pile up", () => {
  const entity = Entity.create(name);
  const delta = Uint8Array.of(1, 0, 0, 0);
  assert.throws(
    () => {
      for (let sequence = 2; sequence < 3_000; sequence += 1) {
        entity.apply({ entity: name, writer: 1, sequence, delta });
      }
    },
    { code: "overloaded", message: /fetch a whole copy/ },
  );
});
