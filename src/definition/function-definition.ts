/**
 * What `defineFunction` returns: plain frozen data. Two copies of this package may meet in one
 * process (`npx`, a linked checkout), so a definition is recognised by its marker, never by
 * `instanceof`.
 */
import type { FunctionSettings } from "./function-options.ts";
import type { Shape } from "./kinds.ts";

/**
 * In the place of a state's shape: there is no state. Its only member never exists, and tells it from
 * the shape of a state without fields.
 */
export type Stateless = Readonly<Partial<Record<"~stateless", never>>>;

/** Whether `S` is `Stateless`; false for what may be any shape. */
export type IsStateless<S> = string extends keyof S
  ? false
  : "~stateless" extends keyof S
    ? true
    : false;

/** `S` is the shape of the state, `H` its handlers and `Q` its queries, by name. */
export interface FunctionDefinition<S, H, Q> {
  readonly "~latticework": "function";
  /** Nothing is kept of its keys, and its calls run wherever they arrive. */
  readonly isStateless: boolean;
  readonly state: S;
  readonly handlers: H;
  readonly queries: Q;
  readonly settings: FunctionSettings;
}

/** A handler or a query, whatever its context and input. */
export type Operation = (ctx: never, input: never) => unknown;

export type Operations = Readonly<Record<string, Operation>>;

/** A definition of whatever shape, handlers and queries. */
export type AnyFunction = FunctionDefinition<Shape, Operations, Operations>;

/** The functions of a node by name, as given to `startNode`. */
export type Functions = Readonly<Record<string, AnyFunction>>;

/** Whether `value` came out of `defineFunction`, of this copy of the package or of another. */
export function isFunctionDefinition(value: unknown): value is AnyFunction {
  return (
    typeof value === "object" &&
    value !== null &&
    (value as { readonly "~latticework"?: unknown })["~latticework"] === "function"
  );
}
