/**
 * `handler(schema, run)`: a handler or query whose input is checked before it runs, by any Standard
 * Schema library. A wrapper and not a map of schemas beside the handlers, because such a map breaks
 * the inference of every definition that has none.
 */
import { LatticeError } from "../model/error.ts";
import type { SchemaIssue, SchemaResult, StandardSchema } from "./standard-schema.ts";

/** A handler whose callers give `In` and which receives `Out`. */
export interface CheckedHandler<C, In, Out, R> {
  (ctx: C, input: Out): R;
  /** Only a type. In a wrapper, or an input that may be left out would look like one that is not known. */
  readonly "~input"?: { readonly type: In };
  readonly "~schema": StandardSchema<In, Out>;
}

/**
 * Wraps `run` so that calls are refused with `invalid_argument` unless `schema` accepts their input.
 * @throws LatticeError `invalid_argument` if `schema` is no Standard Schema or `run` no function.
 */
export function handler<In, Out, C, R>(
  schema: StandardSchema<In, Out>,
  run: (ctx: C, input: Out) => R,
): CheckedHandler<C, In, Out, R> {
  if (!isStandardSchema(schema)) {
    throw new LatticeError(
      "invalid_argument",
      "handler: the first argument must be a Standard Schema (https://standardschema.dev), such " +
        "as z.object({ … }) of Zod",
    );
  }
  if (typeof run !== "function") {
    throw new LatticeError("invalid_argument", "handler: the second argument must be a function");
  }
  const checked = (ctx: C, input: Out): R => run(ctx, input);
  return Object.assign(checked, { "~schema": schema });
}

/** The schema of an operation made by `handler`. */
export function schemaOf(operation: unknown): StandardSchema | undefined {
  const schema = (operation as { readonly "~schema"?: unknown })["~schema"];
  return isStandardSchema(schema) ? schema : undefined;
}

/**
 * What the schema makes of `value`; a promise if the schema is asynchronous.
 * @throws LatticeError `invalid_argument` that names the path of the first issue and their number.
 */
export function applySchema(schema: StandardSchema, value: unknown): unknown {
  const result = schema["~standard"].validate(value);
  // By shape: a library may bring promises of its own.
  return "then" in result ? result.then(accepted) : accepted(result);
}

function accepted(result: SchemaResult<unknown>): unknown {
  if (result.issues === undefined) return result.value;
  const [first] = result.issues;
  const more = result.issues.length > 1 ? ` (and ${String(result.issues.length - 1)} more)` : "";
  const issue = first === undefined ? "refused by its schema" : describe(first);
  throw new LatticeError("invalid_argument", `${issue}${more}`);
}

function describe(issue: SchemaIssue): string {
  const path = (issue.path ?? []).map((part) => String(typeof part === "object" ? part.key : part));
  return `${["input", ...path].join(".")}: ${issue.message}`;
}

function isStandardSchema(value: unknown): value is StandardSchema {
  // Some libraries' schemas are functions (ArkType).
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return false;
  const standard = (value as { readonly "~standard"?: unknown })["~standard"];
  if (typeof standard !== "object" || standard === null) return false;
  return typeof (standard as { readonly validate?: unknown }).validate === "function";
}
