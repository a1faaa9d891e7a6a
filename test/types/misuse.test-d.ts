/**
 * Every misuse that the public types must refuse. This file has nothing to run: it passes when it
 * compiles, for a line below `@ts-expect-error` that compiles is itself an error.
 */
import { defineFunction } from "../../src/definition/define-function.ts";
import type { AnyFunction } from "../../src/definition/function-definition.ts";
import type { Handle, HandleOf } from "../../src/definition/handle.ts";
import { handler } from "../../src/definition/handler.ts";
import { crdt } from "../../src/definition/kinds.ts";
import type { StandardSchema } from "../../src/definition/standard-schema.ts";
import type { Functions, shop } from "./public-surface.test-d.ts";
import { cart } from "./public-surface.test-d.ts";

declare function get<N extends keyof Functions & string>(
  name: N,
  key: string,
): HandleOf<Functions, N>;
declare function start(options: { functions: Readonly<Record<string, AnyFunction>> }): void;
declare const schema: StandardSchema<{ sku: string }, { sku: string; checked: true }>;

export async function callers(): Promise<void> {
  // @ts-expect-error unknown function
  get("card", "alice");
  const alice = get("cart", "alice");
  // @ts-expect-error unknown handler
  await alice.addd({ sku: "tea", quantity: 2 });
  // @ts-expect-error unknown input field
  await alice.add({ sku: "tea", amount: 2 });
  // @ts-expect-error wrong type of input
  await alice.add({ sku: "tea", quantity: "2" });
  // @ts-expect-error missing input
  await alice.add();
  // @ts-expect-error extra input
  await alice.checkOut({ now: true });
  // @ts-expect-error extra input of a query
  await alice.total(1);
  // @ts-expect-error a key is a string
  get("cart", 7);
  // @ts-expect-error the result is a number
  const text: string = await alice.total();
  // @ts-expect-error without `reply: "full"` there is no `degraded`
  const degraded: boolean = (await alice.total()).degraded;
  // @ts-expect-error unknown field of the state watched
  for await (const { line } of alice.watch()) void [line, text, degraded];
  // @ts-expect-error unknown option of `with`
  alice.with({ timeout: 5 });
  // @ts-expect-error wrong value of an option of `with`
  alice.with({ acks: "most" });
  // @ts-expect-error wrong value of `reply`
  alice.with({ reply: "fully" });
  // @ts-expect-error wrong value of `readFrom`
  alice.with({ readFrom: "nearest" });
  // @ts-expect-error a trace context is its header's text
  alice.with({ traceparent: { traceId: "a" } });
}

export const handlers = defineFunction({
  state: { lines: crdt.map(crdt.counter()), visits: crdt.counter() },
  handlers: {
    typo(ctx) {
      // @ts-expect-error state typo
      ctx.state.line.clear();
      // @ts-expect-error a counter has no `set`
      ctx.state.visits.set(1);
      // @ts-expect-error `value` cannot be assigned
      ctx.state.visits.value = 1;
    },
    others(ctx) {
      // @ts-expect-error sending to a query
      ctx.send(cart, "alice").total();
      // @ts-expect-error unknown handler of another function
      ctx.send(cart, "alice").addd({ sku: "tea", quantity: 2 });
      // @ts-expect-error wrong input of another function
      ctx.send(cart, "alice").add({ sku: "tea" });
      // @ts-expect-error functions are named by their definition
      ctx.send("cart", "alice").checkOut();
      // @ts-expect-error a turn cannot watch
      ctx.get(cart, "alice").watch();
      // @ts-expect-error options that a call inside a turn does not have
      ctx.get(cart, "alice").with({ acks: 2 });
      // @ts-expect-error a date is no value
      void ctx.compute("file:///price.js", new Date());
      // @ts-expect-error a module is named by its URL
      void ctx.compute(import("./public-surface.test-d.ts"));
      // @ts-expect-error unknown option
      void ctx.compute("file:///price.js", 1, { timeout: 5 });
      // @ts-expect-error inside a turn the trace is that of the turn
      ctx.get(cart, "alice").with({ traceparent: "" });
      // @ts-expect-error a run does not choose its trace
      ctx.trace.traceId = "";
      // @ts-expect-error codes of the system cannot be used
      ctx.fail("overloaded", "no");
    },
    later(ctx) {
      // @ts-expect-error a timer needs a time
      ctx.schedule("typo", {});
      // @ts-expect-error and only one
      ctx.schedule("typo", { inMs: 5, every: 1_000 });
      // @ts-expect-error a time is a number
      ctx.schedule("typo", { inMs: "5" });
      // @ts-expect-error unknown option of a timer
      ctx.schedule("typo", { inMs: 5, name: "a" });
      // @ts-expect-error an input is a value
      ctx.schedule("typo", { inMs: 5 }, new Map());
      // @ts-expect-error a list of timers is only read
      ctx.timers()[0] = undefined;
    },
    untyped(_ctx, input) {
      return input;
    },
    checked: handler(schema, (_ctx, input) => input.checked),
  },
  queries: {
    writing(ctx) {
      // @ts-expect-error writing in a query
      ctx.state.visits.add(1);
      // @ts-expect-error writing in a query
      ctx.state.lines.at("tea").add(1);
      // @ts-expect-error writing in a query
      ctx.state.lines.clear();
      // @ts-expect-error sending in a query
      ctx.send(cart, "alice").checkOut();
      // @ts-expect-error deleting in a query
      ctx.delete();
      // @ts-expect-error scheduling in a query
      ctx.schedule("typo", { inMs: 5 });
      // @ts-expect-error cancelling in a query
      ctx.cancelTimer("noon");
      // @ts-expect-error sleeping in a query
      void ctx.sleep(1);
    },
  },
});

