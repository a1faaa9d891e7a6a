/** Notes of a person: written on one device, read on another. */
import { crdt, defineFunction } from "latticework";

export const notes = defineFunction({
  state: { lines: crdt.map<string>() },
  handlers: {
    write(ctx, note: { id: string; text: string }) {
      ctx.state.lines.set(note.id, note.text);
    },
  },
  queries: {
    texts: (ctx) => [...ctx.state.lines.values()],
  },
});

export const functions = { notes };
export type Functions = typeof functions;
