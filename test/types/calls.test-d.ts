/**
 * What calls promise and how they end: the options that choose it, what a full reply and an error tell, and
 * what turns may do with each other. This file has nothing to run: it passes when it compiles.
 */
import {
  crdt,
  defineFunction,
  LatticeError,
  type Acks,
  type AskOptions,
  type CallOptions,
  type ErrorCode,
  type Handle,
  type ReadFrom,
  type RefusalCode,
  type Reply,
  type Value,
  type WhenSplit,
} from "latticework";
import { connect } from "latticework/client";
import { startNode } from "latticework/node";

const account = defineFunction({
  acks: "all",
  strictAcks: true,
  whenSplit: "refuse",
  state: { balance: crdt.counter() },
  handlers: {
    pay(ctx, amount: number): number {
      if (amount > ctx.state.balance.value) {
        const data: Value = { short: amount - ctx.state.balance.value };
        ctx.fail("failed_precondition", "not enough", data);
      }
      ctx.state.balance.add(-amount);
      return ctx.state.balance.value;
    },
    checked(ctx, of: string | undefined): number {
      // Behind a refusal the compiler knows more.
      if (of === undefined) return ctx.fail("invalid_argument", "of whom?");
      return of.length;
    },
  },
  queries: { balance: ({ state }) => state.balance.value },
});
const functions = { account };
type Functions = typeof functions;

export async function options(handle: Handle<typeof account>): Promise<void> {
  const { signal } = new AbortController();
  const acks: Acks = 2;
  const whenSplit: WhenSplit = "serve";
  const readFrom: ReadFrom = "any";
  const every = {
    ...{ timeoutMs: 5, acks, whenSplit, readFrom, signal },
    ...{ idempotencyKey: "order-7", ordered: true },
    reply: "value",
  } as const satisfies CallOptions;
  const left: number = await handle.with(every).pay(1);
  // Left out and `undefined` are the same.
  const same: number = await handle.with({ acks: undefined, readFrom: undefined }).pay(1);
  await handle.with({ signal: AbortSignal.timeout(5) }).balance();
  // @ts-expect-error how many copies, as a number or all of them
  handle.with({ acks: "2" });
  // @ts-expect-error strict acks belong to the function
  handle.with({ strictAcks: true });
  // @ts-expect-error no such way to behave in a split
  handle.with({ whenSplit: "wait" });
  // @ts-expect-error a key is text
  handle.with({ idempotencyKey: 7 });
  // @ts-expect-error an order is kept or not
  handle.with({ ordered: "yes" });
  // @ts-expect-error the controller instead of its signal
  handle.with({ signal: new AbortController() });
  // @ts-expect-error a time is a number of milliseconds
  handle.with({ timeoutMs: "5 s" });
  const few: CallOptions = { timeoutMs: 5 };
  // @ts-expect-error options are only read
  few.timeoutMs = 6;
  void [left, same];
}

export async function replies(handle: Handle<typeof account>): Promise<void> {
  const full: Reply<number> = await handle.with({ reply: "full" }).pay(1);
  const degraded: boolean = full.degraded;
  const numbers: readonly number[] = [full.value, full.copies, full.hops];
  const texts: readonly (string | undefined)[] = [full.node, full.token];
  // @ts-expect-error a reply is only read
  full.degraded = false;
  // @ts-expect-error a call outside of a session has no token for sure
  const token: string = full.token;
  // @ts-expect-error the bare value tells nothing of copies
  const copies: number = (await handle.pay(1)).copies;
  // @ts-expect-error nor does it after going back to it
  const hops: number = (await handle.with({ reply: "full" }).with({ reply: "value" }).pay(1)).hops;
  void [degraded, numbers, texts, token, copies, hops];
}

export async function failures(handle: Handle<typeof account>): Promise<number> {
  try {
    return await handle.pay(1);
  } catch (error) {
    if (!(error instanceof LatticeError)) throw error;
    const { code, indeterminate, retryable, retryAfterMs = 0 } = error;
    const mayHaveRun: boolean = indeterminate;
    const isSplit: boolean = code === "unavailable" && retryable;
    // @ts-expect-error no such code
    if (code === "unreachable") return 0;
    // @ts-expect-error what it says is only read
    error.indeterminate = false;
    // @ts-expect-error data of another process has to be looked at first
    const short: number = error.data.short;
    const data = error.data as { readonly short: number } | undefined;
    const known: ErrorCode = code;
    return mayHaveRun || isSplit ? retryAfterMs : (data?.short ?? short + known.length);
  }
}

export const others = defineFunction({
  state: { done: crdt.flag() },
  handlers: {
    async meet(ctx, key: string): Promise<void> {
      const { signal } = ctx;
      signal.throwIfAborted();
      signal.addEventListener("abort", () => undefined, { once: true });
      const asked: AskOptions = { timeoutMs: 5, signal: AbortSignal.any([signal]) };
      const left: number = await ctx.get(account, key).with(asked).pay(1);
      const balance: number = await ctx.get(account, key).balance();
      ctx.send(account, key).pay(left + balance);
      await ctx.compute<number>(new URL("file:///a.js"), left, { timeoutMs: 5 });
      // @ts-expect-error an ask is made again by the root of its chain, with no key of its own
      ctx.get(account, key).with({ idempotencyKey: "a" });
      // @ts-expect-error the primary answers turns
      ctx.get(account, key).with({ readFrom: "any" });
      // @ts-expect-error and gives them the bare value
      ctx.get(account, key).with({ reply: "full" });
      // @ts-expect-error a send has no options
      ctx.send(account, key).with({ timeoutMs: 5 });
      // @ts-expect-error and no answer
      const sent: number = ctx.send(account, key).pay(1);
      // @ts-expect-error what is sent has the target's input
      ctx.send(account, key).pay("1");
      // @ts-expect-error the signal of a turn cannot be replaced
      ctx.signal = AbortSignal.timeout(5);
      // @ts-expect-error a turn is cut off by its caller
      ctx.signal.abort();
      void sent;
    },
    refuse(ctx, code: RefusalCode) {
      // @ts-expect-error a refusal says why
      ctx.fail(code);
      // @ts-expect-error a map is no value
      ctx.fail(code, "no", new Map());
      // @ts-expect-error nor is a date in one
      ctx.fail(code, "no", { at: new Date() });
      // @ts-expect-error whether a call ran is for the system to say
      ctx.fail("indeterminate", "perhaps");
      ctx.fail(code, "no", { list: [1, "two", null, { bytes: new Uint8Array(1) }] });
    },
  },
});

// @ts-expect-error acks are a number or "all"
defineFunction({ handlers: {}, acks: "majority" });
// @ts-expect-error strict or not
defineFunction({ handlers: {}, strictAcks: "yes" });

export async function ends(): Promise<void> {
  await startNode({ functions, exposeErrors: true, acks: "all" });
  // @ts-expect-error told or not
  await startNode({ functions, exposeErrors: "always" });
  // @ts-expect-error an option of functions
  await startNode({ functions, strictAcks: true });
  await using client = await connect<Functions>({ nodes: [], session: true, protection: false });
  // @ts-expect-error a session or none
  await connect<Functions>({ nodes: [], session: "alice" });
  // @ts-expect-error a token is asked for, not given
  client.token("1.1.");
  // @ts-expect-error a session is of a client, not of a handle
  client.get("account", "a").with({ session: true });
  // @ts-expect-error nor is its token an option of calls
  client.get("account", "a").with({ token: client.token() });
}
