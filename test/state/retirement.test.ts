/** Ended terms leave an entity, and nothing that readers see changes with that. */
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { StateCommit } from "../../src/state/commit.ts";
import { runsOf } from "../../src/state/counter-run.ts";
import { Entity } from "../../src/state/entity.ts";
import type { Operation } from "../../src/state/operation.ts";
import { plainOf } from "../../src/state/plain.ts";
import { retireAtDefault } from "../../src/state/retirement.ts";
import { loadYjs } from "../../src/state/yjs.ts";
import { name, shape } from "./histories.ts";
import { Stream } from "./terms.ts";

before(loadYjs);

const plain = (entity: Entity) => plainOf(entity, shape) as Record<string, unknown>;
const retires = (commit: StateCommit | undefined): boolean =>
  commit?.operations.some(({ type }) => type === "retire") === true;
const target = { functionName: "f", key: "k", operation: "run", input: Uint8Array.of(1) };
const outcome = { type: "ok", value: Uint8Array.of(7) } as const;

/** So many terms later retired ones are known by name, or not any more. */
const whiles = [
  [2, "soon"],
  [140, "long ago"],
] as const;

test("with the 33rd term the 32 before it leave, with a commit that is made anyway", () => {
  const stream = new Stream(retireAtDefault);
  stream.terms(retireAtDefault);
  assert.equal(stream.primary.vector.size, 32);
  assert.equal(
    stream.turn(() => undefined),
    undefined,
  );
  const before = stream.primary.encode().length;
  const commit = stream.turn(({ live }) => live.counter.add(1));
  assert.ok(retires(commit));
  assert.equal(commit!.operations.at(-1)!.type, "retire");
  assert.deepEqual([...stream.primary.vector], [[stream.writer, 1]]);
  assert.equal(plain(stream.primary)["counter"], 33);
  assert.ok(stream.primary.encode().length < before);
  stream.check();
  assert.equal(retires(stream.turn(({ live }) => live.counter.add(1))), false);
});

test("an entity that lives for long stays small", () => {
  const stream = new Stream(retireAtDefault);
  for (let round = 0; round < 400; round += 1) {
    stream.term(({ live }) => {
      live.counter.add(1);
      live.lines.at("a").add(1);
      live.register.set("x");
    });
  }
  assert.equal(plain(stream.primary)["counter"], 400);
  assert.deepEqual(plain(stream.primary)["lines"], { a: 400 });
  assert.ok(stream.primary.vector.size <= 33);
  assert.ok(stream.primary.encode().length < 2_200);
  stream.check();
});

test("a fork retires nobody, and is not retired", () => {
  const stream = new Stream(2);
  const first = stream.fork();
  stream.turnOf(first, ({ live }) => live.counter.add(1));
  stream.merge(first);
  stream.terms(2);
  const fork = stream.fork();
  stream.turnOf(fork, ({ live }) => live.counter.add(10));
  assert.equal(retires(fork.commits[0]), false);
  stream.terms(2);
  assert.equal(stream.primary.sequenceOf(first.writer), 1);
  stream.merge(fork);
  assert.equal(stream.primary.sequenceOf(fork.writer), 1);
  assert.equal(plain(stream.primary)["counter"], 15);
  stream.check();
});

test("what ended terms have written is there, and is written over and removed as before", () => {
  const stream = new Stream(1);
  stream.term(({ live }) => {
    live.register.set("old");
    live.flag.enable();
    live.most.observe(4);
    live.tags.add("a");
    live.tags.add("b");
    live.settings.set("x", 1);
    live.groups.at("g").add(1);
    live.lines.at("l").add(5);
    live.deep.at("d").at("x").add(6);
    live.text.insert(0, "hello");
  });
  const before = plain(stream.primary);
  stream.term(({ live }) => live.counter.add(1));
  stream.term(({ live }) => live.counter.add(1));
  assert.deepEqual(plain(stream.primary), { ...before, counter: 2 });
  stream.term(({ live }) => {
    live.register.set("new");
    live.flag.disable();
    live.most.observe(9);
    live.tags.delete("a");
    live.settings.clear();
    live.groups.delete("g");
    live.lines.delete("l");
    live.deep.clear();
    live.text.insert(5, "!");
  });
  const after = plain(stream.primary);
  const empty = { settings: {}, groups: {}, lines: {}, deep: {} };
  const cells = { register: "new", flag: false, most: 9, tags: ["b"], text: "hello!" };
  assert.deepEqual(after, { ...before, counter: 2, ...empty, ...cells });
  // Only what was removed leaves nothing behind.
  for (const field of ["r/register", "f/flag", "x/most"]) {
    const cell = stream.primary.contents.get(field);
    assert.ok(cell?.type === "cell" && cell.next === undefined, field);
  }
  assert.equal(stream.primary.contents.get("mc/lines"), undefined);
  stream.turn(({ live }) => live.tags.clear());
  assert.deepEqual(plain(stream.primary)["tags"], []);
  stream.check();
});

