/** A cart that remembers what is in it, and a shop that counts what was sold. */
import { crdt, defineFunction } from "latticework";

export const shop = defineFunction({
  state: { sold: crdt.map(crdt.counter()) },
  handlers: {
    sell(ctx, sale: { sku: string; quantity: number }) {
      ctx.state.sold.at(sale.sku).add(sale.quantity);
    },
  },
  queries: {
    sold: (ctx, sku: string) => ctx.state.sold.get(sku) ?? 0,
  },
});

export const cart = defineFunction({
  acks: 2,
  state: { lines: crdt.map(crdt.counter()), visits: crdt.counter() },
  handlers: {
    add(ctx, line: { sku: string; quantity: number }) {
      ctx.state.lines.at(line.sku).add(line.quantity);
      ctx.state.visits.add(1);
    },
    checkOut(ctx) {
      for (const [sku, quantity] of ctx.state.lines.entries()) {
        ctx.send(shop, "main").sell({ sku, quantity });
      }
      ctx.state.lines.clear();
    },
  },
  queries: {
    total: (ctx) => [...ctx.state.lines.values()].reduce((sum, n) => sum + n, 0),
  },
});

export const functions = { cart, shop };
export type Functions = typeof functions;
