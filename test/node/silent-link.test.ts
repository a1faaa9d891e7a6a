/** A link that nobody ended and over which nothing comes any more: a black hole in the network. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualCluster } from "./support/virtual-cluster.ts";

/** Suspicion within a probe round, silence of two seconds, the takeover; keep-alive takes 25 s. */
const noticedMs = 12_000;

test("calls do not wait for the keep-alive of a link to a suspect that has fallen silent", async () => {
  const cluster = new VirtualCluster(7);
  await cluster.form(["a", "b", "c"]);
  const client = await cluster.client("client", ["a"], { direct: false });
  const key = cluster.keyLedBy("c");
  await cluster.settled(client.get("ledger", key).add(1));
  cluster.network.cut("a", "c");
  cluster.network.cut("b", "c");
  const cutAt = cluster.time.now;
  // Passed on by a to c, where it is lost.
  await cluster.settled(client.get("ledger", key).with({ timeoutMs: 60_000 }).add(1));
  const tookMs = cluster.time.now - cutAt;
  assert.ok(tookMs < noticedMs, `answered after ${String(tookMs)} ms`);
  assert.equal(await cluster.settled(client.get("ledger", key).total()), 2);
  await cluster.settled(client.close());
  await cluster.end();
});

test("calls do not wait for the keep-alive of a link to a living node that carries nothing", async () => {
  const cluster = new VirtualCluster(8);
  await cluster.form(["a", "b", "c"]);
  const client = await cluster.client("client", ["a"], { direct: false });
  const key = cluster.keyLedBy("c");
  await cluster.settled(client.get("ledger", key).add(1));
  // Both reach b, so nobody is suspected, and nothing moves.
  cluster.network.cut("a", "c");
  const cutAt = cluster.time.now;
  await cluster.settled(client.get("ledger", key).with({ timeoutMs: 60_000 }).add(1));
  const tookMs = cluster.time.now - cutAt;
  assert.ok(tookMs < noticedMs, `answered after ${String(tookMs)} ms`);
  assert.equal(await cluster.settled(client.get("ledger", key).total()), 2);
  const statuses = [...cluster.nodes.get("a")!.node.parts.cluster.members.values()].map(
    ({ status }) => status,
  );
  assert.deepEqual(statuses, ["alive", "alive", "alive"]);
  await cluster.settled(client.close());
  await cluster.end();
});
