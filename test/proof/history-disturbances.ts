/**
 * What `linearizable` does to its nodes while calls are made, one after another. Each time it is the node
 * that leads the most, and the cluster is whole again before the next:
 *
 *   kill    SIGKILL, and started again, empty
 *   stop    SIGSTOP, until others lead what it led and calls have gone on for a while; then SIGCONT
 *   split   it is cut off from a majority, as long
 *   leave   SIGTERM, and started again: owners change twice
 *
 * In `stop` and `split` there is a node that does not know that it has been replaced, and clients that do
 * not know either. Half of all keys are quiet when it begins, are changed once others have taken over, and
 * are then read by these clients:
 *
 *   hush ─▶ SIGSTOP, or cut ─▶ others have taken over ─▶ change ─▶ read ─▶ SIGCONT, or heal
 */
import { setTimeout as wait } from "node:timers/promises";
import type { NodeProcess } from "../../scripts/cluster/node-process.ts";
import { until } from "../../scripts/cluster/until.ts";
import { majority } from "../../src/model/acks.ts";
import type { ForkedGenerator } from "../support/forked-generator.ts";
import { monotonicMs } from "../support/monotonic.ts";
import type { RealCluster } from "../support/real-cluster.ts";
import { stayingAt, type HistoryOrder, type HistoryReport } from "./history-messages.ts";
import type { DisturbanceType, HistoryDisturbance } from "./judges/linearizable-story.ts";
import type { ProofOptions } from "./proof.ts";

export interface DisturbanceOptions {
  readonly cluster: RealCluster;
  readonly load: ForkedGenerator<HistoryOrder, HistoryReport>;
  /** A node is stopped or cut off for so long at least. */
  readonly awayMsMin: number;
  /** Calls go on for so long after others have taken over and changed what is quiet. */
  readonly staleMs: number;
  /** Whether a split resets connections, or tells nobody. */
  readonly splitHow: "reset" | "black-hole";
  readonly say: ProofOptions["say"];
}

type Seen = Pick<HistoryDisturbance, "nodes" | "at" | "takenAt" | "backAt" | "lost">;

/** On a busy machine. */
const takenTimeoutMs = 60_000;
const wholeTimeoutMs = 90_000;
/** What is cut off gets so long to answer the last reads; what is stopped, to receive them. */
const lastReadsMs = 300;

/** The node goes on as what it was, and others are that meanwhile. */
export function replaces(type: DisturbanceType): boolean {
  return type === "stop" || type === "split";
}

export async function disturb(
  type: DisturbanceType,
  options: DisturbanceOptions,
): Promise<HistoryDisturbance> {
  const { cluster, load, say } = options;
  if (replaces(type)) await load.order({ type: "hush" }, "obeyed");
  const led = (await cluster.statuses()).map(({ primaries }) =>
    primaries.map(({ partition }) => partition),
  );
  const index = led.reduce((most, of, n) => (of.length > led[most]!.length ? n : most), 0);
  const { pid } = cluster.nodes[index]!;
  const seen = await does[type](options, index, led[index]!);
  if (replaces(type)) await load.order({ type: "unhush" }, "obeyed");
  await until("everybody is there and everything has its copies", wholeTimeoutMs, () =>
    cluster.isWhole(),
  );
  const { nodes, at, takenAt, backAt, lost } = seen;
  say(
    `${type} of ${nodes.map(({ id }) => id).join(" and ")} (pid ${pid}, led ${led[index]!.length}): ` +
      `away for ${(backAt - at).toFixed(0)} ms, others took over ${lost.length} partitions after ` +
      `${(takenAt - at).toFixed(0)} ms; whole after ${(monotonicMs() - at).toFixed(0)} ms`,
  );
  const ids = new Set(nodes.map(({ id }) => id));
  const ofThem = led.filter((_, n) => ids.has(cluster.nodes[n]!.id));
  return { type, led: ofThem.flat(), ...seen };
}

type Does = (options: DisturbanceOptions, index: number, led: readonly number[]) => Promise<Seen>;

