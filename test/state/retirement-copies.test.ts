/** Copies of an entity before and after terms were retired: what they are to each other. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { Entity } from "../../src/state/entity.ts";
import { plainOf } from "../../src/state/plain.ts";
import { loadYjs } from "../../src/state/yjs.ts";
import { name, onTheWire, shape } from "./histories.ts";
import { Stream } from "./terms.ts";

before(loadYjs);

const plain = (entity: Entity) => plainOf(entity, shape) as Record<string, unknown>;

test("what a follower gets again of a retired term changes nothing", () => {
  const stream = new Stream(1);
  stream.terms(2);
  stream.turn(({ live }) => live.counter.add(1));
  const before = stream.follower.contentHash();
  for (const commit of stream.commits) {
    assert.equal(stream.follower.apply(onTheWire(commit)), false);
  }
  assert.equal(stream.follower.contentHash(), before);
  assert.equal(stream.follower.postponed, undefined);
});

test("a copy that lacked a commit of a retired term stays different", () => {
  const stream = new Stream(1);
  stream.turn(({ live }) => live.register.set("x"));
  const lacking = stream.primary.clone();
  stream.turn(({ live }) => live.register.set("y"));
  stream.nextTerm();
  lacking.apply(stream.turn(({ live }) => live.counter.add(1))!);
  assert.deepEqual([...lacking.vector], [...stream.primary.vector]);
  assert.notEqual(lacking.digest, stream.primary.digest);
});

test("copies of another birth from before and after a retirement are joined in any order", () => {
  const other = new Stream(2, 2 ** 50);
  other.term(({ live }) => {
    live.counter.add(1);
    live.tags.add("removed");
    live.tags.add("kept");
    live.register.set("old");
  });
  other.terms(1);
  const early = other.primary.encode();
  other.term(({ live }) => {
    live.counter.add(10);
    live.tags.delete("removed");
    live.register.set("new");
  });
  assert.ok(other.primary.context.hasRetired);
  const late = other.primary.encode();
  const hashes = new Set<number>();
  for (const order of [[early, late], [late, early], [late], [early, late, early, late]]) {
    const stream = new Stream(Infinity);
    stream.term(({ live }) => live.counter.add(100));
    for (const image of order) stream.primary.join(image);
    const { counter, tags, register } = plain(stream.primary);
    assert.deepEqual([counter, tags, register], [112, ["kept"], "new"]);
    hashes.add(stream.primary.contentHash());
  }
  assert.equal(hashes.size, 1);
});

test("an entity with which a copy of another birth was joined retires nobody any more", () => {
  const other = new Stream(1, 2 ** 50);
  other.terms(1);
  const stream = new Stream(1);
  stream.primary.join(other.primary.encode());
  stream.copy();
  stream.terms(5);
  assert.equal(stream.primary.vector.size, 6);
  assert.equal(plain(stream.primary)["counter"], 6);
  assert.equal(Entity.decode(name, stream.primary.encode()).context.past?.stays, true);
  stream.check();
});

test("a clone and its original do not see each other's retirement", () => {
  const stream = new Stream(1);
  stream.term(({ live }) => {
    live.lines.at("l").add(3);
    live.counter.add(1);
  });
  const clone = stream.primary.clone();
  const before = [clone.contentHash(), clone.digest, clone.contents.bytes];
  stream.terms(3);
  stream.turn(({ live }) => live.lines.at("l").add(1));
  assert.deepEqual([clone.contentHash(), clone.digest, clone.contents.bytes], before);
  const retired = stream.primary.clone();
  const after = retired.contentHash();
  stream.terms(3);
  assert.equal(retired.contentHash(), after);
  assert.equal(retired.context.hasRetired, true);
});
