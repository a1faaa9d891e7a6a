/** Inputs checked by a Standard Schema, here a hand-written one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { applySchema, handler, schemaOf } from "../../src/definition/handler.ts";
import type { SchemaResult, StandardSchema } from "../../src/definition/standard-schema.ts";
import { refuses } from "../support/refuses.ts";

function quantity(value: unknown): SchemaResult<number> {
  const parsed = Number(value);
  if (Number.isInteger(parsed)) return { value: parsed };
  return {
    issues: [
      { message: "not an integer", path: ["line", { key: 0 }, "quantity"] },
      { message: "second" },
    ],
  };
}

function schemaWith(
  validate: (value: unknown) => SchemaResult<number> | Promise<SchemaResult<number>>,
): StandardSchema<string, number> {
  return { "~standard": { version: 1, vendor: "test", validate } };
}

test("the wrapped operation still runs, and tells its schema", () => {
  const schema = schemaWith(quantity);
  const wrapped = handler(schema, (_ctx: undefined, input: number) => input + 1);
  assert.equal(wrapped(undefined, 2), 3);
  assert.equal(schemaOf(wrapped), schema);
  assert.equal(
    schemaOf(() => 1),
    undefined,
  );
});

test("a schema's output replaces the input, also when it comes later", async () => {
  assert.equal(applySchema(schemaWith(quantity), "7"), 7);
  const later = schemaWith((value) => Promise.resolve(quantity(value)));
  assert.equal(await applySchema(later, "7"), 7);
  await assert.rejects(applySchema(later, "x") as Promise<unknown>, { code: "invalid_argument" });
});

test("a refusal names the path of the first issue and how many more there are", () => {
  refuses(
    () => applySchema(schemaWith(quantity), "x"),
    "invalid_argument",
    /^input\.line\.0\.quantity: not an integer \(and 1 more\)$/,
  );
});

test("what is no schema or no function is refused at once", () => {
  const loose = handler as unknown as (schema: unknown, run: unknown) => unknown;
  for (const schema of [undefined, null, 1, {}, { "~standard": {} }, () => 1]) {
    refuses(() => loose(schema, () => 1), "invalid_argument", /Standard Schema/);
  }
  refuses(() => loose(schemaWith(quantity), 1), "invalid_argument", /must be a function/);
});
