/**
 * The functions and the client of the design's public surface, as they stand there. This file has
 * nothing to run: it passes when it compiles.
 */
import { defineFunction } from "../../src/definition/define-function.ts";
import type { AnyFunction } from "../../src/definition/function-definition.ts";
import type { Handle, HandleOf } from "../../src/definition/handle.ts";
import { handler } from "../../src/definition/handler.ts";
import { crdt } from "../../src/definition/kinds.ts";
import type { Reply } from "../../src/definition/reply.ts";
import type { Value } from "../../src/model/value.ts";
import type { StandardSchema } from "../../src/definition/standard-schema.ts";

export const shop = defineFunction({
  state: { sold: crdt.map(crdt.counter()) },
  handlers: {
    sell(ctx, sale: { sku: string; quantity: number }) {
      ctx.state.sold.at(sale.sku).add(sale.quantity);
    },
  },
});

export const cart = defineFunction({
  acks: 2,
  state: { lines: crdt.map(crdt.counter()), visits: crdt.counter() },
  handlers: {
    add(ctx, line: { sku: string; quantity: number }) {
      ctx.state.lines.at(line.sku).add(line.quantity);
      ctx.state.visits.add(1);
    },
    checkOut(ctx) {
      for (const [sku, quantity] of ctx.state.lines.entries()) {
        ctx.send(shop, "main").sell({ sku, quantity });
      }
      ctx.state.lines.clear();
    },
  },
  queries: {
    total: (ctx) => [...ctx.state.lines.values()].reduce((sum, n) => sum + n, 0),
  },
});

export const functions = { cart, shop };
export type Functions = typeof functions;

interface Line {
  readonly sku: string;
  readonly quantity: number;
}
declare const lineSchema: StandardSchema<{ sku: string; quantity: string }, Line>;

export const everything = defineFunction({
  strictAcks: true,
  whenSplit: "refuse",
  deadlineMs: 1_000,
  version: 2,
  description: "All kinds and all members of a context.",
  state: {
    count: crdt.counter(),
    worst: crdt.max(),
    best: crdt.min(),
    title: crdt.register("untitled"),
    phase: crdt.register<"open" | "closed">("open"),
    last: crdt.register<{ at: number } | null>(null),
    open: crdt.flag({ wins: "disable" }),
    tags: crdt.set<string>(),
    plain: crdt.map<{ at: number }>(),
    deep: crdt.map(crdt.map(crdt.counter())),
    body: crdt.text(),
  },
  handlers: {
    checked: handler(lineSchema, (ctx, line) => {
      const quantity: number = line.quantity;
      ctx.log.info("checked", { key: ctx.key, quantity });
      return line.sku;
    }),
    async members(ctx, wait: number): Promise<string> {
      ctx.state.count.add(ctx.random() + ctx.now());
      ctx.state.worst.observe(1);
      ctx.state.title.set("named");
      ctx.state.phase.set("closed");
      ctx.state.last.set({ at: 1 });
      ctx.state.open.enable();
      ctx.state.tags.add("a");
      ctx.state.plain.set("a", { at: 1 });
      ctx.state.deep.at("a").at("b").add(1);
      ctx.state.body.insert(0, ctx.state.title.value);
      await ctx.sleep(wait);
      const total: number = await ctx.get(cart, "alice").with({ timeoutMs: 10 }).total();
      if (total > 3 || ctx.signal.aborted) {
        ctx.fail("failed_precondition", "too many", { total });
      }
      if (total === 2) ctx.delete();
      const doubled: number = await ctx.compute<number>(new URL("file:///a.js"), total);
      const found: Value | undefined = await ctx.compute(
        "file:///a.js",
        { doubled },
        { timeoutMs: 5 },
      );
      ctx.log.debug("computed", { found });
      const { traceId, spanId, traceparent }: Readonly<Record<string, string>> = { ...ctx.trace };
      ctx.log.info("called outside", { traceId, spanId, traceparent });
      ctx.afterCommit(() => {
        ctx.log.debug("done");
      });
      const again: string = ctx.schedule("optional", { inMs: 5 }, { verbose: true });
      ctx.schedule("members", { at: new Date(), id: "noon" }, wait);
      ctx.schedule("again", { every: 60_000, id: `${again}-again` });
      const wasThere: boolean = ctx.cancelTimer("noon");
      const next: number = ctx.timers().find(({ every }) => every !== undefined)?.at ?? 0;
      switch (ctx.caller.type) {
        case "client":
          return wasThere ? ctx.caller.id : String(next);
        case "function":
          return ctx.caller.functionName;
        case "timer":
          return `${ctx.caller.id}, ${String(ctx.now() - ctx.caller.at)} ms late`;
      }
    },
    optional(_ctx, input?: { verbose: boolean }) {
      return input?.verbose ?? false;
    },
    // A handler that returns a call to itself needs a return type.
    again(ctx): Promise<string> {
      return ctx.get(cart, "bob").total().then(String);
    },
  },
  queries: {
    size(ctx, tag: string) {
      return ctx.state.tags.has(tag) ? ctx.state.deep.size : ctx.state.body.length;
    },
    elsewhere: (ctx) => ctx.get(cart, ctx.key).total(),
    due: (ctx) => ctx.timers().map(({ id, handler, at, input }) => ({ id, handler, at, input })),
    heavy: (ctx, n: number) => ctx.compute<number[]>(new URL("file:///a.js"), [n]),
    traced: (ctx): string => ctx.trace.traceparent,
  },
});

