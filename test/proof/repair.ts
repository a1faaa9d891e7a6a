/**
 * `repair`: of what replicas tell each other one message batch in twenty is lost, although no link
 * breaks and nobody is told. While that goes on clusters are called from several clients; then the
 * calls end, the losses go on, and every owner has to hold the same state soon. Simulated, because
 * no real network loses a message without breaking the link.
 *
 * Control: digests and bases are lost as well, all of them: nothing can be repaired.
 */
import { seededRandom } from "../../src/platform/seeded-random.ts";
import { SimulatedCluster } from "../../src/testing/simulated-cluster.ts";
import { unrest } from "../../src/testing/unrest.ts";
import type { ReplicationMessage } from "../../src/wire/replication-messages.ts";
import { functions, type Functions } from "./functions/tallies.ts";
import { atMost, none, type Proof, type ProofOptions, type Verdict } from "./proof.ts";
import { targets } from "./targets.ts";

const seedCount = 200;
const smokeSeedCount = 2;
const nodeCount = 5;
const partitionCount = 16;
const keyCount = 40;
const callCount = 400;
const callsMs = 20_000;
const birthLimitMs = 60_000;
const callTimeoutMs = 60_000;

interface Run {
  /** Virtual milliseconds from the last answer until all owners held the same. */
  readonly equalMs: number;
  readonly lost: number;
  readonly sent: number;
  /** Calls without an answer. */
  readonly failed: number;
}

async function run({ control, smoke, say }: ProofOptions): Promise<Verdict> {
  const count = smoke ? smokeSeedCount : seedCount;
  const runs: Run[] = [];
  for (let seed = 1; seed <= count; seed++) {
    runs.push(await runOnce(seed, control));
    if (seed % 20 === 0) say(`${String(seed)} of ${String(count)} seeds`);
  }
  const total = (of: (one: Run) => number): number => runs.reduce((sum, one) => sum + of(one), 0);
  const lost = total((one) => one.lost);
  return {
    counts: {
      seeds: count,
      "batches of replication": total((one) => one.sent),
      "of them lost": lost,
      calls: count * callCount,
    },
    figures: [
      none(
        "calls that failed",
        total((one) => one.failed),
      ),
      atMost(
        "slowest of the seeds to equal copies (virtual)",
        Math.max(...runs.map((one) => one.equalMs)),
        targets.repair.equalMsMax,
        "ms",
      ),
      none("seeds whose owners stayed unequal", runs.filter((r) => r.equalMs === Infinity).length),
    ],
    provedNothing: lost === 0 ? "no batch was lost" : undefined,
    records: [],
  };
}

async function runOnce(seed: number, control: boolean): Promise<Run> {
  const random = seededRandom(seed, "repair");
  const counts = { lost: 0, sent: 0 };
  let isLossy = false;
  const loses = (batch: ReplicationMessage): boolean => {
    if (!isLossy) return false;
    counts.sent += 1;
    const isLost = random() < targets.repair.lostShare || (control && mends(batch));
    if (isLost) counts.lost += 1;
    return isLost;
  };
  const cluster = await SimulatedCluster.create({
    functions,
    seed,
    partitionCount,
    replicas: seed % 3 === 0 ? 5 : 3,
    buggify: { losesBatch: loses },
  });
  const { time } = cluster;
  const ids = Array.from({ length: nodeCount }, (_, index) => `n${String(index + 1)}`);
  for (const id of ids) cluster.start(id, { join: id === "n1" ? [] : ["n1"] });
  const isAtRest = (): boolean => unrest(cluster.running()) === undefined;
  await time.run({ untilAt: birthLimitMs, condition: isAtRest });
  const client = await time.settled(cluster.connect<Functions>(ids));
  isLossy = true;
  const calls = Array.from({ length: callCount }, async (_, index) => {
    await new Promise<void>((resolve) => {
      time.timers.after(random() * callsMs, resolve);
    });
    const tally = client.get("strictTally", `k${String(index % keyCount)}`);
    await tally.with({ timeoutMs: callTimeoutMs }).add(1);
  });
  const ends = await time.settled(Promise.allSettled(calls));
  const answeredAt = time.now;
  await time.run({
    untilAt: answeredAt + 2 * targets.repair.equalMsMax,
    condition: () => isEqual(cluster),
  });
  const equalMs = isEqual(cluster) ? time.now - answeredAt : Infinity;
  return { ...counts, equalMs, failed: ends.filter(({ status }) => status === "rejected").length };
}

/** Whether a batch holds what replaces a copy that lags or differs, or says that one does. */
function mends({ entries }: ReplicationMessage): boolean {
  return entries.some(({ message: { type } }) => type === "base" || type === "digest");
}

/** Whether every owner of every partition holds, and knows to be committed, what its primary does. */
function isEqual(cluster: SimulatedCluster): boolean {
  const nodes = new Map(cluster.running().map(({ parts }) => [parts.self, parts.partitions]));
  for (const partitions of nodes.values()) {
    for (const [partition, replica] of partitions.held()) {
      if (replica.serving !== "primary") continue;
      const { digest, progress } = replica;
      if (progress === undefined || progress.committed <= progress.position) return false;
      for (const owner of replica.owners?.processes ?? []) {
        const copy = nodes.get(owner)?.replica(partition);
        if (copy?.digest !== digest || copy.progress?.committed !== progress.committed)
          return false;
      }
    }
  }
  return true;
}

export const proof: Proof = {
  control: "digests and bases are lost as well, all of them",
  run,
};
