/** Functions that fail in every way a handler can, beside one that works, over one small state. */
import { crdt, defineFunction } from "latticework";

export const fragile = defineFunction({
  // The first error of a process makes the engine read the source map, which takes its time.
  deadlineMs: 2_000,
  state: { count: crdt.counter(), entries: crdt.map(crdt.counter()), last: crdt.register("") },
  handlers: {
    add(ctx, by: number) {
      ctx.state.count.add(by);
    },
    enter(ctx, name: string) {
      ctx.state.entries.at(name).add(1);
    },
    keep(ctx, value: unknown) {
      ctx.state.last.set(value as string);
    },
    throwAfterAdding(ctx) {
      ctx.state.count.add(1_000);
      throw new Error("as asked");
    },
    async rejectAfterAdding(ctx) {
      ctx.state.count.add(1_000);
      await ctx.sleep(1);
      throw new TypeError("as asked, later");
    },
    refuseAfterAdding(ctx) {
      ctx.state.count.add(1_000);
      return ctx.fail("failed_precondition", "out of stock", { left: 0 });
    },
    async neverAfterAdding(ctx) {
      ctx.state.count.add(1_000);
      await new Promise<void>(() => undefined);
    },
    returnNoValue() {
      return new Set([1]) as unknown as string;
    },
    writeTooLate(ctx) {
      setTimeout(() => {
        ctx.state.count.add(1_000);
      }, 50);
    },
    rejectAside() {
      void Promise.reject(new Error("left behind by a handler"));
    },
  },
  queries: {
    count: ({ state }) => state.count.value,
    names: ({ state }) => [...state.entries.keys()].sort(),
    polluted: () => Object.keys(Object.prototype).length + ("1" in {} ? 1 : 0),
  },
});

export const functions = { fragile };
export type Functions = typeof functions;
