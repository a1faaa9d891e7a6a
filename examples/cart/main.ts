/** `npx tsx examples/cart/main.ts`: two customers check out, and a shop window counts what is sold. */
import { connect } from "latticework/client";
import { startNode } from "latticework/node";
import { functions, type Functions } from "./functions.ts";

const settings = { functions, cluster: "cart", listen: { port: 0 }, logger: "error" } as const;
await using first = await startNode(settings);
await using second = await startNode({ ...settings, join: [first.address] });
await using client = await connect<Functions>({ nodes: [first.address, second.address] });

const window = countSold({ tea: 3, milk: 1 });
const alice = client.get("cart", "alice");
const bob = client.get("cart", "bob");
await alice.add({ sku: "tea", quantity: 2 });
await alice.add({ sku: "milk", quantity: 1 });
await bob.add({ sku: "tea", quantity: 1 });
console.log(`alice has ${await alice.total()} in her cart, bob ${await bob.total()}`);
await Promise.all([alice.checkOut(), bob.checkOut()]);
console.log(`after checking out: ${await alice.total()} and ${await bob.total()}`);
await window;

/** What a checkout sends arrives after it, once: watches the shop until all is there. */
async function countSold(expected: Readonly<Record<string, number>>): Promise<void> {
  for await (const { sold } of client.get("shop", "main").watch()) {
    console.log(`the shop has sold: ${lines(sold)}`);
    if (Object.entries(expected).every(([sku, count]) => sold[sku] === count)) return;
  }
}

function lines(sold: Readonly<Record<string, number>>): string {
  const all = Object.entries(sold).map(([sku, count]) => `${count} × ${sku}`);
  return all.length === 0 ? "nothing yet" : all.sort().join(", ");
}