export const withoutState = defineFunction({
  handlers: {
    async use(ctx, wait: number) {
      await ctx.sleep(wait);
      const total: number = await ctx.get(cart, ctx.key).total();
      ctx.log.info(ctx.caller.type, { total, now: ctx.now(), aborted: ctx.signal.aborted });
      if (ctx.random() > 1) ctx.fail("not_found", "never");
      return await ctx.compute<number>("file:///price.js", total);
    },
    misuse(ctx) {
      // @ts-expect-error there is no state
      void ctx.state;
      // @ts-expect-error there is no outbox
      ctx.send(cart, "alice").checkOut();
      // @ts-expect-error there is nothing to delete
      ctx.delete();
      // @ts-expect-error there is no commit
      ctx.afterCommit(() => undefined);
    },
    checked: handler(schema, (ctx, input) => {
      // @ts-expect-error there is no state in a checked handler either
      void ctx.state;
      return `${ctx.key} ${String(input.checked)}`;
    }),
  },
  queries: {
    look(ctx, text: string) {
      // @ts-expect-error there is no state in queries either
      void ctx.state;
      // @ts-expect-error sleeping in a query
      void ctx.sleep(1);
      return `${ctx.key} ${text}`;
    },
  },
});

export const withoutFields = defineFunction({
  state: {},
  handlers: {
    use(ctx) {
      void ctx.state;
      ctx.send(withoutState, "a").misuse();
    },
  },
});

export async function statelessCallers(
  handle: Handle<typeof withoutState>,
  fields: Handle<typeof withoutFields>,
): Promise<string> {
  const price: number = await handle.use(1);
  await handle.checked({ sku: "tea" });
  // @ts-expect-error wrong type of input
  await handle.look(price);
  // @ts-expect-error there is nothing to watch
  handle.watch();
  for await (const value of fields.watch()) void value;
  return handle.with({ timeoutMs: 5 }).look("a");
}

export function inputs(handle: Handle<typeof handlers>, other: Handle<typeof shop>): void {
  // @ts-expect-error an input without a type cannot be given
  void handle.untyped(1);
  // @ts-expect-error an input without a type cannot be left out either
  void handle.untyped();
  // @ts-expect-error callers give what the schema takes, not what it makes
  void handle.checked({ checked: true });
  // @ts-expect-error a sale needs a quantity
  void other.sell({ sku: "tea" });
}

const thenable = defineFunction({ handlers: { then: () => 1 } });
const twice = defineFunction({
  handlers: { size: () => 1 },
  queries: { size: () => 1 },
});
const watched = defineFunction({ handlers: {}, queries: { watch: () => 1 } });
// @ts-expect-error reserved name
start({ functions: { thenable } });
// @ts-expect-error one name twice
start({ functions: { twice } });
// @ts-expect-error reserved name of a query
start({ functions: { watched } });
// @ts-expect-error not a definition
start({ functions: { plain: { handlers: {} } } });

// @ts-expect-error unknown option of defineFunction
defineFunction({ handlers: {}, deadline: 5 });
// @ts-expect-error not available yet
defineFunction({ handlers: {}, ttlMs: 5 });
// @ts-expect-error wrong value of an option
defineFunction({ handlers: {}, whenSplit: "maybe" });
// @ts-expect-error an option that is about state
defineFunction({ handlers: {}, acks: 2 });
// @ts-expect-error a field must be a kind
defineFunction({ state: { count: 0 }, handlers: {} });
// @ts-expect-error a kind must be made by calling
defineFunction({ state: { count: crdt.counter }, handlers: {} });
// @ts-expect-error a map cannot hold texts
defineFunction({ state: { notes: crdt.map(crdt.text()) }, handlers: {} });
// @ts-expect-error nor a map of maps
defineFunction({ state: { notes: crdt.map(crdt.map(crdt.text())) }, handlers: {} });
// @ts-expect-error no handlers
defineFunction({ state: {} });