for (const [terms, since] of whiles) {
  test(`a fork from before removes what it saw and no more, also of terms that are retired, ${since}`, () => {
    const stream = new Stream(1);
    stream.turn(({ live }) => {
      live.tags.add("seen");
      live.tags.add("again");
      live.groups.at("g").add(1);
      live.register.set("seen");
    });
    const fork = stream.fork();
    stream.turnOf(fork, ({ live }) => {
      live.tags.clear();
      live.groups.delete("g");
      live.register.set("forked");
    });
    stream.turn(({ live }) => {
      live.tags.add("again");
      live.groups.at("g").add(2);
    });
    stream.nextTerm();
    stream.term(({ live }) => live.tags.add("later"));
    stream.terms(terms);
    assert.deepEqual([...stream.primary.vector.keys()].length, 1);
    stream.merge(fork);
    const { tags, groups, register } = plain(stream.primary);
    assert.deepEqual([tags, groups, register], [["again", "later"], { g: [2] }, "forked"]);
    assert.equal(stream.primary.postponed, undefined, "and nothing waits for those who never come");
    stream.check();
  });
}

for (const [terms, since] of whiles) {
  test(`a fork from after it removes what retired terms have left, ${since}`, () => {
    const stream = new Stream(1);
    stream.term(({ live }) => {
      live.tags.add("a");
      live.groups.at("g").add(1);
      live.lines.at("l").add(3);
    });
    stream.terms(terms);
    const fork = stream.fork();
    stream.turnOf(fork, ({ live }) => {
      live.tags.clear();
      live.groups.clear();
      live.lines.delete("l");
    });
    stream.terms(terms);
    stream.merge(fork);
    const { tags, groups } = plain(stream.primary);
    assert.deepEqual([tags, groups], [[], {}]);
    stream.check();
  });
}

test("a removal of what another fork wrote waits for that fork, as it did before", () => {
  const stream = new Stream(1);
  stream.terms(2);
  const first = stream.fork();
  stream.turnOf(first, ({ live }) => live.tags.add("x"));
  // The same process has a new writer in its next degraded service.
  const second = { entity: first.entity, writer: 99, commits: [] };
  stream.turnOf(second, ({ live }) => live.tags.delete("x"));
  stream.terms(2);
  stream.merge(second);
  assert.notEqual(stream.primary.postponed, undefined);
  stream.merge(first);
  assert.deepEqual(plain(stream.primary)["tags"], []);
  assert.equal(stream.primary.postponed, undefined);
  stream.check();
});

test("a counter of a map that a fork deleted keeps what ended terms added, if they were retired", () => {
  const lines = (terms: number): unknown => {
    const stream = new Stream(1);
    stream.term(({ live }) => live.lines.at("l").add(3));
    const fork = stream.fork();
    stream.turnOf(fork, ({ live }) => live.lines.delete("l"));
    stream.terms(terms);
    stream.merge(fork);
    stream.check();
    return plain(stream.primary)["lines"];
  };
  assert.deepEqual(lines(0), {});
  assert.deepEqual(lines(1), { l: 3 });
});

test("floors go with the runs that they are of", () => {
  const stream = new Stream(2);
  stream.turn(({ live }) => {
    live.lines.at("gone").add(1);
    live.lines.at("partly").add(1);
  });
  const fork = stream.fork();
  stream.turnOf(fork, ({ live }) => live.lines.clear());
  stream.turn(({ live }) => live.lines.at("partly").add(10));
  stream.merge(fork);
  stream.nextTerm();
  stream.term(({ live }) => live.lines.at("partly").add(20));
  stream.turn(({ live }) => live.counter.add(1));
  assert.deepEqual(plain(stream.primary)["lines"], { partly: 30 });
  const counters = stream.primary.contents.get("mc/lines");
  assert.ok(counters?.type === "dict");
  assert.deepEqual([...counters.children.keys()], ["partly"]);
  const left = counters.children.get("partly");
  assert.ok(left?.type === "counter" && left.next === undefined && left.floor === 0);
  stream.check();
});

for (const had of [false, true]) {
  const when = had ? "has added" : "adds for the first time";
  test(`a term that ${when} and adds in the commit that retires goes on in one run`, () => {
    const stream = new Stream(Infinity);
    stream.terms(3);
    if (had) stream.turn(({ live }) => live.counter.add(10));
    const fork = stream.fork();
    stream.turnOf(fork, ({ live }) => live.counter.add(1_000));
    stream.merge(fork);
    stream.retireAt = 3;
    assert.ok(retires(stream.turn(({ live }) => live.counter.add(100))));
    const sum = had ? 1_113 : 1_103;
    assert.equal(plain(stream.primary)["counter"], sum);
    stream.turn(({ live }) => live.counter.add(1));
    assert.equal(plain(stream.primary)["counter"], sum + 1);
    const counter = stream.primary.contents.get("c/counter");
    assert.ok(counter?.type === "counter");
    assert.deepEqual(
      runsOf(counter).map(({ writer, total }) => [writer, total]),
      [
        [fork.writer, 1_000],
        [stream.writer, sum + 1 - 1_000],
      ],
    );
    stream.check();
  });
}

