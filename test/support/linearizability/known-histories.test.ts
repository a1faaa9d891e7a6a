/** Histories of which everybody can see whether they are linearizable. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { checkHistory, historiesByKey, type Verdict } from "./check.ts";
import { counter, register } from "./model.ts";
import type { Input, Operation, State } from "./operation.ts";

type Told = readonly [
  process: string,
  invokedAt: number,
  returnedAt: number | "never",
  input: Input,
  output?: State,
];

function history(...told: readonly Told[]): Operation[] {
  return told.map(([process, invokedAt, returnedAt, input, output], index) => ({
    ...{ id: `c${index}`, process, key: "key", invokedAt, input, output },
    returnedAt: returnedAt === "never" ? undefined : returnedAt,
  }));
}

const read: Input = { type: "read" };
const write = (value: State): Input => ({ type: "write", value });
const add = (by: number): Input => ({ type: "add", by });

function ofRegister(...told: readonly Told[]): Verdict {
  return checkHistory(history(...told), register("empty"));
}

function ofCounter(...told: readonly Told[]): Verdict {
  return checkHistory(history(...told), counter());
}

function assertMisfit(verdict: Verdict, id: string): void {
  assert.equal(verdict.type, "violation");
  assert.equal(verdict.misfit.id, id, verdict.explanation);
}

describe("accepts", () => {
  const good: Readonly<Record<string, Verdict>> = {
    "a history without operations": ofRegister(),
    "reads of what there was before the first write": ofRegister(["p1", 0, 1, read, "empty"]),
    "one operation after another": ofRegister(
      ["p1", 0, 1, write("a")],
      ["p2", 2, 3, read, "a"],
      ["p1", 4, 5, write("b")],
      ["p2", 6, 7, read, "b"],
    ),
    "a read that sees a write which has not returned, and one that does not see it yet": ofRegister(
      ["p1", 0, 10, write("a")],
      ["p2", 1, 2, read, "empty"],
      ["p3", 3, 4, read, "a"],
    ),
    "concurrent writes in either order": ofRegister(
      ["p1", 0, 10, write("a")],
      ["p2", 1, 9, write("b")],
      ["p3", 11, 12, read, "a"],
    ),
    "a value that is written twice and read before and after another one": ofRegister(
      ["p1", 0, 20, write("a")],
      ["p2", 0, 3, write("a")],
      ["p3", 4, 5, read, "a"],
      ["p2", 6, 7, write("b")],
      ["p3", 8, 9, read, "b"],
      ["p3", 10, 11, read, "a"],
    ),
    "what returns when something else is invoked, as concurrent": ofRegister(
      ["p1", 0, 5, write("a")],
      ["p2", 5, 6, read, "empty"],
    ),
    "a write without an answer that nobody sees": ofRegister(
      ["p1", 0, "never", write("a")],
      ["p2", 1, 2, read, "empty"],
      ["p2", 100, 101, read, "empty"],
    ),
    "a write without an answer that takes effect late": ofRegister(
      ["p1", 0, "never", write("a")],
      ["p2", 1, 2, write("b")],
      ["p2", 3, 4, read, "b"],
      ["p2", 50, 51, read, "a"],
    ),
    "a read without an answer": ofRegister(["p1", 0, "never", read], ["p2", 1, 2, write("a")]),
    "additions that are told their sums": ofCounter(
      ["p1", 0, 10, add(1), 3],
      ["p2", 0, 10, add(2), 2],
      ["p3", 11, 12, read, 3],
    ),
    "additions that are told nothing": ofCounter(
      ["p1", 0, 10, add(1)],
      ["p2", 0, 10, add(2)],
      ["p3", 1, 2, read, 2],
      ["p3", 11, 12, read, 3],
    ),
    "additions without an answer, of which some have run": ofCounter(
      ["p1", 0, "never", add(1)],
      ["p2", 0, "never", add(1)],
      ["p3", 0, "never", add(5)],
      ["p4", 1, 2, read, 1],
      ["p4", 3, 4, read, 6],
      ["p4", 5, 6, add(1), 7],
    ),
    subtractions: ofCounter(
      ["p1", 0, "never", add(3)],
      ["p2", 0, "never", add(-2)],
      ["p3", 1, 2, read, 1],
      ["p3", 3, 4, read, 1],
    ),
  };
  for (const [what, verdict] of Object.entries(good)) {
    test(what, () => {
      assert.equal(verdict.type, "linearizable", JSON.stringify(verdict));
    });
  }
});

describe("refuses", () => {
  test("a stale read", () => {
    const verdict = ofRegister(
      ["p1", 0, 1, write("a")],
      ["p1", 2, 3, write("b")],
      ["p2", 4, 5, read, "a"],
    );
    assertMisfit(verdict, "c2");
  });

  test("a lost update of a register", () => {
    const verdict = ofRegister(["p1", 0, 1, write("a")], ["p2", 2, 3, read, "empty"]);
    assertMisfit(verdict, "c1");
  });

  test("a lost update of a counter", () => {
    const verdict = ofCounter(
      ["p1", 0, 5, add(1), 1],
      ["p2", 0, 6, add(1), 1],
      ["p3", 7, 8, read, 1],
    );
    assertMisfit(verdict, "c1");
  });

  test("an addition that counts twice", () => {
    const verdict = ofCounter(["p1", 0, 1, add(1), 1], ["p2", 2, 3, read, 2]);
    assertMisfit(verdict, "c1");
  });

  test("the read of a value that was never written", () => {
    const verdict = ofRegister(["p1", 0, "never", write("a")], ["p2", 0, 3, read, "b"]);
    assertMisfit(verdict, "c1");
  });

  test("the read of a value before it is written", () => {
    const verdict = ofRegister(["p2", 0, 1, read, "a"], ["p1", 2, 3, write("a")]);
    assertMisfit(verdict, "c0");
  });

  test("two reads that go back in time during a write", () => {
    const verdict = ofRegister(
      ["p1", 0, 10, write("a")],
      ["p2", 1, 2, read, "a"],
      ["p3", 3, 4, read, "empty"],
    );
    assertMisfit(verdict, "c2");
  });

  test("a write without an answer that is seen, then unseen", () => {
    const verdict = ofRegister(
      ["p1", 0, 1, write("a")],
      ["p2", 2, "never", write("b")],
      ["p3", 3, 4, read, "b"],
      ["p3", 5, 6, read, "a"],
    );
    assertMisfit(verdict, "c3");
  });

  test("an addition without an answer that is seen, then unseen", () => {
    const verdict = ofCounter(
      ["p1", 0, "never", add(1)],
      ["p2", 1, 2, read, 1],
      ["p2", 3, 4, read, 0],
    );
    assertMisfit(verdict, "c2");
  });

  test("readers that see concurrent writes in different orders", () => {
    const verdict = ofRegister(
      ["p1", 0, 10, write("a")],
      ["p2", 0, 10, write("b")],
      ["p3", 1, 2, read, "a"],
      ["p4", 3, 4, read, "b"],
      ["p3", 5, 6, read, "a"],
    );
    assertMisfit(verdict, "c4");
  });
});

test("explains what fits nowhere by what came before it and what was under way", () => {
  const verdict = ofRegister(
    ["p1", 0, 1, write("a")],
    ["p1", 2, 3, write("b")],
    ["p3", 3.5, "never", write("c")],
    ["p2", 4, 5, read, "a"],
    ["p2", 6, 7, read, "b"],
  );
  assert.equal(verdict.type, "violation");
  assert.equal(
    verdict.explanation,
    [
      `key: p2 read → "a" (c3, 4.0 … 5.0) fits nowhere.`,
      "Before it 2 operations can be put in order:",
      `  p1 write "a" (c0, 0.0 … 1.0)`,
      `  p1 write "b" (c1, 2.0 … 3.0)`,
      `  then the state is "b"`,
      "Not returned by then, so that each may have run or not:",
      `  p3 write "c" (c2, 3.5 … no answer)`,
    ].join("\n"),
  );
});

test("does not know once it has looked at as many configurations as it may", () => {
  const told: Told[] = Array.from({ length: 8 }, (_, n) => ["p1", 0, 10, add(2 ** n)]);
  const impossible = history(...told, ["p2", 1, 2, read, 256]);
  assert.equal(checkHistory(impossible, counter()).type, "violation");
  assert.deepEqual(checkHistory(impossible, counter(), 100), {
    type: "unknown",
    configurations: 100,
  });
});

test("takes each key by itself", () => {
  const operations = history(["p1", 0, 1, write("a")], ["p2", 2, 3, read, "empty"]);
  const elsewhere = operations.map((operation, n) => ({ ...operation, key: `key-${n}` }));
  const histories = historiesByKey([...operations, ...elsewhere]);
  assert.deepEqual(
    [...histories].map(([key, history]) => [key, checkHistory(history, register("empty")).type]),
    [
      ["key", "violation"],
      ["key-0", "linearizable"],
      ["key-1", "linearizable"],
    ],
  );
});

test("refuses operations of another object", () => {
  assert.throws(() => ofRegister(["p1", 0, 1, add(1)]), /register has no add/);
  assert.throws(() => ofCounter(["p1", 0, 1, write("a")]), /counter has no write/);
});