const does: Readonly<Record<DisturbanceType, Does>> = {
  kill: ({ cluster }, index, led) => endAndRestart(cluster, index, led, (node) => node.kill()),
  leave: ({ cluster }, index, led) => endAndRestart(cluster, index, led, (node) => node.leave()),
  stop,
  split,
};

async function endAndRestart(
  cluster: RealCluster,
  index: number,
  led: readonly number[],
  end: (node: NodeProcess) => Promise<void>,
): Promise<Seen> {
  const node = cluster.nodes[index]!;
  const at = monotonicMs();
  await end(node);
  const others = cluster.nodes.filter((other) => other !== node);
  await untilLedBy(others, led);
  const takenAt = monotonicMs();
  await cluster.restart(index);
  return { nodes: [nameOf(node)], at, takenAt, backAt: monotonicMs(), lost: led };
}

async function stop(
  options: DisturbanceOptions,
  index: number,
  led: readonly number[],
): Promise<Seen> {
  const node = options.cluster.nodes[index]!;
  const others = options.cluster.nodes.filter((other) => other !== node);
  const at = monotonicMs();
  node.signal("SIGSTOP");
  try {
    return { at, lost: led, ...(await replace(options, [node], others, led)) };
  } finally {
    node.signal("SIGCONT");
  }
}

/** Cuts off the node, with as many others as leave a majority on the other side. */
async function split(options: DisturbanceOptions, index: number): Promise<Seen> {
  const { nodes, network } = options.cluster;
  const all = [...nodes.keys()];
  const others = all.filter((other) => other !== index);
  const minority = [index, ...others.slice(0, all.length - majority(all.length) - 1)];
  const rest = all.filter((other) => !minority.includes(other));
  const [cutOff, takers] = [minority, rest].map((side) => side.map((n) => nodes[n]!));
  const lost = await ledWithout(cutOff!);
  const at = monotonicMs();
  network.split([minority, rest], options.splitHow);
  try {
    return { at, lost, ...(await replace(options, cutOff!, takers!, lost)) };
  } finally {
    network.heal();
  }
}

/** Goes on until the nodes have been replaced, what they led has been changed, and they are asked for it. */
async function replace(
  { load, awayMsMin, staleMs }: DisturbanceOptions,
  nodes: readonly NodeProcess[],
  takers: readonly NodeProcess[],
  lost: readonly number[],
): Promise<Pick<Seen, "nodes" | "takenAt" | "backAt">> {
  const begunAt = monotonicMs();
  await untilLedBy(takers, lost);
  const takenAt = monotonicMs();
  await load.order({ type: "change" }, "obeyed");
  await wait(Math.max(staleMs, begunAt + awayMsMin - takenAt));
  const by = nodes.map(({ address }) => stayingAt(address));
  await load.order({ type: "read", by }, "obeyed");
  await wait(lastReadsMs);
  return { nodes: nodes.map(nameOf), takenAt, backAt: monotonicMs() };
}

/** Partitions that one of these nodes leads, and of whose owners the others are a majority. */
async function ledWithout(nodes: readonly NodeProcess[]): Promise<number[]> {
  const ids = new Set(nodes.map(({ id }) => id));
  const reports = (await Promise.all(nodes.map((node) => node.partitions()))).flat();
  return reports
    .filter(({ serving, owners }) => {
      const others = owners.filter((owner) => !ids.has(owner));
      return serving === "primary" && others.length >= majority(owners.length);
    })
    .map(({ partition }) => partition);
}

function untilLedBy(nodes: readonly NodeProcess[], partitions: readonly number[]): Promise<void> {
  return until("others lead what a node led", takenTimeoutMs, async () => {
    const all = await Promise.all(nodes.map((node) => node.status()));
    const led = new Set(all.flatMap(({ primaries }) => primaries.map((one) => one.partition)));
    return partitions.every((partition) => led.has(partition));
  });
}

function nameOf({ id, address }: NodeProcess): HistoryDisturbance["nodes"][number] {
  return { id, address };
}
