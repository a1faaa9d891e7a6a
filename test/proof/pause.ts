/**
 * `pause`: a node that leads partitions stops (SIGSTOP), as a process does whose machine is moved or
 * swaps, while calls are made by the clock. It says nothing and loses no connection.
 *
 *   1 s: nobody minds.
 *   30 s: others take over what it led. When it goes on (SIGCONT) it still believes that it leads:
 *   what it ran and nobody has is `indeterminate`, and it follows again.
 *
 * Unprotected calls are under way at the long stop: of a protected one the client would send the
 * same again, and only a careless caller learns that the outcome is unknown.
 *
 * Control: nodes that suspect, and give up, whoever is silent for a fraction of a second.
 */
import { setTimeout as wait } from "node:timers/promises";
import { until } from "../../scripts/cluster/until.ts";
import type { NodeProcess } from "../../scripts/cluster/node-process.ts";
import { placementOf } from "../../src/ring/placement.ts";
import { Plant } from "../support/plant.ts";
import { monotonicMs } from "../support/monotonic.ts";
import { smokeCluster, type RealCluster } from "../support/real-cluster.ts";
import { atLeast, atMost, none, type Proof, type ProofOptions, type Verdict } from "./proof.ts";
import { TallyRun, type TallyEnd, type TallyScale } from "./tally-run.ts";
import { exactness, missing, rounded, tallyCounts } from "./tally-verdict.ts";
import { targets } from "./targets.ts";

interface Scale extends TallyScale {
  readonly longMs: number;
  /** Pauses of 1 s, of one node after another. */
  readonly shortPauses: number;
}

const full: Scale = {
  ...targets.underLoad,
  shortPauses: 5,
  longMs: targets.pause.longMs,
  timeoutMs: 90_000,
  restTimeoutMs: 60_000,
};
const smoke: Scale = {
  nodes: 3,
  ...smokeCluster,
  entities: 600,
  callsPerS: 200,
  shortPauses: 1,
  longMs: 5_000,
  timeoutMs: 30_000,
  restTimeoutMs: 30_000,
};
/** Others may come to a verdict only after the node has gone on. */
const watchAfterMs = 1_500;
const lookMs = 50;
const backTimeoutMs = 60_000;
/** Many enough that some have run and none of their acknowledgements was read. */
const burst = { calls: 256, isProtected: false };

/** What was seen of a stopped node. */
interface Pause {
  readonly lengthMs: number;
  /** Looks at the others' members that found it dead. */
  readonly seenDead: number;
  /** Partitions that it led and that another node leads now, or itself under another term. */
  readonly moved: number;
  /** The incarnation that the others know, before and after: boot, then refutations. */
  readonly before: Incarnation;
  readonly after: Incarnation;
}

type Incarnation = readonly [boot: number, refutations: number];

async function run({ control, smoke: isSmoke, say }: ProofOptions): Promise<Verdict> {
  const scale = isSmoke ? smoke : full;
  const plant = control ? hastyPlant() : undefined;
  const tallies = await TallyRun.start(scale, { root: plant?.root, say });
  try {
    const short: Pause[] = [];
    for (let n = 0; n < scale.shortPauses; n++) {
      short.push(await stopOne(tallies, n % scale.nodes, targets.pause.shortMs, say));
    }
    const long = await stopOne(tallies, 1, scale.longMs, say);
    return verdictOf(await tallies.finish(), short, long, isSmoke);
  } finally {
    await tallies.close();
    plant?.remove();
  }
}

/** A silence of half a second is enough for a verdict, and nobody minds its own health. */
function hastyPlant(): Plant {
  const plant = Plant.create();
  const hasty = {
    "probeIntervalMs: 1000": "probeIntervalMs: 100",
    "probeTimeoutMs: 500": "probeTimeoutMs: 50",
    "probeTimeoutMsMax: 2000": "probeTimeoutMsMax: 50",
    "suspicionMaxFactor: 6": "suspicionMaxFactor: 1",
    "healthMax: 8": "healthMax: 1",
  };
  for (const [was, is] of Object.entries(hasty)) {
    plant.change("src/membership/settings.ts", `  ${was},`, `  ${is},`);
  }
  plant.change(
    "src/node/partitions/peer-book.ts",
    "silentSuspectMs = 2_000",
    "silentSuspectMs = 100",
  );
  return plant;
}

