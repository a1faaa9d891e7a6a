import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LatticeError } from "../../src/model/error.ts";
import { SessionMarks } from "../../src/routing/session-marks.ts";
import { readToken, writeToken } from "../../src/wire/session-token.ts";

const at = (number: number, process: string, position: number) =>
  ({ term: { number, process }, position }) as const;

test("a session remembers the newest of each partition, whatever is told later", () => {
  const session = new SessionMarks("");
  session.note([{ partition: 3, mark: at(2, "b#1", 7) }]);
  session.note([
    { partition: 3, mark: at(2, "b#1", 6) },
    { partition: 3, mark: at(1, "z#1", 90) },
    { partition: 4, mark: at(1, "a#1", 0) },
  ]);
  assert.deepEqual(session.seenOf(3), at(2, "b#1", 7));
  assert.deepEqual(session.seenOf(4), at(1, "a#1", 0));
  assert.equal(session.seenOf(5), undefined);
  session.note([{ partition: 3, mark: at(2, "c#1", 0) }]);
  assert.deepEqual(
    session.seenOf(3),
    at(2, "c#1", 0),
    "of two terms with a number the later process",
  );
});

test("a token goes on where the session was", () => {
  const session = new SessionMarks("");
  session.note([{ partition: 1023, mark: at(12, "ws://10.0.0.1:7400#1764394234000123", 812_345) }]);
  const next = new SessionMarks(session.token(1024));
  assert.deepEqual(next.seenOf(1023), session.seenOf(1023));
  next.checkCluster(1024);
  assert.throws(() => {
    next.checkCluster(256);
  }, /is of a cluster with 1024 partitions, this one has 256/);
});

test("tokens are read as they were written, and are small", () => {
  const mark = fc
    .tuple(
      fc.integer({ min: 1, max: 2 ** 40 }),
      fc.constantFrom("a#1", "b#2", "node-ä#17"),
      fc.nat(),
    )
    .map(([number, process, position]) => at(number, process, position));
  const marks = fc.array(fc.tuple(fc.integer({ min: 0, max: 255 }), mark), { maxLength: 300 });
  fc.assert(
    fc.property(marks, (entries) => {
      const token = { partitionCount: 256, marks: new Map(entries) };
      const read = readToken(writeToken(token));
      assert.deepEqual([...read.marks].sort(), [...token.marks].sort());
      assert.equal(read.partitionCount, 256);
    }),
  );
  const all = Array.from(
    { length: 256 },
    (_, p) => [p, at(9, "node-1#1764394234000123", 4_000)] as const,
  );
  const text = writeToken({ partitionCount: 256, marks: new Map(all) });
  assert.ok(text.length < 2_600, `${String(text.length)} characters for 256 partitions`);
  assert.match(text, /^[\w.~-]+$/, "it can stand in a URL and in a header");
});

test("what is no token is refused, whatever it is", () => {
  const good = new SessionMarks("");
  good.note([{ partition: 1, mark: at(1, "a#1", 1) }]);
  const token = good.token(8);
  const isRefused = (error: unknown): boolean =>
    error instanceof LatticeError && error.code === "invalid_argument";
  for (const bad of [
    "%%%",
    "AA",
    "",
    `${token}~`,
    `${token}-1`,
    `${token}.`,
    token.slice(1),
    token.replace("1.8", "1.1"),
  ]) {
    assert.throws(() => readToken(bad), isRefused, bad);
  }
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        readToken(text);
      } catch (error) {
        assert.ok(isRefused(error));
      }
    }),
  );
});
