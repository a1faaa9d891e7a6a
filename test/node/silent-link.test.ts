/** A link that nobody ended and over which nothing comes any more: a black hole in the network. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualCluster } from "./support/virtual-cluster.ts";

/** Suspicion within a probe round, silence of two seconds, the takeover; keep-alive takes 25 s. */
const noticedMs = 12_000;

interface Story {
  readonly seed: number;
  /** The node that the client is linked to, and the one that leads what it calls. */
  readonly entry: string;
  readonly leader: string;
  readonly hurt: (cluster: VirtualCluster) => void | Promise<void>;
}

/** A call that is passed on by one node to another just when something befalls the link between them. */
async function callDuring({ seed, entry, leader, hurt }: Story): Promise<VirtualCluster> {
  const cluster = new VirtualCluster(seed);
  await cluster.form(["a", "b", "c"]);
  const client = await cluster.client("client", [entry], { direct: false });
  const key = cluster.keyLedBy(leader);
  await cluster.settled(client.get("ledger", key).add(1));
  await hurt(cluster);
  const calledAt = cluster.time.now;
  await cluster.settled(client.get("ledger", key).with({ timeoutMs: 60_000 }).add(1));
  const tookMs = cluster.time.now - calledAt;
  assert.ok(tookMs < noticedMs, `answered after ${String(tookMs)} ms`);
  assert.equal(await cluster.settled(client.get("ledger", key).total()), 2);
  await cluster.settled(client.close());
  return cluster;
}

test("calls do not wait for the keep-alive of a link to a suspect that has fallen silent", async () => {
  const hurt = ({ network }: VirtualCluster): void => {
    network.cut("a", "c");
    network.cut("b", "c");
  };
  const cluster = await callDuring({ seed: 7, entry: "a", leader: "c", hurt });
  await cluster.end();
});

test("calls do not wait for the keep-alive of a link to a living node that carries nothing", async () => {
  // Both reach b, so nobody is suspected, and nothing moves.
  const hurt = ({ network }: VirtualCluster): void => {
    network.cut("a", "c");
  };
  const cluster = await callDuring({ seed: 8, entry: "a", leader: "c", hurt });
  const { members } = cluster.nodes.get("a")!.node.parts.cluster;
  const statuses = [...members.values()].map(({ status }) => status);
  assert.deepEqual(statuses, ["alive", "alive", "alive"]);
  await cluster.end();
});

test("what was sent over a young link that the other side has lost is not waited for", async () => {
  const hurt = async ({ network, time }: VirtualCluster): Promise<void> => {
    network.reset("a", "c");
    await time.sleep(2_000);
    // The end of c hears of it only after a has dialled again.
    network.setLink("a", "c", { delayMs: () => 1_000, bytesPerMs: 1_000 });
    network.reset("a", "c");
    network.setLink("a", "c", undefined);
  };
  const cluster = await callDuring({ seed: 9, entry: "c", leader: "a", hurt });
  await cluster.end();
});
