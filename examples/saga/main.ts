/**
 * `npx tsx examples/saga/main.ts`: orders that meet too little money and too little stock, in a cluster
 * that loses the node which leads the stock while they are under way. It runs on a virtual clock in one
 * process, so that the node dies at the same instant every time.
 */
import { createTestCluster } from "latticework/testing";
import { functions } from "./functions.ts";

const orders = 30;
const filled = 25;
const price = 4;
const customers = { ann: 40, bob: 20, cid: 80 };

await using cluster = await createTestCluster({ functions, nodes: 5, seed: 1 });
const { client } = cluster;
const tea = client.get("stock", "tea");
await tea.fill(filled);
for (const [customer, money] of Object.entries(customers)) {
  await client.get("account", customer).deposit(money);
}

const names = Object.keys(customers);
const numbers = Array.from({ length: orders }, (_, n) => `order-${n + 1}`);
const placing = numbers.map((number, n) =>
  client.get("order", number).place({
    ...{ sku: "tea", quantity: 1 + (n % 2), customer: names[n % names.length]! },
    amount: price * (1 + (n % 2)),
  }),
);
// After the first answer the others are everywhere: on the way, reserved, charged.
await placing[0];
const killed = cluster.primaryOf("stock", "tea");
cluster.crash(killed);
console.log(`${orders} orders are under way, and ${killed}, which leads the stock, is killed`);
await Promise.all(placing);
await cluster.settled();

const outcomes = new Map<string, number>();
for (const number of numbers) {
  const { status, reason } = await client.get("order", number).outcome();
  const outcome = status === "declined" ? `declined, ${reason}` : status;
  outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
}
for (const [outcome, count] of outcomes) console.log(`  ${count} ${outcome}`);
const { free, reserved, taken } = await tea.count();
console.log(`  tea: ${filled} = ${free} free + ${reserved} reserved + ${taken} taken`);
let paid = 0;
for (const [customer, money] of Object.entries(customers)) {
  paid += money - (await client.get("account", customer).balance());
}
console.log(`  paid: ${paid} = ${taken} taken × ${price}`);
