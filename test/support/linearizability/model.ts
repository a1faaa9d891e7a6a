/**
 * The sequential objects that histories are compared with. Of each operation a model says which state
 * it must have met, as far as its output tells, and what it makes of that. In one history all changes
 * are of one sort, either `set` or `add`.
 */
import type { Operation, State } from "./operation.ts";

export type Effect =
  | { readonly type: "none" }
  | { readonly type: "set"; readonly to: State }
  | { readonly type: "add"; readonly by: number };

export interface Meaning {
  /** The only state in which it could have answered so; `undefined`: any. */
  readonly requires: State | undefined;
  readonly effect: Effect;
}

export interface Model {
  readonly initial: State;
  /** Throws for an operation that such an object does not have. */
  meaningOf(operation: Operation): Meaning;
}

const none: Effect = { type: "none" };

/** `write v`, `read → v`. */
export function register(initial: State): Model {
  return {
    initial,
    meaningOf: (operation) => {
      const { input, output } = operation;
      if (input.type === "read") return { requires: output, effect: none };
      if (input.type === "write") {
        return { requires: undefined, effect: { type: "set", to: input.value } };
      }
      throw foreign("register", operation);
    },
  };
}

/** `add n`, which answers with the new value or nothing, and `read → n`. */
export function counter(initial = 0): Model {
  return {
    initial,
    meaningOf: (operation) => {
      const { input, output } = operation;
      if (input.type === "read") return { requires: output, effect: none };
      if (input.type !== "add") throw foreign("counter", operation);
      const { by } = input;
      const requires = output === undefined ? undefined : Number(output) - by;
      return { requires, effect: by === 0 ? none : { type: "add", by } };
    },
  };
}

export function apply(state: State, effect: Effect): State {
  switch (effect.type) {
    case "none":
      return state;
    case "set":
      return effect.to;
    case "add":
      return Number(state) + effect.by;
  }
}

function foreign(what: string, { id, input }: Operation): Error {
  return new Error(`a ${what} has no ${input.type}: operation ${id} is of another object`);
}
