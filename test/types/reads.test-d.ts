/** Reads and sessions as callers write them. This file has nothing to run: it passes when it compiles. */
import { connect } from "../../src/entry/client.ts";
import type { Node, Session } from "../../src/entry/node.ts";
import type { TestCluster } from "../../src/entry/testing.ts";
import type { Functions } from "./public-surface.test-d.ts";

export async function readers(
  node: Node<Functions>,
  cluster: TestCluster<Functions>,
): Promise<void> {
  const client = await connect<Functions>({ nodes: ["ws://127.0.0.1:7400"], session: true });
  const token: string = client.token();
  const next = await connect<Functions>({ nodes: ["ws://127.0.0.1:7400"], token });
  const alice = next.get("cart", "alice");
  const total: number = await alice.with({ readFrom: "any" }).total();
  const exact: number = await alice.with({ readFrom: "linearizable" }).total();
  const reply = await alice.with({ readFrom: "primary", reply: "full" }).total();
  const proof: string | undefined = reply.token;
  const newest: number = await alice.with({ readFrom: 2 }).total();
  // @ts-expect-error one owner is "any"
  alice.with({ readFrom: 1 });
  // @ts-expect-error a key has at most seven owners
  alice.with({ readFrom: 8 });
  // @ts-expect-error there is no such place to read from
  alice.with({ readFrom: "nearest" });
  // @ts-expect-error a token is text
  await connect<Functions>({ nodes: [], token: 7 });

  const session: Session<Functions> = node.session({ token });
  await session.get("cart", "alice").add({ sku: "tea", quantity: 1 });
  // @ts-expect-error unknown function
  session.get("basket", "alice");
  const passedOn: string = session.token();
  await cluster.node("node-1").session().get("cart", "alice").total();
  void [total, exact, newest, proof, passedOn];
}
