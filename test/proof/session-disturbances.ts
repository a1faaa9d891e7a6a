/**
 * What `sessions` does to its nodes while tokens are handed on, one thing after another, and the cluster is
 * whole again before the next. Clients reach every node all the time, but for one that is stopped or killed:
 *
 *   lag    what it sends to other nodes and hears of them comes late
 *   cut    half of the others cannot send to it, though it can send to them: of what these lead it hears nothing
 *   stop   SIGSTOP, until others lead what it led and a while longer; then SIGCONT, and it does not know
 *   kill   SIGKILL, and started again, empty, when others lead what it led
 */
import { setTimeout as wait } from "node:timers/promises";
import { until } from "../../scripts/cluster/until.ts";
import { monotonicMs } from "../support/monotonic.ts";
import type { RealCluster } from "../support/real-cluster.ts";
import type { LagType, SessionDisturbance } from "./judges/sessions-story.ts";
import type { ProofOptions } from "./proof.ts";

export interface LagOptions {
  readonly cluster: RealCluster;
  /** How long a node lags, is cut off from some, or stays stopped after others took over. */
  readonly lengthMs: number;
  readonly delayMs: number;
  readonly say: ProofOptions["say"];
}

/** On a busy machine. */
const takenTimeoutMs = 60_000;
const wholeTimeoutMs = 90_000;

/** The node that leads the most gets it, so that there is something to take over. */
export async function disturb(type: LagType, options: LagOptions): Promise<SessionDisturbance> {
  const { cluster, say } = options;
  const statuses = await cluster.statuses();
  const led = statuses.map(({ primaries }) => primaries.length);
  const index = led.indexOf(Math.max(...led));
  const { id: node, pid } = cluster.nodes[index]!;
  const at = monotonicMs();
  await does[type](options, index);
  const backAt = monotonicMs();
  await until("everybody is there and everything has its copies", wholeTimeoutMs, () =>
    cluster.isWhole(),
  );
  const { copies } = statuses[index]!;
  say(
    `${type} of ${node} (pid ${String(pid)}, led ${String(led[index])} of ${String(copies)} copies) for ` +
      `${(backAt - at).toFixed(0)} ms; whole after ${(monotonicMs() - at).toFixed(0)} ms`,
  );
  return { type, node, pid, led: led[index]!, copies, at, backAt };
}

const does: Readonly<Record<LagType, (options: LagOptions, index: number) => Promise<void>>> = {
  lag,
  cut,
  stop,
  kill,
};

async function lag(
  { cluster: { network }, lengthMs, delayMs }: LagOptions,
  index: number,
): Promise<void> {
  network.delay([index], delayMs);
  await wait(lengthMs);
  network.delay([index], 0);
}

async function cut(
  { cluster: { network, nodes }, lengthMs }: LagOptions,
  index: number,
): Promise<void> {
  const others = [...nodes.keys()].filter((other) => other !== index);
  network.block(others.slice(0, others.length / 2), [index]);
  await wait(lengthMs);
  network.heal();
}

async function stop({ cluster, lengthMs }: LagOptions, index: number): Promise<void> {
  const node = cluster.nodes[index]!;
  node.signal("SIGSTOP");
  try {
    await othersLead(cluster, index);
    await wait(lengthMs);
  } finally {
    node.signal("SIGCONT");
  }
}

async function kill({ cluster }: LagOptions, index: number): Promise<void> {
  await cluster.nodes[index]!.kill();
  await othersLead(cluster, index);
  await cluster.restart(index);
}

function othersLead({ nodes, partitions }: RealCluster, index: number): Promise<void> {
  const others = nodes.filter((_, other) => other !== index);
  return until("others lead everything", takenTimeoutMs, async () => {
    const statuses = await Promise.all(others.map((other) => other.status()));
    const led = statuses.reduce((sum, { primaries }) => sum + primaries.length, 0);
    return led >= partitions;
  });
}
