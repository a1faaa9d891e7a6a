/** Chains of calls as callers write them. This file has nothing to run: it passes when it compiles. */
import { crdt, defineFunction, pipe } from "../../src/entry/main.ts";
import type { Client } from "../../src/entry/client.ts";
import type { Node } from "../../src/entry/node.ts";

interface Order {
  readonly id: string;
  readonly amount: number;
}

const cart = defineFunction({
  state: { orders: crdt.counter() },
  handlers: {
    checkOut(ctx, coupon: string): Order {
      ctx.state.orders.add(1);
      return { id: coupon, amount: 1 };
    },
    clear(ctx) {
      ctx.state.orders.add(-1);
    },
  },
});
const stock = defineFunction({
  state: { left: crdt.counter() },
  handlers: {
    reserve(ctx, order: Order) {
      ctx.state.left.add(-order.amount);
      return ctx.state.left.value;
    },
    count: (ctx, left: number) => `${ctx.key} ${String(left)}`,
    touch: () => true,
  },
});
const functions = { cart, stock };
type Functions = typeof functions;

export async function chains(client: Client<Functions>, node: Node<Functions>): Promise<void> {
  const alice = client.get("cart", "alice");
  const main = client.get("stock", "main");
  const left: number = await pipe(alice.checkOut, main.reserve)("ten");
  const text: string = await pipe(alice.checkOut, main.reserve, main.count)("ten");
  const here = node.get("stock", "main");
  const longer = pipe(node.get("cart", "bob").checkOut, here.reserve, here.count, here.touch);
  const done: boolean = await longer("ten");
  const cleared: boolean = await pipe(alice.clear, main.touch)();
  // @ts-expect-error the first stage takes a text
  await pipe(alice.checkOut, main.reserve)(10);
  // @ts-expect-error a number is no order
  pipe(alice.checkOut, main.reserve, main.reserve);
  // @ts-expect-error it takes two stages at least
  pipe(alice.checkOut);
  void [left, text, done, cleared];
}
