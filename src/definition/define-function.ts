/**
 * `defineFunction`: state, handlers and queries become a definition, with every name and option
 * checked once, here. The types refuse the same mistakes at compile time where types can; the two
 * that need the *result* type (reserved and doubled names) are explained at `Definition`.
 */
import { LatticeError } from "../model/error.ts";
import type {
  HandlerContext,
  QueryContext,
  StatelessContext,
  StatelessQueryContext,
} from "./contexts.ts";
import type { FunctionDefinition, Stateless } from "./function-definition.ts";
import type { FunctionOptions, StatefulOption } from "./function-options.ts";
import { checkFunctionOptions, checkStatelessOptions } from "./function-options.ts";
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
export type StatelessHandlers = Readonly<
  Record<string, (ctx: StatelessContext, input: never) => unknown>
>;
export type StatelessQueries = Readonly<
  Record<string, (ctx: StatelessQueryContext, input: never) => unknown>
>;

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
  /** The fields of the state, by name; there may be none. */
  readonly state: S;
  /** What may change the state; one at a time per key. */
  readonly handlers: H;
  /** What only reads it. */
  readonly queries?: Q & Queries<S>;
};

/** Of a function that names no state. */
export type StatelessParts<H, Q> = Omit<FunctionOptions, StatefulOption> & {
  readonly state?: undefined;
  /** What may be done; one that is called twice, because its caller repeats a call, runs twice. */
  readonly handlers: H;
  /** What may be repeated at will. */
  readonly queries?: Q & StatelessQueries;
};

export const operationsMax = 256;

/**
 * Defines a function without state: nothing is kept of its keys, and whichever node a call arrives at
 * runs it, at once and beside any number of others.
 * @throws LatticeError `invalid_argument` that names what cannot be used and why.
 */
export function defineFunction<
  // The default is what `ctx` gets its type from while `H` is being inferred.
  H extends StatelessHandlers = StatelessHandlers,
  Q extends StatelessQueries = Nothing,
>(parts: StatelessParts<H, Q>): Definition<Stateless, NoInfer<H>, NoInfer<Q>>;
/**
 * Defines a function: what its state is made of, what may be done to it and what may be asked.
 * @throws LatticeError `invalid_argument` that names what cannot be used and why.
 */
export function defineFunction<
  const S extends Shape,
  H extends Handlers<S> = Handlers<S>,
  Q extends Queries<S> = Nothing,
>(parts: FunctionParts<S, H, Q>): Definition<NoInfer<S>, NoInfer<H>, NoInfer<Q>>;
export function defineFunction(
  parts: FunctionOptions & {
    readonly state?: unknown;
    readonly handlers: object;
    queries?: object;
  },
): unknown {
  if (!isPlainObject(parts)) {
    throw invalid("the definition must be an object like { state: { … }, handlers: { … } }");
  }
  const settings = checkFunctionOptions(parts);
  const isStateless = parts.state === undefined;
  if (isStateless) checkStatelessOptions(parts);
  const state = parts.state ?? {};
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
    isStateless,
    state: Object.freeze({ ...state }),
    handlers: Object.freeze({ ...parts.handlers }),
    queries: Object.freeze({ ...queries }),
    settings: Object.freeze(settings),
  };
  return Object.freeze(definition);
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
