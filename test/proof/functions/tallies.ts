/**
 * Functions of the proofs under load: a count per key, once for service without a majority, as
 * functions are by default (`tally`), and once for service where a majority is (`strictTally`), which
 * is exact whatever happens. And a register, of which clocks say who wrote last.
 */
import { crdt, defineFunction } from "latticework";

export const tally = defineFunction({
  description: "Counts, and serves on both sides of a split.",
  state: { total: crdt.counter() },
  handlers: {
    add(ctx, by: number) {
      ctx.state.total.add(by);
    },
    addAndRefuse(ctx, by: number): void {
      ctx.state.total.add(by);
      ctx.fail("failed_precondition", "as asked");
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
    addAndRefuse(ctx, by: number): void {
      ctx.state.total.add(by);
      ctx.fail("failed_precondition", "as asked");
    },
  },
  queries: { read: ({ state }) => state.total.value },
});

export const latest = defineFunction({
  description: "Keeps what was written last, by whichever side of a split.",
  state: { value: crdt.register("") },
  handlers: {
    set(ctx, value: string) {
      ctx.state.value.set(value);
    },
  },
  queries: { read: ({ state }) => state.value.value },
});

export const functions = { tally, strictTally, latest };
export type Functions = typeof functions;
