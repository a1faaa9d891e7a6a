import assert from "node:assert/strict";
import { test } from "node:test";
import { LatticeError } from "latticework";
import { createTestCluster, type TestCluster } from "latticework/testing";
import { functions, type Functions, type Wanted } from "../../examples/saga/functions.ts";
import { runExample } from "./run-example.ts";

const filled = 12;
const price = 5;
/** Enough for three cups and two cups; nothing. */
const money = { ann: 15, bob: 10, cid: 0 };
const customers = Object.keys(money) as readonly (keyof typeof money)[];

async function prepare(seed: number): Promise<TestCluster<Functions>> {
  const cluster = await createTestCluster({ functions, nodes: 5, seed });
  await cluster.client.get("stock", "tea").fill(filled);
  for (const customer of customers) {
    await cluster.client.get("account", customer).deposit(money[customer]);
  }
  return cluster;
}

function cups(quantity: number, customer: string): Wanted {
  return { sku: "tea", quantity, customer, amount: quantity * price };
}

async function outcomeOf({ client }: TestCluster<Functions>, order: string): Promise<string> {
  const { status, reason } = await client.get("order", order).outcome();
  return `${status} ${reason}`.trim();
}

test("an order is paid and its stock taken, or it is declined and its stock given back", async () => {
  await using cluster = await prepare(61);
  const { client } = cluster;
  await client.get("order", "1").place(cups(3, "ann"));
  await client.get("order", "2").place(cups(3, "bob"));
  await client.get("order", "3").place(cups(filled + 1, "ann"));
  await cluster.settled();
  assert.equal(await outcomeOf(cluster, "1"), "paid");
  assert.equal(await outcomeOf(cluster, "2"), "declined payment declined");
  assert.equal(await outcomeOf(cluster, "3"), "declined sold out");
  const count = await client.get("stock", "tea").count();
  assert.deepEqual(count, { free: filled - 3, reserved: 0, taken: 3 });
  assert.equal(await client.get("account", "ann").balance(), 0);
  assert.equal(await client.get("account", "bob").balance(), 10);
});

test("an order is placed once", async () => {
  await using cluster = await prepare(62);
  const order = cluster.client.get("order", "1");
  await order.place(cups(1, "ann"));
  await assert.rejects(
    order.place(cups(2, "ann")),
    (error) => error instanceof LatticeError && error.code === "already_exists",
  );
  await cluster.settled();
  assert.equal(await cluster.client.get("account", "ann").balance(), 10);
});

/** The node that dies while orders are under way, by what it leads. */
const victims = [
  ["stock", "tea"],
  ["account", "ann"],
  ["order", "order-0"],
] as const;

for (const [index, [functionName, key]] of victims.entries()) {
  test(`every order ends whole, though the node that leads ${functionName}/${key} dies in between`, async () => {
    await using cluster = await prepare(63 + index);
    const { client } = cluster;
    const orders = Array.from({ length: 24 }, (_, n) => `order-${n}`);
    const wanted = orders.map((_, n) => cups(1 + (n % 2), customers[n % customers.length]!));
    const placing = orders.map((order, n) => client.get("order", order).place(wanted[n]!));
    await placing[index * 4];
    cluster.crash(cluster.primaryOf(functionName, key));
    await Promise.all(placing);
    await cluster.settled();

    const paid = { ann: 0, bob: 0, cid: 0 };
    let taken = 0;
    for (const [n, order] of orders.entries()) {
      const outcome = await outcomeOf(cluster, order);
      assert.match(outcome, /^(paid|declined (payment declined|sold out))$/);
      if (outcome !== "paid") continue;
      taken += wanted[n]!.quantity;
      paid[wanted[n]!.customer as keyof typeof money] += wanted[n]!.amount;
    }
    assert.ok(taken > 0);
    const count = await client.get("stock", "tea").count();
    assert.deepEqual(count, { free: filled - taken, reserved: 0, taken });
    for (const customer of customers) {
      const balance = await client.get("account", customer).balance();
      assert.equal(balance, money[customer] - paid[customer], customer);
      assert.ok(balance >= 0);
    }
  });
}

test("the program of the saga ends with sums that match", async () => {
  const output = await runExample("saga");
  const [, free, taken] = /tea: 25 = (\d+) free \+ 0 reserved \+ (\d+) taken/.exec(output) ?? [];
  assert.equal(Number(free) + Number(taken), 25, output);
  const [, paid, cups] = /paid: (\d+) = (\d+) taken × 4/.exec(output) ?? [];
  assert.equal(Number(paid), 4 * Number(cups), output);
});
