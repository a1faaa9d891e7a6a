/** Of random histories of terms and forks: whether ended terms are retired shows nowhere. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import fc from "fast-check";
import { Entity } from "../../src/state/entity.ts";
import { plainOf } from "../../src/state/plain.ts";
import { loadYjs } from "../../src/state/yjs.ts";
import { name, perform, shape, turn } from "./histories.ts";
import type { Change, TurnDraft } from "./histories.ts";
import { Stream } from "./terms.ts";
import type { Fork } from "./terms.ts";

before(loadYjs);

const outcome = { type: "ok", value: Uint8Array.of(7) } as const;

interface Deed {
  readonly type: "turn" | "term" | "fork" | "fork turn" | "merge" | "copy";
  readonly changes: readonly Change[];
}

/** Deletes of counters of maps: see "Retirement" in `src/state/README.md`. */
const inexactInForks: ReadonlySet<number> = new Set([14, 15, 20]);
const recording = 23;

const deeds = fc
  .constantFrom(
    Array.from({ length: 25 }, (_, what) => what),
    [12, 12, 13, 14, 15, 0],
    [19, 19, 20, 12, 14],
    [7, 7, 8, 9, 10, 11, 16, 17, 18],
    [3, 4, 5, 6, 1, 2, 22],
    [23, 24, 24],
    [21, 0],
  )
  .chain((group) => {
    const change = fc.record({
      what: fc.constantFrom(...group),
      key: fc.nat(2),
      value: fc.integer({ min: -3, max: 9 }),
    });
    const type: fc.Arbitrary<Deed["type"]> = fc.constantFrom(
      ...(["turn", "turn", "term", "term", "fork", "fork turn", "merge", "copy"] as const),
    );
    const changes = fc.array(change, { minLength: 1, maxLength: 4 });
    return fc.array(fc.record({ type, changes }), { minLength: 4, maxLength: 40 });
  });

/** What readers, callers and the node see. */
function visible(entity: Entity): object {
  return {
    plain: plainOf(entity, shape),
    mark: entity.mark,
    expireAt: entity.expireAt,
    outbox: entity.outbox.entries,
    failed: entity.outbox.failed,
    records: entity.dedupe.records(),
    waits: entity.postponed !== undefined,
  };
}

function playDeeds(script: readonly Deed[], retireAt: number): Stream {
  const stream = new Stream(retireAt);
  let fork: Fork | undefined;
  let number = 0;
  for (const { type, changes } of script) {
    number += 1;
    const run = (isFork: boolean) => (draft: TurnDraft, entity: Entity) => {
      for (const change of changes) {
        if (change.what === recording) record(draft, entity, change, number);
        else if (!isFork || !inexactInForks.has(change.what)) perform(draft, entity, change);
      }
    };
    if (type === "turn") stream.turn(run(false));
    else if (type === "term") stream.term(run(false));
    else if (type === "copy") stream.copy();
    else if (type === "fork") fork = stream.fork();
    else if (fork !== undefined && type === "fork turn") stream.turnOf(fork, run(true));
    else if (fork !== undefined) stream.merge(fork);
    stream.check();
  }
  if (fork !== undefined) stream.merge(fork);
  stream.check();
  return stream;
}

function record(draft: TurnDraft, entity: Entity, { key, value }: Change, number: number): void {
  const caller = "abc"[key]!;
  const received = Math.max(1, number - (value > 3 ? 0 : 2));
  if (entity.dedupe.lookup(caller, number, received).type !== "new") return;
  try {
    draft.recordResult({ caller, number, received, digest: 1, outcome });
  } catch {
    draft.forgetCaller(caller);
  }
}

const deed = (type: Deed["type"], ...changes: readonly (readonly [number, number])[]): Deed => ({
  type,
  changes: changes.map(([what, value]) => ({ what, key: 0, value })),
});

/** What is left of a deleted counter until its term is retired was cleared once more: a commit for nothing. */
const clearedTwice = [
  deed("term", [13, 1]),
  deed("turn", [14, 0], [0, 0]),
  deed("turn", [0, 0]),
  deed("turn", [0, 0]),
  deed("turn", [15, 0]),
  deed("turn", [24, 0], [0, 0]),
];

test("whatever happens, terms that are retired leave what all see as it would be without", () => {
  fc.assert(
    fc.property(deeds, fc.integer({ min: 1, max: 3 }), (script, retireAt) => {
      const retiring = playDeeds(script, retireAt);
      const keeping = playDeeds(script, Infinity);
      assert.deepEqual(visible(retiring.primary), visible(keeping.primary));
      const read = Entity.decode(name, retiring.primary.encode());
      assert.equal(read.contentHash(), retiring.primary.contentHash());
      assert.equal(read.digest, retiring.primary.digest);
      assert.equal(read.contents.bytes, retiring.primary.contents.bytes);
      const next = turn(read, 2 ** 45, 90_000, ({ live }) => {
        live.lines.clear();
        live.tags.clear();
        live.groups.clear();
        live.deep.clear();
        live.counter.add(1);
      })!;
      retiring.primary.apply(next);
      assert.deepEqual(visible(retiring.primary), visible(read));
      const { lines, tags, groups, deep } = plainOf(read, shape);
      assert.deepEqual([lines, tags, groups, deep], [{}, [], {}, {}]);
    }),
    { numRuns: 400, examples: [[clearedTwice, 1]] },
  );
});
