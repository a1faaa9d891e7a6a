/**
 * Schemas as libraries type them: each has its own classes, and all declare `~standard` as the published
 * interface of Standard Schema v1 says, which is written out here. The public types must take them as they
 * are, and infer both sides. This file has nothing to run: it passes when it compiles.
 */
import { crdt, defineFunction, handler, type Handle } from "latticework";

/** https://standardschema.dev, "What schema libraries do I need to implement?" */
interface StandardSchemaV1<Input = unknown, Output = Input> {
  readonly "~standard": Props<Input, Output>;
}
interface Props<Input, Output> {
  readonly version: 1;
  readonly vendor: string;
  readonly validate: (value: unknown) => Outcome<Output> | Promise<Outcome<Output>>;
  readonly types?: { readonly input: Input; readonly output: Output } | undefined;
}
type Outcome<Output> =
  { readonly value: Output; readonly issues?: undefined } | { readonly issues: readonly Issue[] };
interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

interface Line {
  readonly sku: string;
  readonly quantity: number;
}
interface Typed {
  readonly sku: string;
  readonly quantity: string;
}

/** Zod: a class whose input and output are members, and whose schema is told by them. */
declare class ZodLike<Output, Input> implements StandardSchemaV1<Input, Output> {
  readonly _output: Output;
  readonly _input: Input;
  parse(data: unknown): Output;
  optional(): ZodLike<Output | undefined, Input | undefined>;
  readonly "~standard": Props<this["_input"], this["_output"]>;
}
/** Valibot: a plain object with its types beside it. */
interface ValibotLike<Input, Output> {
  readonly kind: "schema";
  readonly "~run": (dataset: unknown, config: object) => unknown;
  readonly "~types"?: { readonly input: Input; readonly output: Output } | undefined;
  readonly "~standard": Props<Input, Output>;
}
/** ArkType: a function, whose check is never asynchronous. */
interface ArkLike<Input, Output> {
  (data: unknown): Output | readonly Issue[];
  readonly infer: Output;
  readonly "~standard": Omit<Props<Input, Output>, "validate"> & {
    readonly vendor: "arktype";
    readonly validate: (value: unknown) => Outcome<Output>;
  };
}

declare const zod: ZodLike<Line, Typed>;
declare const valibot: ValibotLike<Typed, Line>;
declare const arktype: ArkLike<Typed, Line>;
declare const sameOnBothSides: StandardSchemaV1<Line>;
declare const number: ZodLike<number, string>;

const basket = defineFunction({
  state: { lines: crdt.map(crdt.counter()) },
  handlers: {
    byZod: handler(zod, (ctx, { sku, quantity }) => {
      ctx.state.lines.at(sku).add(quantity);
      // @ts-expect-error what the schema makes has no such field
      return (({ name }) => name)({ sku, quantity });
    }),
    byValibot: handler(valibot, (ctx, line) => ctx.state.lines.at(line.sku).add(line.quantity)),
    byArkType: handler(arktype, async (ctx, line): Promise<number> => {
      await ctx.sleep(1);
      return line.quantity;
    }),
    same: handler(sameOnBothSides, (_ctx, line) => line.sku),
    perhaps: handler(number.optional(), (_ctx, n) => n ?? 0),
    // @ts-expect-error the schema makes a number
    wrongly: handler(number, (_ctx, n: string) => n),
    plain: (_ctx, n: number) => n,
  },
  queries: {
    count: handler(zod, (ctx, { sku }) => {
      // @ts-expect-error writing in a query
      ctx.state.lines.clear();
      return ctx.state.lines.get(sku) ?? 0;
    }),
  },
});

export async function callers(handle: Handle<typeof basket>): Promise<void> {
  const typed: Typed = { sku: "tea", quantity: "2" };
  const line: Line = { sku: "tea", quantity: 2 };
  await handle.byZod(typed);
  await handle.byValibot(typed);
  const quantity: number = await handle.byArkType(typed);
  const sku: string = await handle.same(line);
  const sum: number = (await handle.perhaps()) + (await handle.perhaps("3"));
  const count: number = await handle.count(typed);
  // @ts-expect-error callers give what the schema takes, not what it makes
  await handle.byZod(line);
  // @ts-expect-error the same of another library
  await handle.byValibot(line);
  // @ts-expect-error and of another
  await handle.byArkType(line);
  // @ts-expect-error a field is missing
  await handle.same({ sku: "tea" });
  // @ts-expect-error an input that is not optional
  await handle.byZod();
  // @ts-expect-error what a query takes is checked alike
  await handle.count({ sku: 7 });
  void [quantity, sku, sum, count];
}

// @ts-expect-error no schema
handler({ type: "object" }, () => 1);
// @ts-expect-error a schema of another version
handler({ "~standard": { ...zod["~standard"], version: 2 } }, () => 1);
// @ts-expect-error a schema and nothing to run
handler(zod);
