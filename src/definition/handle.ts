/**
 * A handle: what a caller holds of one function and key. Its members are the function's handlers
 * and queries, each a method that goes through one `call` function; so a client needs no generated
 * code and knows nothing of how a call gets where it goes.
 *
 *     client.get("cart", "alice") ─▶ handle.add(line) ─▶ source.call({ operation: "add", … })
 *
 * A handle is made for every call that is written `client.get("cart", "alice").add(line)`, so making
 * one must cost next to nothing: see `lazy-objects.ts`.
 */
import { LatticeError } from "../model/error.ts";
import type { CallOptions } from "./call-options.ts";
import { mergeCallOptions, noCallOptions } from "./call-options.ts";
import type { AnyFunction, FunctionDefinition, IsStateless } from "./function-definition.ts";
import type { Plain } from "./kinds.ts";
import { didYouMean, quote } from "./known-names.ts";
import { lazyObjects } from "./lazy-objects.ts";
import type { Arguments, Result } from "./operation-types.ts";
import type { Reply } from "./reply.ts";

/** What callers hold of a function of type `F`. With `D` its calls return `Reply<T>`. */
export type Handle<F, D = false> =
  F extends FunctionDefinition<infer S, infer H, infer Q>
    ? HandleCalls<H, D> & HandleCalls<Q, D> & HandleMembers<F, D> & HandleWatching<S>
    : never;

/** The handle of the function named `N` among the functions `F`. */
export type HandleOf<F, N extends keyof F> = F[N] extends AnyFunction ? Handle<F[N]> : never;

type HandleCalls<M, D> = {
  readonly [K in keyof M]: (
    ...args: Arguments<M[K]>
  ) => Promise<D extends true ? Reply<Result<M[K]>> : Result<M[K]>>;
};

/** Where there is state. */
type HandleWatching<S> =
  IsStateless<S> extends true
    ? unknown
    : {
        /** The state now and after every change, as plain values that share what did not change. */
        watch(): AsyncIterable<Plain<S>>;
      };

interface HandleMembers<F, D> {
  /** A handle of the same function and key whose calls have these options too. */
  with(options: CallOptions & { readonly reply: "full" }): Handle<F, true>;
  with(options: CallOptions & { readonly reply: "value" }): Handle<F>;
  with(options: CallOptions & { readonly reply?: undefined }): Handle<F, D>;
}

/** Where the calls of handles go. */
export interface HandleCallee {
  /** Resolves with the result, or with a `Reply` when `options.reply` is "full". */
  readonly call: (call: HandleCall) => Promise<unknown>;
  readonly watch: (watch: HandleWatch) => AsyncIterable<unknown>;
  /** Names that exist, when they are known: others are then refused without asking a node. */
  readonly operations?: OperationNames | undefined;
}

/** Where the calls of one handle go, and what they are made to. */
export interface HandleSource extends HandleCallee {
  readonly functionName: string;
  readonly key: string;
}

export interface HandleCall {
  readonly functionName: string;
  readonly key: string;
  readonly operation: string;
  /** As the caller gave it, unchecked; `undefined` when there is none. */
  readonly input: unknown;
  readonly options: CallOptions;
  /** It is the first of a chain: the input has the other stages in it. */
  readonly isPiped?: boolean;
}

export interface HandleWatch {
  readonly functionName: string;
  readonly key: string;
  readonly options: CallOptions;
}

export interface OperationNames {
  readonly handlers: readonly string[];
  readonly queries: readonly string[];
}

/**
 * A handle over `source`. It is not thenable; printing, comparing and serialising it make no call.
 * An unknown operation throws `not_found` when called, if the operations are known.
 */
export function createHandle<F>(source: HandleSource): Handle<F> {
  return handleOf(source, source.functionName, source.key) as Handle<F>;
}

/** A handle of a function and key whose calls go where those of many others go. */
export function handleOf(source: HandleCallee, functionName: string, key: string): object {
  return makeHandle({ source, functionName, key, options: noCallOptions });
}

/** A handler of a handle, as `pipe` takes it. */
export interface HandleStage extends HandleState {
  readonly operation: string;
}

/** Asks a method what it calls. */
const asStage = {};

/** What a method of a handle calls, or `undefined` for other functions. */
export function stageOf(method: (...args: never) => unknown): HandleStage | undefined {
  const stage = (method as (input: object) => unknown)(asStage) as Partial<HandleStage> | undefined;
  return typeof stage?.operation === "string" ? (stage as HandleStage) : undefined;
}

interface HandleState {
  readonly source: HandleCallee;
  readonly functionName: string;
  readonly key: string;
  readonly options: CallOptions;
}

const makeHandle = lazyObjects<HandleState>({
  label: ({ functionName, key }) => `${functionName}/${key}`,
  own: {
    with:
      ({ source, functionName, key, options }) =>
      (added: CallOptions) =>
        makeHandle({ source, functionName, key, options: mergeCallOptions(options, added) }),
    watch:
      ({ source, functionName, key, options }) =>
      () =>
        source.watch({ functionName, key, options }),
  },
  method: (handle, operation) => {
    const { operations } = handle.source;
    if (operations !== undefined && !knows(operations, operation)) {
      return refusal(handle.functionName, operation, operations);
    }
    // It holds the handle and the name and nothing else: one is made for almost every call.
    return (input) => {
      const { source, functionName, key, options } = handle;
      if (input === asStage) return { ...handle, operation } satisfies HandleStage;
      return source.call({ functionName, key, operation, input, options });
    };
  },
});

function refusal(functionName: string, operation: string, names: OperationNames): () => never {
  return () => {
    throw operationNotFound(functionName, operation, names);
  };
}

function knows(names: OperationNames, operation: string): boolean {
  return names.handlers.includes(operation) || names.queries.includes(operation);
}

/** `not_found`, with everything that does exist and the nearest of it. */
export function operationNotFound(
  functionName: string,
  operation: string,
  names: OperationNames,
): LatticeError {
  const all = [...names.handlers, ...names.queries];
  const exist = all.length === 0 ? "it has none" : `it has ${all.join(", ")}`;
  return new LatticeError(
    "not_found",
    `${functionName} has no handler or query ${quote(operation)}${didYouMean(operation, all)}; ` +
      exist,
    { function: functionName },
  );
}
