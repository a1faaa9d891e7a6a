/**
 * What the type of a handler or query says to its callers: the arguments they give and the result
 * they get.
 */

/** The arguments of a call. An operation made by `handler` takes what its schema takes. */
export type Arguments<F> = F extends { readonly "~input"?: infer In }
  ? "~input" extends keyof F
    ? CheckedArguments<Exclude<In, undefined>>
    : Declared<F>
  : Declared<F>;

type CheckedArguments<In> = In extends { readonly type: infer Type }
  ? undefined extends Type
    ? [input?: Type]
    : [input: Type]
  : never;

type Declared<F> = F extends (ctx: never, ...rest: infer A) => unknown ? A : never;

/** The result of a call, awaited. */
export type Result<F> = F extends (...a: never) => infer R ? Awaited<R> : never;