test("a key that a term has deleted and begun anew while it retires others is begun anew", () => {
  const stream = new Stream(1);
  stream.term(({ live }) => live.lines.at("l").add(3));
  const commit = stream.turn(({ live }) => {
    live.lines.delete("l");
    live.lines.at("l").add(4);
  });
  assert.ok(retires(commit));
  assert.deepEqual(plain(stream.primary)["lines"], { l: 4 });
  stream.turn(({ live }) => live.lines.delete("l"));
  assert.equal(stream.primary.contents.get("mc/lines"), undefined);
  stream.check();
});

test("sums that leave the finite numbers stay finite, and a counter of 0 stays", () => {
  const stream = new Stream(2);
  for (const by of [Number.MAX_VALUE, 0]) {
    stream.term(({ live }) => {
      live.counter.add(by);
      live.lines.at("zero").add(1);
      live.lines.at("zero").add(-1);
      live.lines.at("both").add(by === 0 ? -1 : 1);
    });
  }
  stream.turn(({ live }) => live.register.set("x"));
  assert.equal(plain(stream.primary)["counter"], Number.MAX_VALUE);
  assert.deepEqual(plain(stream.primary)["lines"], { both: 0 });
  stream.check();
});

for (const [terms, since] of whiles) {
  test(`what a retired term has sent is confirmed, also by a fork that saw it, ${since}`, () => {
    const stream = new Stream(1);
    stream.term((draft) => {
      draft.send(target);
      draft.send({ ...target, key: "l" });
    });
    const fork = stream.fork();
    stream.turnOf(fork, (draft, entity) => draft.confirmSent(entity.outbox.entries.slice(0, 1)));
    stream.terms(terms);
    assert.equal(stream.primary.outbox.entries.length, 2);
    stream.merge(fork);
    assert.deepEqual(
      stream.primary.outbox.entries.map(({ key }) => key),
      ["l"],
    );
    stream.turn((draft, entity) => {
      draft.failSent(entity.outbox.entries[0]!, { code: "not_found", message: "gone" });
    });
    assert.equal(stream.primary.outbox.entries.length, 0);
    assert.equal(stream.primary.outbox.failed.length, 1);
    assert.equal(stream.primary.postponed, undefined);
    stream.check();
  });
}

for (const [terms, since] of whiles) {
  test(`a result that a retired term recorded is found, and dropped by the caller's next call, ${since}`, () => {
    const stream = new Stream(1);
    const record = (number: number): void => {
      stream.term((draft) => {
        draft.recordResult({ caller: "c", number, received: number, digest: 1, outcome });
      });
    };
    record(1);
    stream.terms(terms);
    assert.equal(stream.primary.dedupe.lookup("c", 1, 1).type, "hit");
    record(2);
    assert.equal(stream.primary.dedupe.records().length, 1);
    assert.equal(stream.primary.dedupe.lookup("c", 1, 1).type, "forgotten");
    stream.terms(terms);
    stream.turn((draft) => {
      draft.forgetCaller("c");
    });
    assert.deepEqual(stream.primary.dedupe.records(), []);
    stream.check();
  });
}

test("a delete keeps what is known of retired terms", () => {
  const stream = new Stream(1);
  stream.terms(3);
  stream.turn((draft) => {
    draft.delete();
  });
  assert.equal(stream.primary.context.hasRetired, true);
  stream.turn(({ live }) => live.counter.add(4));
  assert.equal(plain(stream.primary)["counter"], 4);
  assert.equal(Entity.decode(name, stream.primary.encode()).context.hasRetired, true);
  stream.check();
});

test("a retirement that is none is refused whole", () => {
  const entity = Entity.create(name);
  const deltaOf = (writers: readonly number[]): Uint8Array => {
    const operations: Operation[] = [{ type: "retire", writers }];
    const body = { mark: 0, hybridTime: 1, operations, begins: false };
    return new StateCommit({ entity: name, writer: 8, sequence: 1 }, body).delta.slice();
  };
  for (const writers of [[], [3], [4, 4], [6, 4], [4, 5], [4, 8]]) {
    const commit = { entity: name, writer: 8, sequence: 1, delta: deltaOf(writers) };
    assert.throws(() => entity.apply(commit), { code: "incompatible" }, writers.join());
  }
  assert.equal(entity.sequenceOf(8), 0);
  const commit = { entity: name, writer: 8, sequence: 1, delta: deltaOf([4, 6]) };
  assert.equal(entity.apply(commit), true);
});
