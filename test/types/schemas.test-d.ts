/**
 * Schemas of the libraries that are used most: each has its own classes, and all declare `~standard` as
 * Standard Schema v1 says. The public types must take them as they are, and infer both sides. This file has
 * nothing to run: it passes when it compiles. `test/functions/schema-libraries.test.ts` runs them.
 */
import { type } from "arktype";
import { crdt, defineFunction, handler, type Handle } from "latticework";
import * as v from "valibot";
import * as z from "zod";

interface Line {
  readonly sku: string;
  readonly quantity: number;
}
interface Typed {
  readonly sku: string;
  readonly quantity: string;
}

const number = z.string().transform(Number);
const zod = z.object({ sku: z.string(), quantity: number });
const valibot = v.object({ sku: v.string(), quantity: v.pipe(v.string(), v.transform(Number)) });
const arktype = type({ sku: "string", quantity: "string.numeric.parse" });
const sameOnBothSides = z.object({ sku: z.string(), quantity: z.number() });

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

// @ts-expect-error this is no schema
handler({ type: "object" }, () => 1);
// @ts-expect-error a schema of another version of the standard
handler({ "~standard": { ...zod["~standard"], version: 2 } }, () => 1);
// @ts-expect-error there is a schema and nothing to run
handler(zod);
