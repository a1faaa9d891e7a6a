/**
 * Functions of `linearizable`: the objects of textbooks, a register and a counter a key, which serve
 * only where a majority of the owners can be reached. Each is read in two ways: by a query, and by a
 * handler that changes nothing.
 */
import { crdt, defineFunction } from "latticework";

export const register = defineFunction({
  description: "Keeps what was written last.",
  whenSplit: "refuse",
  state: { value: crdt.register("") },
  handlers: {
    write(ctx, value: string) {
      ctx.state.value.set(value);
    },
    look: ({ state }) => state.value.value,
  },
  queries: { read: ({ state }) => state.value.value },
});

export const counter = defineFunction({
  description: "Counts, and says how far it has come.",
  whenSplit: "refuse",
  state: { total: crdt.counter() },
  handlers: {
    add(ctx, by: number) {
      ctx.state.total.add(by);
      return ctx.state.total.value;
    },
    look: ({ state }) => state.total.value,
  },
  queries: { read: ({ state }) => state.total.value },
});

export const functions = { register, counter };
export type Functions = typeof functions;
