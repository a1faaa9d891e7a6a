/**
 * A sender: what `ctx.send(definition, key)` gives. It has the target's handlers only, and each
 * returns nothing: the call becomes part of the commit and is delivered after it.
 */
import type { AnyFunction, FunctionDefinition } from "./function-definition.ts";
import { operationNotFound } from "./handle.ts";
import { lazyObjects } from "./lazy-objects.ts";
import type { Arguments } from "./operation-types.ts";

export type Sender<F> =
  F extends FunctionDefinition<infer _S, infer H, infer _Q>
    ? { readonly [K in keyof H]: (...args: Arguments<H[K]>) => void }
    : never;

/** Where sends go. */
export interface SenderSource {
  readonly functionName: string;
  readonly key: string;
  readonly definition: AnyFunction;
  readonly send: (operation: string, input: unknown) => void;
}

/** A sender over `source`; a name that is no handler throws `not_found` when called. */
export function createSender<F>(source: SenderSource): Sender<F> {
  return makeSender(source) as Sender<F>;
}

const makeSender = lazyObjects<SenderSource>({
  label: ({ functionName, key }) => `send ${functionName}/${key}`,
  own: {},
  method: (source, operation) => {
    const { functionName, definition } = source;
    if (Object.hasOwn(definition.handlers, operation)) {
      return (input) => {
        source.send(operation, input);
      };
    }
    return () => {
      const handlers = Object.keys(definition.handlers);
      throw operationNotFound(functionName, operation, { handlers, queries: [] });
    };
  },
});
