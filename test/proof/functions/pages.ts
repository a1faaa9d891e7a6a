/**
 * The function of `sessions`: a page that counts its hits and says how many it has had. As functions are by
 * default, it serves on both sides of a split; a session must not be served so.
 */
import { crdt, defineFunction } from "latticework";

export const page = defineFunction({
  description: "Counts hits, and says how many there were.",
  state: { hits: crdt.counter() },
  handlers: {
    hit(ctx) {
      ctx.state.hits.add(1);
      return ctx.state.hits.value;
    },
    /** The hit of another page; answers how many that one has had. */
    async hitOther(ctx, key: string): Promise<number> {
      return ctx.get(page, key).hit();
    },
  },
  queries: { hits: ({ state }) => state.hits.value },
});

export const functions = { page };
export type Functions = typeof functions;
