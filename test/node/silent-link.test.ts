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

test("what was sent over a young link that the other side has lost is not waited for", async () => {
  const cluster = new VirtualCluster(9);
  await cluster.form(["a", "b", "c"]);
  const client = await cluster.client("client", ["c"], { direct: false });
  const key = cluster.keyLedBy("a");
  await cluster.settled(client.get("ledger", key).add(1));
  cluster.network.reset("a", "c");
  await cluster.time.sleep(2_000);
  // The end of c hears of it only after a has dialled again.
  cluster.network.setLink("a", "c", { delayMs: () => 1_000, bytesPerMs: 1_000 });
  cluster.network.reset("a", "c");
  cluster.network.setLink("a", "c", undefined);
  const calledAt = cluster.time.now;
  await cluster.settled(client.get("ledger", key).with({ timeoutMs: 60_000 }).add(1));
  const tookMs = cluster.time.now - calledAt;
  assert.ok(tookMs < noticedMs, `answered after ${String(tookMs)} ms`);
  await cluster.settled(client.close());
  await cluster.end();
});
