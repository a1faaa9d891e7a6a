/**
 * Functions of `no-deadlock`: entities that visit each other along a path which their caller chose,
 * each visit made by the one before it, inside its turn (`ask`) or after it (`send`).
 */
import { crdt, defineFunction } from "latticework";

export const asker = defineFunction({
  description: "Counts its visits, and visits the others on the path.",
  // What is counted is compared exactly, so no call may agree to degraded service.
  whenSplit: "refuse",
  state: { asked: crdt.counter(), sent: crdt.counter() },
  handlers: {
    /** Answers how many were visited from here on. */
    async ask(ctx, path: readonly string[]): Promise<number> {
      ctx.state.asked.add(1);
      const [next, ...rest] = path;
      return next === undefined ? 1 : 1 + (await ctx.get(asker, next).ask(rest));
    },
    send(ctx, path: readonly string[]): void {
      ctx.state.sent.add(1);
      const [next, ...rest] = path;
      if (next !== undefined) ctx.send(asker, next).send(rest);
    },
  },
  queries: {
    visits: ({ state }) => ({ ask: state.asked.value, send: state.sent.value }),
  },
});

export const functions = { asker };
export type Functions = typeof functions;
