/**
 * A cluster of which a quarter of the nodes stall again and again: some are awake for a moment in
 * between, others for seconds. Whoever is declared dead is counted, by whether it stalls.
 */
import { VirtualCluster } from "../membership/support/virtual-cluster.ts";
import { targets } from "./targets.ts";

const sizes = [8, 16, 32] as const;
const durationMs = 120_000;
const stallMsMin = 100;
/** Awake between stalls: too short to read the sockets in peace, and long enough to believe again. */
const awakeMs = [2, 2000] as const;

export interface StallRun {
  readonly stalls: number;
  /** Wakings with a verdict that had been due for a while. */
  readonly overdue: number;
  readonly stalledDead: number;
  readonly healthyDead: number;
  readonly healthySuspected: number;
}

export function runStalls(seed: number): StallRun {
  const cluster = new VirtualCluster({ seed });
  const nodes = cluster.startMany(sizes[seed % sizes.length]!);
  const { stallShare, stallMsMax } = targets.membership;
  const stalling = nodes.slice(0, Math.floor(nodes.length * stallShare));
  const isStalling = new Set(stalling.map(({ id }) => id));
  const endAt = cluster.now + durationMs;
  let stalls = 0;
  let overdue = 0;
  for (const [index, node] of stalling.entries()) {
    const again = (): void => {
      if (cluster.now >= endAt) return;
      const stallMs = stallMsMin + cluster.random() * (stallMsMax - stallMsMin);
      stalls += 1;
      node.pause(stallMs);
      cluster.after(stallMs - 1e-3, () => {
        if (node.core.nextTickAt < cluster.now - 50) overdue += 1;
      });
      const awake = awakeMs[(seed + index) % awakeMs.length]!;
      cluster.after(stallMs + awake * (0.5 + cluster.random()), again);
    };
    cluster.after(cluster.random() * stallMsMax, again);
  }
  cluster.run(durationMs);
  const healthy = cluster.observations.filter(({ subject }) => !isStalling.has(subject));
  return {
    stalls,
    overdue,
    stalledDead: cluster.deaths.length - healthy.filter(({ status }) => status === "dead").length,
    healthyDead: healthy.filter(({ status }) => status === "dead").length,
    healthySuspected: healthy.filter(({ status }) => status === "suspect").length,
  };
}
