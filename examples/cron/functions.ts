/**
 * Jobs that run by the calendar, one per key. A job keeps one timer, for the next time that it is due; each
 * run sets the timer for the one after, in the same commit. So a job runs once each time, whatever dies.
 */
import { crdt, defineFunction } from "latticework";
import { nextTime, readCalendar } from "./calendar.ts";

const timer = "next";

export const job = defineFunction({
  description: "Runs when its calendar says so.",
  // Of two sides of a split one at most may run it.
  whenSplit: "refuse",
  state: { calendar: crdt.register(""), runs: crdt.counter() },
  handlers: {
    /** `0 3 * * *`: every night at three, in UTC. Returns when it runs first. */
    plan(ctx, calendar: string): string {
      try {
        const at = nextTime(readCalendar(calendar), ctx.now());
        if (at === undefined) throw new RangeError(`"${calendar}" is never`);
        ctx.state.calendar.set(calendar);
        ctx.schedule("run", { at, id: timer });
        return new Date(at).toISOString();
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        return ctx.fail("invalid_argument", error.message);
      }
    },
    stop: (ctx) => ctx.cancelTimer(timer),
    run(ctx) {
      const dueAt = ctx.caller.type === "timer" ? ctx.caller.at : ctx.now();
      const at = nextTime(readCalendar(ctx.state.calendar.value), ctx.now());
      if (at !== undefined) ctx.schedule("run", { at, id: timer });
      ctx.state.runs.add(1);
      ctx.send(journal, "all").note({ job: ctx.key, dueAt });
    },
  },
  queries: {
    runs: (ctx) => ctx.state.runs.value,
    next(ctx): string {
      const at = ctx.timers().find(({ id }) => id === timer)?.at;
      return at === undefined ? "never" : new Date(at).toISOString();
    },
  },
});

/** What jobs do is theirs; here they write down that they ran. */
export const journal = defineFunction({
  state: { lines: crdt.set<{ job: string; dueAt: number; number: number }>() },
  handlers: {
    note(ctx, { job: name, dueAt }: { job: string; dueAt: number }) {
      const number = ctx.state.lines.size;
      ctx.state.lines.add({ job: name, dueAt, number });
    },
  },
  queries: { lines: (ctx) => [...ctx.state.lines.values()].sort((a, b) => a.number - b.number) },
});

export const functions = { job, journal };
export type Functions = typeof functions;
