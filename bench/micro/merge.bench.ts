/** Bringing copies of one entity together: by its commits, and as a whole. */
import { crdt } from "../../src/entry/main.ts";
import { Draft } from "../../src/state/draft.ts";
import type { StateCommit } from "../../src/state/commit.ts";
import { Entity } from "../../src/state/entity.ts";
import type { MicroBench } from "../lib/micro.ts";

const name = "cart/alice";
const shape = { visits: crdt.counter(), lines: crdt.map(crdt.counter()) };
const commitCount = 64;
const lineCount = 16;
const writer = 7;
const otherWriter = 8;

export const merge: MicroBench = {
  name: "merge",
  add(bench) {
    const commits = history(writer);
    const others = history(otherWriter);
    const left = replayed(commits);
    const right = replayed(others);
    const image = right.encode();
    bench.add(`apply ${String(commitCount)} commits`, () => {
      replayed(commits);
    });
    bench.add("merge two copies that differ", () => {
      left.clone().merge(right);
    });
    bench.add("decode an image", () => {
      Entity.decode(name, image);
    });
    bench.add("encode an image", () => {
      right.encode();
    });
  },
};

function history(by: number): StateCommit[] {
  const entity = Entity.create(name);
  return Array.from({ length: commitCount }, (_, index) => {
    const draft = new Draft({ entity, shape, writer: by, hybridTime: index + 1 });
    draft.live.visits.add(1);
    draft.live.lines.at(`line-${String(index % lineCount)}`).add(2);
    const commit = draft.finish();
    if (commit === undefined) throw new Error("a change made no commit");
    entity.apply(commit);
    return commit;
  });
}

function replayed(commits: readonly StateCommit[]): Entity {
  const entity = Entity.create(name);
  for (const commit of commits) entity.apply(commit);
  return entity;
}
