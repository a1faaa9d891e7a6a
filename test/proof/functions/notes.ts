/**
 * Functions of the proofs: one kind of state of each sort that merges in its own way, once for
 * service on both sides of a split (`note`) and once for service where a majority is (`ledger`).
 */
import { crdt, defineFunction } from "latticework";

const state = {
  text: crdt.text(),
  count: crdt.counter(),
  tags: crdt.set<string>(),
  fields: crdt.map<string>(),
  touchedAt: crdt.max(),
};

export const note = defineFunction({
  description: "Serves on both sides of a split and merges.",
  whenSplit: "serve",
  state,
  handlers: {
    append(ctx, text: string) {
      ctx.state.text.insert(ctx.state.text.length, text);
    },
    prepend(ctx, text: string) {
      ctx.state.text.insert(0, text);
    },
    add(ctx, by: number) {
      ctx.state.count.add(by);
    },
    tag(ctx, name: string) {
      ctx.state.tags.add(name);
    },
    untag(ctx, name: string) {
      ctx.state.tags.delete(name);
    },
    put(ctx, { name, value }: { readonly name: string; readonly value: string }) {
      ctx.state.fields.set(name, value);
    },
    drop(ctx, name: string) {
      ctx.state.fields.delete(name);
    },
    touch(ctx, at: number) {
      ctx.state.touchedAt.observe(at);
    },
  },
  queries: {
    read: ({ state }) => ({
      text: state.text.toString(),
      count: state.count.value,
      tags: [...state.tags.values()].sort(),
      fields: Object.fromEntries(state.fields.entries()),
    }),
  },
});

export const ledger = defineFunction({
  description: "Serves only where a majority of the owners can be reached.",
  whenSplit: "refuse",
  state: { text: crdt.text(), count: crdt.counter(), touchedAt: crdt.max() },
  handlers: {
    append(ctx, text: string) {
      ctx.state.text.insert(ctx.state.text.length, text);
    },
    add(ctx, by: number) {
      ctx.state.count.add(by);
    },
    touch(ctx, at: number) {
      ctx.state.touchedAt.observe(at);
    },
  },
  queries: {
    read: ({ state }) => ({ text: state.text.toString(), count: state.count.value }),
  },
});

export const functions = { note, ledger };
export type Functions = typeof functions;
