/** What `defineFunction` refuses at run time, where JavaScript has no types to help. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defineFunction } from "../../src/definition/define-function.ts";
import { isFunctionDefinition } from "../../src/definition/function-definition.ts";
import { crdt } from "../../src/definition/kinds.ts";
import { kindDepthMax } from "../../src/definition/shape.ts";
import { refuses } from "../support/refuses.ts";

/** As plain JavaScript would call it. */
const define = defineFunction as unknown as (parts: unknown) => object;
const handlers = { add: () => 1 };

test("a definition is frozen data with its options filled in", () => {
  const state = { count: crdt.counter() };
  const definition = defineFunction({ state, handlers, queries: { sum: () => 2 }, acks: "all" });
  assert.deepEqual(definition.settings, {
    acks: "all",
    strictAcks: false,
    whenSplit: "serve",
    deadlineMs: 30_000,
    version: 1,
    description: "",
  });
  assert.equal(Object.isFrozen(definition) && Object.isFrozen(definition.handlers), true);
  assert.deepEqual(Object.keys(definition.queries), ["sum"]);
});

test("only a definition that names no state is without one, and has no options about it", () => {
  const isStateless = (parts: object): boolean =>
    (define({ handlers, ...parts }) as { readonly isStateless: boolean }).isStateless;
  assert.equal(isStateless({}), true);
  assert.equal(isStateless({ state: undefined, deadlineMs: 5, description: "adds" }), true);
  assert.equal(isStateless({ state: {} }), false);
  for (const option of [
    { acks: 2 },
    { strictAcks: false },
    { whenSplit: "serve" },
    { version: 2 },
  ]) {
    refuses(() => isStateless(option), "invalid_argument", /is about state, and this function has/);
    assert.equal(isStateless({ ...option, state: {} }), false);
  }
});

test("a definition is recognised by structure", () => {
  const definition = define({ handlers });
  assert.equal(isFunctionDefinition({ ...definition }), true);
  for (const other of [null, undefined, 1, "function", {}, { handlers }, () => 1]) {
    assert.equal(isFunctionDefinition(other), false);
  }
});

test("kinds made by another copy of the package are recognised by structure", () => {
  const state = { a: { kind: "counter" }, b: { kind: "map", of: { kind: "max" } } };
  assert.deepEqual(Object.keys((define({ state, handlers }) as { state: object }).state), [
    "a",
    "b",
  ]);
});

test("an unknown option is refused with the option that was meant", () => {
  refuses(
    () => define({ handlers, dedlineMs: 5 }),
    "invalid_argument",
    /did you mean 'deadlineMs'/,
  );
  refuses(() => define({ handler: handlers }), "invalid_argument", /did you mean 'handlers'/);
  refuses(
    () => define({ handlers, zzzzz: 5 }),
    "invalid_argument",
    /unknown option 'zzzzz'; known/,
  );
});

test("an option that is planned but not built is refused, not ignored", () => {
  for (const name of ["ttlMs", "idleMs", "cache", "migrate", "collaboration", "onExpire", "mcp"]) {
    refuses(() => define({ handlers, [name]: 1 }), "invalid_argument", /not available in this ver/);
  }
});

test("options with unusable values are refused", () => {
  const wrong = [
    { acks: 0 },
    { acks: 1.5 },
    { acks: 255 },
    { acks: "most" },
    { strictAcks: 1 },
    { whenSplit: "maybe" },
    { deadlineMs: 0 },
    { deadlineMs: 300_001 },
    { deadlineMs: Number.NaN },
    { version: 0 },
    { description: 7 },
  ];
  for (const option of wrong) {
    const [name] = Object.keys(option);
    refuses(
      () => define({ handlers, ...option }),
      "invalid_argument",
      new RegExp(`${name ?? ""} m`),
    );
  }
});

