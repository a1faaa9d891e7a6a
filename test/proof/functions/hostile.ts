/**
 * Functions of `hostile-handlers`: handlers that do what no handler should, each after ten changes to
 * state of every kind, beside one that works. What goes on in this process after a turn is over is told
 * by the query `aftermath`, since no caller hears of it.
 */
import { once } from "node:events";
import { crdt, defineFunction, type HandlerContext } from "latticework";

const state = {
  count: crdt.counter(),
  best: crdt.max(),
  least: crdt.min(),
  last: crdt.register<unknown>(null),
  open: crdt.flag(),
  names: crdt.set<string>(),
  fields: crdt.map<string>(),
  marks: crdt.map(crdt.counter()),
  text: crdt.text(),
};
type Context = HandlerContext<typeof state>;

/** What is known in this process of the runs for one key. */
interface Aftermath {
  /** Runs of hostile handlers. */
  runs: number;
  /** What a late use of a context threw, or "nothing". */
  late: string;
}

const aftermaths = new Map<string, Aftermath>();
const bytesMax = 1024 * 1024;
const unanswered = new Promise<never>(() => undefined);

function aftermathOf(key: string): Aftermath {
  const known = aftermaths.get(key) ?? { runs: 0, late: "" };
  aftermaths.set(key, known);
  return known;
}

function changeTenTimes({ key, state: own }: Context): void {
  own.count.add(1_000);
  own.best.observe(1_000);
  own.least.observe(-1_000);
  own.last.set({ changed: true });
  own.open.enable();
  own.names.add("changed");
  own.names.delete("kept");
  own.fields.set("changed", "yes");
  own.marks.at("changed").add(1_000);
  own.text.insert(0, "changed ");
  aftermathOf(key).runs += 1;
}

/** @param use what must not be possible any more */
function tryLate(key: string, use: () => unknown): void {
  try {
    use();
    aftermathOf(key).late = "nothing";
  } catch (error) {
    aftermathOf(key).late = (error as { readonly code?: string }).code ?? String(error);
  }
}

export const hostile = defineFunction({
  description: "Fails in every way in which a handler can.",
  state,
  handlers: {
    prepare(ctx) {
      ctx.state.names.add("kept");
      ctx.state.text.insert(0, "kept");
      ctx.state.last.set("kept");
    },
    add(ctx, by: number) {
      ctx.state.count.add(by);
    },

    throwAfterChanges(ctx) {
      changeTenTimes(ctx);
      throw new Error("as asked");
    },
    async throwLater(ctx): Promise<void> {
      changeTenTimes(ctx);
      await ctx.sleep(1);
      throw new TypeError("as asked, later");
    },
    throwNothing(ctx) {
      changeTenTimes(ctx);
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- hostile on purpose
      throw undefined;
    },
    /** An error that throws when it is looked at. */
    throwTrap(ctx) {
      changeTenTimes(ctx);
      const trap = (): never => {
        throw new Error("looked at");
      };
      throw new Proxy(new Error("trap"), { get: trap, has: trap, getPrototypeOf: trap });
    },

    async passDeadline(ctx): Promise<void> {
      changeTenTimes(ctx);
      await unanswered;
    },
    /** Goes on when it is told that it was cut off. */
    async passDeadlineAndGoOn(ctx): Promise<void> {
      const { key, signal } = ctx;
      changeTenTimes(ctx);
      await once(signal, "abort");
      tryLate(key, () => {
        ctx.state.count.add(1_000);
      });
    },

    keepContext(ctx) {
      const { key } = ctx;
      aftermathOf(key).runs += 1;
      setTimeout(() => {
        tryLate(key, () => {
          ctx.state.count.add(1_000);
        });
      });
    },
    keepField(ctx) {
      const { key, state: own } = ctx;
      const { count } = own;
      aftermathOf(key).runs += 1;
      setTimeout(() => {
        tryLate(key, () => {
          count.add(1_000);
        });
      });
    },
    /** Nobody catches what this one's late write throws. */
    writeLate(ctx) {
      aftermathOf(ctx.key).runs += 1;
      setTimeout(() => {
        ctx.state.count.add(1_000);
      });
    },

    changeInput(ctx, input: { list: number[] }) {
      changeTenTimes(ctx);
      input.list.push(4);
      throw new Error("as asked");
    },
    /** Stores its input and changes it afterwards: what was stored must not change with it. */
    changeStoredInput(ctx, input: { list: number[] }): unknown {
      aftermathOf(ctx.key).runs += 1;
      ctx.state.last.set(input);
      input.list.push(4);
      const stored = ctx.state.last.value;
      ctx.state.last.set("kept");
      return stored;
    },
    /** Lends its input to another one, which changes it and throws. */
    async lendInput(ctx, input: { list: number[] }): Promise<unknown> {
      aftermathOf(ctx.key).runs += 1;
      const other = ctx.get(hostile, `other of ${ctx.key}`);
      await other.changeInput(input).catch(() => undefined);
      return input;
    },

    returnCycle(ctx): unknown {
      changeTenTimes(ctx);
      const cycle: Record<string, unknown> = {};
      cycle["self"] = cycle;
      return cycle;
    },
    returnBigInt(ctx): unknown {
      changeTenTimes(ctx);
      return { price: 1n };
    },
    returnTooMuch(ctx) {
      changeTenTimes(ctx);
      return new Uint8Array(2 * bytesMax);
    },
    /** What awaits the result looks at its `then`. */
    returnTrap(ctx): unknown {
      changeTenTimes(ctx);
      return Object.defineProperty({}, "then", {
        get: (): never => {
          throw new Error("looked at");
        },
      });
    },

    leakRejection(ctx) {
      aftermathOf(ctx.key).runs += 1;
      void Promise.reject(new Error("left behind"));
    },
    leakAndThrow(ctx) {
      changeTenTimes(ctx);
      void Promise.reject(new Error("left behind"));
      throw new Error("as asked");
    },

    async askItself(ctx): Promise<void> {
      changeTenTimes(ctx);
      await ctx.get(hostile, ctx.key).add(1_000);
    },
    /** Refuses with the code that asking itself gave it. */
    async askItselfAndTell(ctx): Promise<void> {
      changeTenTimes(ctx);
      const code: unknown = await ctx
        .get(hostile, ctx.key)
        .add(1_000)
        .catch((error: unknown) => (error as { readonly code?: string }).code);
      ctx.fail("failed_precondition", "as asked", { code: String(code) });
    },
  },
  queries: {
    count: ({ state: { count } }) => count.value,
    aftermath: ({ key }) => ({ ...aftermathOf(key) }),
  },
});

export const functions = { hostile };
export type Functions = typeof functions;