export const stateless = defineFunction({
  handlers: { echo: (_ctx, text: string) => text },
});

/** As `connect`, `startNode` and `createTestCluster` type their `get`. */
declare function get<N extends keyof Functions & string>(
  name: N,
  key: string,
): HandleOf<Functions, N>;
declare const all: Handle<typeof everything>;
declare const echo: Handle<typeof stateless>;

export async function use(): Promise<void> {
  const alice = get("cart", "alice");
  await alice.add({ sku: "tea", quantity: 2 });
  const total: number = await alice.total();
  for await (const { lines, visits } of alice.watch()) {
    const tea: number | undefined = lines["tea"];
    const sum: number = visits + (tea ?? 0);
    if (sum === total) break;
  }
  const full: Reply<number> = await alice.with({ reply: "full" }).total();
  const bare: number = await alice.with({ reply: "full" }).with({ reply: "value" }).total();
  const still: Reply<number> = await alice.with({ reply: "full" }).with({ acks: "all" }).total();
  const nothing: undefined = (await alice.with({ timeoutMs: 5, acks: 1 }).checkOut()) as undefined;
  await alice
    .with({ whenSplit: "refuse", idempotencyKey: "order-7", ordered: true })
    .add({ sku: "tea", quantity: full.value + still.copies + bare });
  const sku: string = await all.checked({ sku: "tea", quantity: "2" });
  const flag: boolean = (await all.optional()) && (await all.optional({ verbose: true }));
  const elsewhere: number = await all.elsewhere();
  const text: string = await echo.echo(`${sku} ${String(flag)} ${String(elsewhere)}`);
  return text === "" ? nothing : undefined;
}

declare function start<F extends Readonly<Record<string, AnyFunction>>>(options: {
  functions: F;
}): { get<N extends keyof F & string>(name: N, key: string): HandleOf<F, N> };

/** A definition written where it is used is inferred like any other. */
export async function inline(): Promise<number> {
  const node = start({
    functions: {
      box: defineFunction({
        state: { count: crdt.counter() },
        handlers: {
          add(ctx, by: number) {
            ctx.state.count.add(by);
          },
        },
        queries: { total: (ctx) => ctx.state.count.value },
      }),
    },
  });
  await node.get("box", "a").add(1);
  return node.get("box", "a").total();
}