/** Stops the node for so long, and looks at the others until it is known to be back. */
async function stopOne(
  tallies: TallyRun,
  index: number,
  lengthMs: number,
  say: ProofOptions["say"],
): Promise<Pause> {
  const { cluster } = tallies;
  const node = cluster.nodes[index]!;
  const others = cluster.nodes.filter((other) => other !== node);
  const before = await leadersOf(cluster.nodes);
  const incarnation = await incarnationOf(node.id, others[0]!);
  const isLong = lengthMs > targets.pause.shortMs;
  const stop = await tallies.disturb(node, "SIGSTOP", isLong ? burst : undefined);
  let seenDead = await countDead(node.id, others, stop.at + lengthMs);
  node.signal("SIGCONT");
  const stoppedMs = monotonicMs() - stop.at;
  tallies.isBack(stop);
  seenDead += await countDead(node.id, others, stop.at + stoppedMs + watchAfterMs);
  await until("the node is a member again and everything has its copies", backTimeoutMs, () =>
    cluster.isWhole(),
  );
  const after = await leadersOf(cluster.nodes);
  const moved = movedFrom(node.id, cluster, before, after);
  const now = await incarnationOf(node.id, others[0]!);
  say(
    `SIGSTOP of ${stop.node} (pid ${stop.pid}, led ${stop.led.length}) for ${stoppedMs.toFixed(0)} ms: ` +
      `seen dead ${seenDead} times, ${moved} primaries moved, refutations ${incarnation[1]} → ${now[1]}`,
  );
  return { lengthMs: stoppedMs, seenDead, moved, before: incarnation, after: now };
}

/**
 * What another node leads that this one led before. Not those given back in time to the node that is
 * to lead them by the table: that happens 30 s after the birth of the cluster, whoever stops.
 */
function movedFrom(
  id: string,
  { nodes, partitions }: RealCluster,
  before: ReadonlyMap<number, string>,
  after: ReadonlyMap<number, string>,
): number {
  const members = nodes.map((node) => ({ id: node.id, weight: 1, zone: "" }));
  const table = placementOf(members, { partitionCount: partitions, replicas: 3 });
  const moved = [...before].filter(([partition, leader]) => {
    if (!leader.startsWith(`${id} `) || after.get(partition) === leader) return false;
    const home = table.ownersOf(partition)[0] ?? "";
    return home === id || after.get(partition)?.startsWith(`${home} `) !== true;
  });
  return moved.length;
}

/** Partition → who leads it, in which term. */
async function leadersOf(nodes: readonly NodeProcess[]): Promise<Map<number, string>> {
  const all = await Promise.all(nodes.map((node) => node.status()));
  return new Map(
    all.flatMap(({ node, primaries }) =>
      primaries.map(({ partition, term }) => [partition, `${node} ${String(term)}`] as const),
    ),
  );
}

async function incarnationOf(id: string, by: NodeProcess): Promise<Incarnation> {
  const member = (await by.members()).find((one) => one.id === id);
  return [member?.boot ?? 0, member?.refutations ?? 0];
}

/** Looks at what the others know, again and again until then. */
async function countDead(
  id: string,
  others: readonly NodeProcess[],
  endAt: number,
): Promise<number> {
  let count = 0;
  do {
    const known = await Promise.all(others.map((other) => other.members()));
    count += known.flat().filter((one) => one.id === id && one.status === "dead").length;
    await wait(lookMs);
  } while (monotonicMs() < endAt);
  return count;
}

function verdictOf(end: TallyEnd, short: readonly Pause[], long: Pause, isSmoke: boolean): Verdict {
  const { judgement, disturbances, records } = end;
  const stopped = judgement.disturbances.at(-1)!;
  const sum = (of: (pause: Pause) => number): number =>
    short.reduce((total, one) => total + of(one), 0);
  const { servedMsMax } = targets.pause;
  const firstMs = stopped.firstSuccessMs ?? Infinity;
  return {
    counts: {
      ...tallyCounts(end),
      "pauses (ms)": [...short, long].map(({ lengthMs }) => Math.round(lengthMs)).join(", "),
      "primaries moved by the long pause": long.moved,
      "times that the long stopped node was seen dead": long.seenDead,
      "its incarnation before": long.before.join("."),
      "its incarnation after": long.after.join("."),
      "unprotected calls under way at the long stop": stopped.careless,
      "calls that it answered after it went on": stopped.lateAnswers,
      "first success of others (ms)": rounded(firstMs),
      "longest wait of a call by the clock (ms)": rounded(stopped.longestWaitMs),
    },
    figures: [
      none(
        "times that a node stopped for 1 s was seen dead",
        sum(({ seenDead }) => seenDead),
      ),
      none(
        "primaries that a stop of 1 s moved",
        sum(({ moved }) => moved),
      ),
      ...(isSmoke
        ? []
        : [
            atMost("first success of others", firstMs, servedMsMax, "ms"),
            atMost(
              "longest wait of a call to what it led",
              stopped.longestWaitMs,
              servedMsMax,
              "ms",
            ),
          ]),
      atLeast("higher incarnations after the long stop", isHigher(long) ? 1 : 0, 1),
      atLeast("unacknowledged calls told indeterminate", stopped.carelessIndeterminate, 1),
      none("failed calls by the clock", judgement.failedCalls),
      ...exactness(end),
    ],
    provedNothing: missing([
      ["no unprotected call was under way at the long stop", stopped.careless > 0],
      ["a stopped node led nothing", disturbances.every(({ led }) => led.length > 0)],
      ["nobody took over from the long stopped node", long.moved > 0],
    ]),
    records,
  };
}

function isHigher({ before, after }: Pause): boolean {
  return after[0] > before[0] || (after[0] === before[0] && after[1] > before[1]);
}

export const proof: Proof = {
  control: "nodes suspect and give up whoever is silent for a fraction of a second",
  run,
};
