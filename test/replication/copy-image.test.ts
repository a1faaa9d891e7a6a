/** Partial images: what they leave out is what the receiver holds already, and nothing else. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { crdt } from "../../src/definition/kinds.ts";
import { Copy } from "../../src/replication/copy.ts";
import { Draft } from "../../src/state/draft.ts";
import { Entity } from "../../src/state/entity.ts";
import { plainOf } from "../../src/state/plain.ts";
import type { Commit } from "../../src/wire/replication-messages.ts";
import { commitSets, commitThat, type CommitSet } from "./support/commit-set.ts";

const owners = { processes: ["a#1", "b#1", "c#1"], position: 0, previous: [] };

function commit(sequence: number): Commit {
  return commitThat(`commit ${String(sequence)}`, "vault/k", { writer: 7, sequence });
}

/** Copies of one stream: each got so many of its commits and knows that the first is committed. */
function followers(counts: readonly number[]): Copy<CommitSet>[] {
  return counts.map((count) => {
    const copy = new Copy(commitSets, "g", { number: 1, process: "a#1" }, "a#1");
    for (let position = 1; position <= count; position++) copy.append(commit(position));
    copy.advance(2, []);
    return copy;
  });
}

test("a commit that a takeover left out does not come back through one who had it", () => {
  const [a, b, c] = followers([2, 2, 1]) as [Copy<CommitSet>, Copy<CommitSet>, Copy<CommitSet>];
  // The second commit reached a and b alone; the others went on without it.
  c.inherit({ number: 2, process: "c#1" }, owners);
  c.advance(1, []);
  b.install(c.image(b.at));
  assert.equal(b.digest(), c.digest());
  a.install(b.image(a.at));
  assert.equal(a.digest(), c.digest());
  assert.equal(a.entity("vault/k")?.includes(7, 2), false);
});

test("commits that a takeover did inherit are not sent again, and stay", () => {
  const [a, b, c] = followers([3, 2, 1]) as [Copy<CommitSet>, Copy<CommitSet>, Copy<CommitSet>];
  b.inherit({ number: 2, process: "b#1" }, owners);
  b.advance(1, []);
  for (const behind of [a, c]) {
    const image = b.image(behind.at);
    assert.equal(image.entities.length, behind === a ? 0 : 1);
    behind.install(image);
    assert.equal(behind.digest(), b.digest());
    assert.equal(behind.entity("vault/k")?.includes(7, 2), true);
  }
});

test("commits that a follower knows to be committed before its primary does are not applied again", () => {
  const shape = { count: crdt.counter() };
  const entities = {
    create: (name: string) => Entity.create(name),
    decode: (name: string, image: Uint8Array) => Entity.decode(name, image),
  };
  const add = (entity: Entity, writer: number): Commit => {
    const draft = new Draft({ entity, shape, writer, hybridTime: entity.hybridTime + 1 });
    draft.live.count.add(1);
    return draft.finish(1)!;
  };
  const tip = Entity.create("vault/k");
  const primary = new Copy<Entity>(entities, "g", { number: 1, process: "a#1" }, "a#1");
  const inherited = add(tip, 2);
  tip.apply(inherited);
  primary.append(inherited);
  primary.inherit({ number: 2, process: "b#1" }, owners);
  const follower = Copy.fromImage(entities, primary.image(undefined));
  // It retires the writer of what was inherited.
  const retiring = add(tip, 4);
  for (const copy of [primary, follower]) copy.append(retiring);
  follower.advance(2, []);
  const counted = (): unknown => plainOf(follower.entity("vault/k")!, shape);
  assert.deepEqual(counted(), { count: 2 });
  const before = follower.entity("vault/k")!.contentHash();
  assert.equal(primary.committed, 0);
  follower.install(primary.image(follower.at));
  assert.deepEqual(counted(), { count: 2 });
  assert.equal(follower.entity("vault/k")!.contentHash(), before);
});

test("an image names what was touched since, whatever that is", () => {
  const draws = fc.array(fc.nat(4), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(draws, fc.boolean(), (drawn, isInherited) => {
      const term = { number: 1, process: "a#1" };
      const copy = new Copy(commitSets, "g", term, "a#1");
      const touchedAt = new Map<string, number>();
      for (const [index, key] of drawn.entries()) {
        const name = `vault/${String(key)}`;
        copy.append(commitThat(String(index), name, { writer: 7, sequence: index + 1 }));
        touchedAt.set(name, copy.position);
      }
      const last = copy.position;
      copy.advance(last + 1, []);
      if (isInherited) {
        copy.inherit({ number: 2, process: "b#1" }, owners);
        copy.advance(1, []);
      }
      for (let position = 0; position <= last; position++) {
        const { entities } = copy.image({ synced: term, position });
        const wanted = [...touchedAt].filter(([, at]) => at > position).map(([name]) => name);
        assert.deepEqual(entities.map(({ name }) => name).sort(), wanted.sort());
      }
    }),
  );
});
