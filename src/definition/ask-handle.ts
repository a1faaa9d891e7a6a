/**
 * What `ctx.get(definition, key)` gives inside a turn: a handle without `watch`, because a turn
 * ends, and with the options that make sense there.
 */
import type { AskOptions } from "./call-options.ts";
import { mergeAskOptions, noCallOptions } from "./call-options.ts";
import type { AnyFunction, FunctionDefinition } from "./function-definition.ts";
import { operationNotFound } from "./handle.ts";
import { lazyObjects } from "./lazy-objects.ts";
import type { Arguments, Result } from "./operation-types.ts";

export type AskHandle<F> =
  F extends FunctionDefinition<infer _S, infer H, infer Q>
    ? AskCalls<H> & AskCalls<Q> & AskMembers<F>
    : never;

type AskCalls<M> = {
  readonly [K in keyof M]: (...args: Arguments<M[K]>) => Promise<Result<M[K]>>;
};

interface AskMembers<F> {
  /** A handle of the same function and key whose calls have these options too. */
  with(options: AskOptions): AskHandle<F>;
}

/** Where the calls of a turn go. */
export interface AskSource {
  readonly functionName: string;
  readonly key: string;
  readonly definition: AnyFunction;
  readonly ask: (operation: string, input: unknown, options: AskOptions) => Promise<unknown>;
}

/** A handle over `source`; an unknown operation throws `not_found` when called. */
export function createAskHandle<F>(source: AskSource): AskHandle<F> {
  return makeAskHandle({ source, options: noCallOptions }) as AskHandle<F>;
}

interface AskState {
  readonly source: AskSource;
  readonly options: AskOptions;
}

const makeAskHandle = lazyObjects<AskState>({
  label: ({ source }) => `${source.functionName}/${source.key}`,
  own: {
    with: ({ source, options }) => {
      return (added: AskOptions) =>
        makeAskHandle({ source, options: mergeAskOptions(options, added) });
    },
  },
  method: ({ source, options }, operation) => {
    const { functionName, definition } = source;
    const exists =
      Object.hasOwn(definition.handlers, operation) || Object.hasOwn(definition.queries, operation);
    if (exists) return (input) => source.ask(operation, input, options);
    return () => {
      const handlers = Object.keys(definition.handlers);
      const queries = Object.keys(definition.queries);
      throw operationNotFound(functionName, operation, { handlers, queries });
    };
  },
});
