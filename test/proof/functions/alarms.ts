/** The function of the proof `timers`: it sets timers, and writes down how often and when each fired. */
import { crdt, defineFunction } from "latticework";

export interface AlarmWish {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export const alarm = defineFunction({
  description: "Rings at set times, where a majority of the owners can be reached.",
  whenSplit: "refuse",
  state: { rings: crdt.map(crdt.counter()), rungAt: crdt.map<number>() },
  handlers: {
    set(ctx, wishes: readonly AlarmWish[]) {
      for (const { id, at } of wishes) ctx.schedule("ring", { at, id });
    },
    ring(ctx) {
      if (ctx.caller.type !== "timer") ctx.fail("permission_denied", "timers ring");
      else {
        ctx.state.rings.at(ctx.caller.id).add(1);
        ctx.state.rungAt.set(ctx.caller.id, ctx.now());
      }
    },
  },
  queries: {
    read: (ctx) => ({
      rings: Object.fromEntries(ctx.state.rings.entries()),
      rungAt: Object.fromEntries(ctx.state.rungAt.entries()),
      waiting: ctx.timers().map(({ id }) => id),
    }),
  },
});

export const functions = { alarm };
export type Functions = typeof functions;
