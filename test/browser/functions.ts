/** A room that remembers how much was said in it, and fails in every way a handler can. */
import { crdt, defineFunction } from "latticework";

const room = defineFunction({
  state: { said: crdt.counter(), latest: crdt.register("") },
  handlers: {
    say(ctx, message: { from: string; text: string }) {
      ctx.state.said.add(1);
      ctx.state.latest.set(message.text);
      if (message.text === "") {
        ctx.fail("failed_precondition", "say something", { from: message.from });
      }
    },
    crash(ctx) {
      ctx.state.said.add(1);
      throw new Error("a fault of the handler");
    },
    async hang(ctx) {
      ctx.state.said.add(1);
      await ctx.sleep(60_000);
    },
  },
  queries: {
    count: (ctx) => ctx.state.said.value,
    bytes: () => Uint8Array.of(0, 127, 128, 255),
  },
});

export const functions = { room };
export type Functions = typeof functions;
