/** Functions that the tests of this folder call: little state, and every way of failing. */
import { crdt } from "../../../src/definition/kinds.ts";
import { defineFunction } from "../../../src/definition/define-function.ts";

export const ledger = defineFunction({
  state: { total: crdt.counter(), entries: crdt.map(crdt.counter()), text: crdt.register("") },
  handlers: {
    add(ctx, amount: number) {
      ctx.state.total.add(amount);
      return ctx.state.total.value;
    },
    note(ctx, entry: { name: string; amount: number }) {
      ctx.state.entries.at(entry.name).add(entry.amount);
    },
    keep(ctx, text: string) {
      ctx.state.text.set(text);
    },
    /** A result of so many bytes. */
    blob(_ctx, bytes: number) {
      return new Uint8Array(bytes);
    },
    /** A failure whose data has so many bytes. */
    refuse(ctx, bytes: number) {
      return ctx.fail("failed_precondition", "as asked", new Uint8Array(bytes));
    },
    async slowly(ctx, delayMs: number) {
      await ctx.sleep(delayMs);
      ctx.state.total.add(1);
    },
    tell(ctx, to: { key: string; amount: number }) {
      ctx.send(ledger, to.key).add(to.amount);
    },
    /** Sends what will be refused. */
    misdirect(ctx, key: string) {
      ctx.send(ledger, key).refuse(8);
    },
    async ask(ctx, to: { key: string; amount: number }): Promise<number> {
      return await ctx.get(ledger, to.key).add(to.amount);
    },
  },
  queries: {
    total: (ctx) => ctx.state.total.value,
    names: (ctx) => [...ctx.state.entries.keys()],
  },
});

const strict = defineFunction({
  whenSplit: "refuse",
  state: { total: crdt.counter() },
  handlers: {
    add(ctx, amount: number) {
      ctx.state.total.add(amount);
    },
  },
  queries: { total: (ctx) => ctx.state.total.value },
});

export const functions = { ledger, strict };
export type TestFunctions = typeof functions;
