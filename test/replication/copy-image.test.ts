/** Partial images: what they leave out is what the receiver holds already, and nothing else. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Copy } from "../../src/replication/copy.ts";
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
