/**
 * Functions of the proofs under load: a count per key, once for service without a majority, as
 * functions are by default (`tally`), and once for service where a majority is (`strictTally`), which
 * is exact whatever happens.
 */
import { crdt, defineFunction } from "latticework";

export const tally = defineFunction({
  description: "Counts, and serves on both sides of a split.",
  state: { total: crdt.counter() },
  handlers: {
    add(ctx, by: number) {
      ctx.state.total.add(by);
    },
  },
  queries: { read: ({ state }) => state.total.value },
});

export const strictTally = defineFunction({
  description: "Counts, and serves only where a majority of the owners can be reached.",
  whenSplit: "refuse",
  state: { total: crdt.counter() },
  handlers: {
    add(ctx, by: number) {
      ctx.state.total.add(by);
    },
  },
  queries: { read: ({ state }) => state.total.value },
});

export const functions = { tally, strictTally };
export type Functions = typeof functions;
