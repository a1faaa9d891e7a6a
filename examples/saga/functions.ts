/**
 * An order as a saga: every step is a turn of its own, safe before the next one begins, and where a
 * step cannot be done the steps before it are undone. There is no transaction over the three.
 *
 *     order.place ─send─▶ stock.reserve ─send─▶ order.reserved ─ask─▶ account.charge
 *                           │ too few                │ refused             │ done
 *                           ▼                        ▼                     ▼
 *                     order.soldOut            stock.release          stock.take
 *                       (declined)              (declined)              (paid)
 *
 * All three refuse service where no majority can be reached: what is sold must be there.
 */
import { crdt, defineFunction, LatticeError } from "latticework";

export interface Wanted {
  readonly sku: string;
  readonly quantity: number;
  readonly customer: string;
  /** What it costs in all. */
  readonly amount: number;
}

export type OrderStatus = "new" | "reserving" | "paid" | "declined";

export const order = defineFunction({
  description: "One order, keyed by its number.",
  whenSplit: "refuse",
  state: {
    status: crdt.register<OrderStatus>("new"),
    wanted: crdt.register<Wanted | null>(null),
    reason: crdt.register(""),
  },
  handlers: {
    place(ctx, wanted: Wanted): void {
      if (ctx.state.wanted.value !== null) ctx.fail("already_exists", `${ctx.key} was placed`);
      ctx.state.wanted.set(wanted);
      ctx.state.status.set("reserving");
      const { sku, quantity } = wanted;
      ctx.send(stock, sku).reserve({ order: ctx.key, quantity });
    },
    /** The stock is set aside: now it must be paid for, or given back. */
    async reserved(ctx): Promise<void> {
      const { sku, customer, amount } = ctx.state.wanted.value!;
      try {
        await ctx.get(account, customer).charge(amount);
      } catch (error) {
        // Whatever else went wrong fails this turn, which the outbox of the stock makes again.
        if (!(error instanceof LatticeError) || error.code !== "failed_precondition") throw error;
        ctx.state.status.set("declined");
        ctx.state.reason.set("payment declined");
        ctx.send(stock, sku).release(ctx.key);
        return;
      }
      ctx.state.status.set("paid");
      ctx.send(stock, sku).take(ctx.key);
    },
    soldOut(ctx): void {
      ctx.state.status.set("declined");
      ctx.state.reason.set("sold out");
    },
  },
  queries: {
    outcome: ({ state }) => ({ status: state.status.value, reason: state.reason.value }),
  },
});

export const stock = defineFunction({
  description: "What there is of one article, keyed by its SKU.",
  whenSplit: "refuse",
  state: {
    free: crdt.counter(),
    /** Order → quantity that is set aside for it. */
    reserved: crdt.map<number>(),
    taken: crdt.counter(),
  },
  handlers: {
    fill(ctx, quantity: number): void {
      ctx.state.free.add(quantity);
    },
    reserve(ctx, { order: number, quantity }: { order: string; quantity: number }): void {
      if (ctx.state.free.value < quantity) {
        ctx.send(order, number).soldOut();
        return;
      }
      ctx.state.free.add(-quantity);
      ctx.state.reserved.set(number, quantity);
      ctx.send(order, number).reserved();
    },
    release(ctx, number: string): void {
      ctx.state.free.add(ctx.state.reserved.get(number) ?? 0);
      ctx.state.reserved.delete(number);
    },
    take(ctx, number: string): void {
      ctx.state.taken.add(ctx.state.reserved.get(number) ?? 0);
      ctx.state.reserved.delete(number);
    },
  },
  queries: {
    count: ({ state }) => ({
      free: state.free.value,
      reserved: [...state.reserved.values()].reduce((sum, quantity) => sum + quantity, 0),
      taken: state.taken.value,
    }),
  },
});

export const account = defineFunction({
  description: "What a customer can pay, keyed by the customer.",
  whenSplit: "refuse",
  state: { balance: crdt.counter() },
  handlers: {
    deposit(ctx, amount: number): void {
      ctx.state.balance.add(amount);
    },
    charge(ctx, amount: number): void {
      const { balance } = ctx.state;
      if (balance.value < amount) {
        ctx.fail("failed_precondition", "declined", { balance: balance.value });
      }
      balance.add(-amount);
    },
  },
  queries: { balance: ({ state }) => state.balance.value },
});

export const functions = { order, stock, account };
export type Functions = typeof functions;