test("names that every handle has are refused for handlers and queries", () => {
  for (const name of ["then", "with", "watch", "open", "delete"]) {
    refuses(() => define({ handlers: { [name]: () => 1 } }), "invalid_argument", /reserved are/);
    refuses(
      () => define({ handlers, queries: { [name]: () => 1 } }),
      "invalid_argument",
      /reserved/,
    );
  }
});

test("names that every object has are refused for operations and fields", () => {
  const names = ["constructor", "prototype", "toString", "valueOf", "hasOwnProperty", "toJSON"];
  for (const name of names) {
    refuses(
      () => define({ handlers: { [name]: () => 1 } }),
      "invalid_argument",
      /every object has/,
    );
    const state = { [name]: crdt.counter() };
    refuses(() => define({ handlers, state }), "invalid_argument", /every object has/);
  }
  const own = JSON.parse('{ "__proto__": { "kind": "counter" } }') as object;
  refuses(() => define({ handlers, state: own }), "invalid_argument", /'__proto__' cannot be/);
});

test("operations hidden in a prototype are refused, not dropped", () => {
  const hidden = Object.create({ add: () => 1 }) as object;
  refuses(() => define({ handlers: hidden }), "invalid_argument", /plain object/);
  class Handlers {
    add(): void {
      return;
    }
  }
  refuses(() => define({ handlers: new Handlers() }), "invalid_argument", /plain object/);
});

test("one name for a handler and a query is refused", () => {
  refuses(
    () => define({ handlers, queries: { add: () => 1 } }),
    "invalid_argument",
    /'add' is both a handler and a query/,
  );
});

test("a state field that is no kind is refused by its path", () => {
  const cases: [unknown, RegExp][] = [
    [{ n: 0 }, /state\.n must be a kind/],
    [{ n: null }, /state\.n must be a kind/],
    [{ n: crdt.counter }, /call it, as in crdt\.counter\(\)/],
    [{ n: { kind: "conter" } }, /did you mean 'counter'/],
    [{ n: { kind: "map" } }, /state\.n\.of must be a kind/],
    [[], /state must be an object/],
    [{ "": crdt.counter() }, /cannot be the name of a state field/],
  ];
  for (const [state, message] of cases) {
    refuses(() => define({ handlers, state }), "invalid_argument", message);
  }
});

test("maps nested beyond the limit are refused", () => {
  let kind: object = crdt.counter();
  for (let depth = 0; depth < kindDepthMax; depth++) kind = { kind: "map", of: kind };
  define({ handlers, state: { kind } });
  refuses(
    () => define({ handlers, state: { kind: { kind: "map", of: kind } } }),
    "invalid_argument",
    /at most 8 maps/,
  );
});

test("a text inside a map is refused when the function is defined, with the way out", () => {
  const texts = { kind: "map", of: crdt.text() };
  for (const kind of [texts, { kind: "map", of: texts }]) {
    refuses(
      () => define({ handlers, state: { notes: kind } }),
      "invalid_argument",
      /state\.notes\.of.*: a map cannot hold texts; .*one key of the function per text/,
    );
  }
  define({ handlers, state: { note: crdt.text() } });
});

test("a kind with unusable parts is refused by its path", () => {
  const of = { kind: "register", default: new Date(0) };
  refuses(
    () => define({ handlers, state: { due: of } }),
    "invalid_argument",
    /defineFunction: state\.due: initial: .*Date/,
  );
  refuses(() => define({ handlers, state: { due: { kind: "map", of } } }), "invalid_argument");
  const flag = { kind: "flag", wins: "both" };
  refuses(
    () => define({ handlers, state: { flag } }),
    "invalid_argument",
    /state\.flag: wins must/,
  );
});

test("what is no definition at all is refused", () => {
  for (const parts of [undefined, null, 1, "x", [], () => 1]) {
    refuses(() => define(parts), "invalid_argument");
  }
  refuses(() => define({}), "invalid_argument", /handlers must be/);
  refuses(() => define({ handlers: { add: 1 } }), "invalid_argument", /add is no function/);
});
