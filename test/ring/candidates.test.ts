/** The three traps of `hashring` 3.2.0, each shown in the library and shown not to reach us. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import HashRing from "hashring";
import { Candidates } from "../../src/ring/candidates.ts";

function ringOf(ids: readonly string[]): Candidates {
  return new Candidates(
    [...ids].sort().map((id) => ({ id, weight: 1 })),
    24,
  );
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `node-${String(index)}`);
}

test("trap 1: looking up __proto__ pollutes the library's process, and never ours", () => {
  const script = `
    const HashRing = require("hashring");
    new HashRing({ a: { vnodes: 40 }, b: { vnodes: 40 } }).get("__proto__");
    process.stdout.write(String(Object.keys(Object.prototype).length + ("value" in {} ? 1 : 0)));
  `;
  const polluted = execFileSync(process.execPath, ["-e", script], { encoding: "utf8" });
  assert.notEqual(polluted, "0", "the library is cured: candidates.ts may be simplified");
  const before = Object.getOwnPropertyNames(Object.prototype);
  const ring = ringOf(["__proto__", "constructor", "toString", "a"]);
  for (let partition = 0; partition < 1024; partition += 1) ring.of(partition);
  assert.deepEqual(Object.getOwnPropertyNames(Object.prototype), before);
});

test("trap 1: a server called __proto__ has no points in the library; here it has its share", () => {
  const servers = Object.fromEntries(["__proto__", "a", "b"].map((id) => [id, { vnodes: 40 }]));
  const bare = new HashRing(servers, "md5", { "vnode count": 1 });
  assert.ok(!bare.range("p:1", 3).includes("__proto__"));
  const ring = ringOf(["__proto__", "a", "b"]);
  let first = 0;
  for (let partition = 0; partition < 1024; partition += 1) {
    assert.deepEqual([...ring.of(partition)].sort(), ["__proto__", "a", "b"]);
    if (ring.of(partition)[0] === "__proto__") first += 1;
  }
  assert.ok(first > 200 && first < 500, String(first));
});

test("trap 2: the default number of virtual nodes shrinks at 49 servers; here it is exact", () => {
  const pointsOf = (ring: HashRing): number => (ring as unknown as { size: number }).size;
  assert.equal(pointsOf(new HashRing(names(48))), 48 * 160);
  assert.ok(pointsOf(new HashRing(names(49))) < 49 * 160);
  for (const count of [7, 14, 28, 49, 56, 98]) {
    const before = ringOf(names(count - 1));
    const after = ringOf(names(count));
    let moved = 0;
    for (let partition = 0; partition < 1024; partition += 1) {
      if (before.of(partition)[0] !== after.of(partition)[0]) moved += 1;
    }
    // With the trap, members lose points for no reason and keys move between old members.
    assert.ok(moved <= (1.7 * 1024) / count + 6, `${String(count)}: ${String(moved)} moved`);
    for (let partition = 0; partition < 1024; partition += 1) {
      const [was, is] = [before.of(partition)[0], after.of(partition)[0]];
      assert.ok(was === is || is === `node-${String(count - 1)}`, "moved between old members");
    }
  }
});

test("trap 3: equal points keep the order of insertion, so the list is sorted before", () => {
  const hash = (): string => "\u0001".repeat(16);
  const servers = (ids: readonly string[]): Record<string, { vnodes: number }> =>
    Object.fromEntries(ids.map((id) => [id, { vnodes: 2 }]));
  assert.deepEqual(new HashRing(servers(["b", "a"]), hash).range("p:0", 2), ["b", "a"]);
  assert.deepEqual(new HashRing(servers(["a", "b"]), hash).range("p:0", 2), ["a", "b"]);
});

test("integer-like and look-alike ids are members like any other", () => {
  const ids = ["1", "01", "10", "n:1", "n:n:1", "é", "e\u0301", "𝄞", "a:7400", "a"];
  const ring = ringOf(ids);
  for (let partition = 0; partition < 64; partition += 1) {
    assert.deepEqual([...ring.of(partition)].sort(), [...ids].sort());
  }
});

test("gives at most as many candidates as asked for", () => {
  const ring = new Candidates(
    names(30).map((id) => ({ id, weight: 1 })),
    24,
  );
  assert.equal(ring.of(0).length, 24);
  assert.deepEqual(new Candidates([], 24).of(0), []);
});

test("more weight gives more points", () => {
  const ring = new Candidates(
    [
      { id: "a", weight: 0.1 },
      { id: "b", weight: 3 },
    ],
    24,
  );
  let first = 0;
  for (let partition = 0; partition < 1024; partition += 1)
    if (ring.of(partition)[0] === "a") first += 1;
  assert.ok(first > 5 && first < 90, String(first));
  assert.throws(() => new Candidates([{ id: "a", weight: 0.02 }], 24), /too small/);
});
