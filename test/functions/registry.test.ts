/** The functions of a node by name. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { defineFunction } from "../../src/definition/define-function.ts";
import { redeliverOperation } from "../../src/functions/failed-send-operations.ts";
import { Registry } from "../../src/functions/registry.ts";
import { refuses } from "../support/refuses.ts";

const define = (acks?: number | "all") =>
  defineFunction({ state: {}, handlers: { add: () => 1 }, queries: { total: () => 2 }, acks });

test("functions are found by name, and named by their definition", () => {
  const cart = define();
  const registry = new Registry({ cart, shop: define() });
  assert.equal(registry.nameOf(cart), "cart");
  assert.equal(registry.operation("cart", "total").isQuery, true);
  assert.equal(registry.operation("cart", "add").isQuery, false);
  assert.deepEqual(
    [registry.has("shop"), registry.has("toString"), registry.size],
    [true, false, 2],
  );
});

test("what does not exist is refused with what does", () => {
  const registry = new Registry({ cart: define() });
  refuses(() => registry.find("carts"), "not_found", /'carts'.*did you mean 'cart'.*it has cart/);
  refuses(() => registry.operation("cart", "adds"), "not_found", /it has add, total/);
  refuses(() => registry.operation("cart", "constructor"), "not_found");
  refuses(() => new Registry({}).find("cart"), "not_found", /it has none/);
  refuses(() => registry.nameOf(define()), "invalid_argument", /add it to `functions`/);
  const name = "cart" as unknown as ReturnType<typeof define>;
  refuses(() => registry.nameOf(name), "invalid_argument", /definition, not its name/);
});

test("what cannot be a function is refused when the node starts", () => {
  const loose = (functions: unknown) => () => new Registry(functions as Record<string, never>);
  const cart = define();
  refuses(loose({ "1cart": cart }), "invalid_argument", /function name/);
  refuses(loose({ cart: { handlers: {} } }), "invalid_argument", /defineFunction/);
  refuses(loose({ cart: undefined }), "invalid_argument", /functions\.cart/);
  refuses(loose({ cart, shop: cart }), "invalid_argument", /same definition/);
});

test("the catalogue says what callers need that only have names", () => {
  const registry = new Registry({ a: define(), b: define(1), c: define("all"), d: define(3) });
  assert.deepEqual(
    registry.catalogue(2).map(({ name, acks }) => [name, acks]),
    [
      ["a", 2],
      ["b", 0],
      ["c", 255],
      ["d", 3],
    ],
  );
  assert.deepEqual(registry.catalogue(2)[0], {
    name: "a",
    handlers: ["add"],
    queries: ["total"],
    whenSplit: "serve",
    acks: 2,
    deadlineMs: 30_000,
    stateless: false,
  });
});

test("only a function without state runs anywhere, and only its own operations do", () => {
  const echo = defineFunction({ handlers: { say: (_ctx, text: string) => text } });
  const registry = new Registry({ echo, cart: define() });
  const [listed] = registry.catalogue(2);
  assert.deepEqual([listed?.name, listed?.stateless], ["echo", true]);
  assert.equal(registry.runsAnywhere("echo", "say"), true);
  assert.equal(registry.runsAnywhere("echo", redeliverOperation), false);
  assert.equal(registry.runsAnywhere("cart", "add"), false);
  assert.equal(registry.runsAnywhere("shop", "add"), false);
});
