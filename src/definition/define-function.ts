/**
 * `defineFunction`: state, handlers and queries become a definition, with every name and option
 * checked once, here. The types refuse the same mistakes at compile time where types can; the two
 * that need the *result* type (reserved and doubled names) are explained at `Definition`.
 */
import { LatticeError } from "../model/error.ts";
import type { HandlerContext, QueryContext } from "./contexts.ts";
import type { FunctionDefinition } from "./function-definition.ts";
import type { FunctionOptions } from "./function-options.ts";
import { checkFunctionOptions } from "./function-options.ts";
import type { Shape } from "./kinds.ts";
import { quote } from "./known-names.ts";
import type { reservedNames } from "./names.ts";
import { checkMemberName } from "./names.ts";
import { checkShape } from "./shape.ts";

/** `never` and not `any`: callers then cannot use an input without a type, instead of anything. */
export type Handlers<S> = Readonly<
  Record<string, (ctx: HandlerContext<S>, input: never) => unknown>
>;
export type Queries<S> = Readonly<Record<string, (ctx: QueryContext<S>, input: never) => unknown>>;

// eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type -- no members, on purpose
type Nothing = Record<never, never>;
type Reserved = (typeof reservedNames)[number];
type Clash<H, Q> = (keyof H & (Reserved | keyof Q)) | (keyof Q & Reserved);

/**
 * A function's definition, or, when it uses a reserved name or one name twice, a type that no
 * function fits, with the reason in it. A condition on `H` inside the parameter would stop its
 * inference.
 */
export type Definition<S, H, Q> = [Clash<H, Q>] extends [never]
  ? FunctionDefinition<S, H, Q>
  : {
      readonly error: `a handle cannot have two members named '${Clash<H, Q> & string}'`;
    };

export type FunctionParts<S, H, Q> = FunctionOptions & {
  /** The fields of the state, by name; none means a function without state. */
  readonly state?: S;
  /** What may change the state; one at a time per key. */
  readonly handlers: H;
  /** What only reads it. */
  readonly queries?: Q & Queries<S>;
};

export const operationsMax = 256;

/**
 * Defines a function: what its state is made of, what may be done to it and what may be asked.
 * @throws LatticeError `invalid_argument` that names what cannot be used and why.
 */
export function defineFunction<
  const S extends Shape = Nothing,
  // The default is what `ctx` gets its type from while `H` is being inferred.
  H extends Handlers<S> = Handlers<S>,
  Q extends Queries<S> = Nothing,
>(parts: FunctionParts<S, H, Q>): Definition<NoInfer<S>, NoInfer<H>, NoInfer<Q>> {
  if (!isPlainObject(parts)) {
    throw invalid("the definition must be an object like { state: { … }, handlers: { … } }");
  }
  const settings = checkFunctionOptions(parts);
  const state: object = parts.state ?? {};
  const queries: object = parts.queries ?? {};
  checkShape(state);
  checkOperations("handler", parts.handlers);
  checkOperations("query", queries);
  for (const name of Object.keys(queries)) {
    if (!Object.hasOwn(parts.handlers, name)) continue;
    throw invalid(`${quote(name)} is both a handler and a query: give one of them another name`);
  }
  const definition = {
    "~latticework": "function" as const,
    state: Object.freeze({ ...state }),
    handlers: Object.freeze({ ...parts.handlers }),
    queries: Object.freeze({ ...queries }),
    settings: Object.freeze(settings),
  };
  return Object.freeze(definition) as unknown as Definition<NoInfer<S>, NoInfer<H>, NoInfer<Q>>;
}

function checkOperations(what: "handler" | "query", operations: unknown): void {
  const group = what === "handler" ? "handlers" : "queries";
  if (!isPlainObject(operations)) {
    throw invalid(`${group} must be a plain object of functions by name`);
  }
  const names = Object.keys(operations);
  if (names.length > operationsMax) {
    throw invalid(`at most ${String(operationsMax)} ${group}, got ${String(names.length)}`);
  }
  for (const name of names) {
    checkMemberName(what, name);
    if (typeof operations[name] !== "function") throw invalid(`${what} ${name} is no function`);
  }
}

/** The methods of a class instance cannot be listed, and `{ __proto__: … }` hides what it adds. */
function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null) return true;
  // By shape: the object may come from another realm (a test runner's), whose prototype differs.
  return (
    Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype as object, "hasOwnProperty")
  );
}

function invalid(what: string): LatticeError {
  return new LatticeError("invalid_argument", `defineFunction: ${what}`);
}
