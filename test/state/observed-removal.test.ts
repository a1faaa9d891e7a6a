/**
 * Against an oracle that knows nothing of dots: an addition counts unless some removal was made by
 * someone who had seen it.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Entity } from "../../src/state/entity.ts";
import { plainOf } from "../../src/state/plain.ts";
import { name, onTheWire, shape, shuffled, turn, writers } from "./histories.ts";

interface Deed {
  readonly writer: number;
  readonly sequence: number;
  readonly base: ReadonlyMap<number, number>;
  readonly type: "add" | "delete" | "clear";
  readonly key: string;
  readonly by: number;
}

const deeds = fc.array(
  fc.record({
    replica: fc.nat(2),
    other: fc.nat(2),
    type: fc.constantFrom("add", "add", "add", "delete", "clear", "sync", "sync"),
    key: fc.constantFrom("a", "b"),
    by: fc.integer({ min: 1, max: 50 }),
  }),
  { minLength: 4, maxLength: 40 },
);

function survives(add: Deed, all: readonly Deed[]): boolean {
  return !all.some(
    (removal) =>
      (removal.type === "clear" || (removal.type === "delete" && removal.key === add.key)) &&
      (removal.base.get(add.writer) ?? 0) >= add.sequence,
  );
}

test("a delete takes what it has seen, and what was done at the same time survives", () => {
  fc.assert(
    fc.property(deeds, fc.nat(), (script, order) => {
      const replicas = writers.map(() => Entity.create(name));
      const done: Deed[] = [];
      const commits = [];
      let time = 0;
      for (const { replica, other, type, key, by } of script) {
        const entity = replicas[replica]!;
        const writer = writers[replica]!;
        if (type === "sync") {
          entity.merge(replicas[other]!);
          continue;
        }
        const base = entity.vector;
        time += 1;
        const commit = turn(entity, writer, time, ({ live }) => {
          if (type === "add") {
            live.lines.at(key).add(by);
            live.groups.at(key).add(by);
            live.tags.add(key);
            live.settings.set(key, by);
          } else if (type === "delete") {
            live.lines.delete(key);
            live.groups.delete(key);
            live.tags.delete(key);
            live.settings.delete(key);
          } else {
            live.lines.clear();
            live.groups.clear();
            live.tags.clear();
            live.settings.clear();
          }
        });
        if (commit === undefined) continue;
        commits.push(commit);
        done.push({ writer, sequence: commit.sequence, base, type, key, by });
      }
      const whole = Entity.create(name);
      for (const commit of shuffled(commits, order)) whole.apply(onTheWire(commit));
      const plain = plainOf(whole, shape);
      const alive = done.filter((deed) => deed.type === "add" && survives(deed, done));
      for (const key of ["a", "b"]) {
        const own = alive.filter((deed) => deed.key === key);
        const sum = own.reduce((total, deed) => total + deed.by, 0);
        assert.equal(plain.lines[key] ?? 0, sum);
        assert.equal(key in plain.lines, own.length > 0);
        const members = [...new Set(own.map((deed) => deed.by))].sort((a, b) => a - b);
        assert.deepEqual(plain.groups[key] ?? [], members);
        assert.equal(plain.tags.includes(key), own.length > 0);
        // Done in the order of time, so the newest survivor is what was written last.
        assert.equal(plain.settings[key], own.at(-1)?.by);
      }
    }),
    { numRuns: 500 },
  );
});
