/**
 * `partition`: real node processes with a proxy between every two of them, and every way in which a
 * network breaks, one after another in one cluster, with writes on both sides all the time:
 *
 *   split      3 | 2, nothing passes
 *   one-way    3 | 2, only what the three send arrives
 *   bridge     two nodes cannot reach each other; both reach all others
 *   flapping   3 | 2 with connections reset, 2 s down and 2 s up again
 *
 * After each heal all owners must be equal in time, and hold what the callers were told
 * (`split-episode.ts`). Calls whose callers agreed to degraded service while the network came and
 * went may count twice; `split` and `one-way` count nothing twice, nor does a `ledger` ever.
 *
 * Control: a primary that says that it has merged what the other side did, and has not.
 */
import { fileURLToPath } from "node:url";
import type { NodeEvent } from "latticework/node";
import { Plant } from "../support/plant.ts";
import type { Sides } from "../support/proxied-network.ts";
import { RealCluster, smokeCluster } from "../support/real-cluster.ts";
import { FlappingBreak } from "./flapping-break.ts";
import { atMost, none, type Figure, type Proof, type ProofOptions, type Verdict } from "./proof.ts";
import { runEpisode, type Break, type Episode, type EpisodeEnd } from "./split-episode.ts";
import { missing } from "./tally-verdict.ts";
import { targets } from "./targets.ts";

const functionsFile = fileURLToPath(new URL("functions/notes.ts", import.meta.url));
const { splitMs, flaps, flapMs, equalMsMax, tableChangesMax, tableWindowMs } = targets.partition;
const bridgeNodes: Sides = [[0], [3]];

interface Scale {
  readonly sides: Sides;
  readonly episodes: readonly Episode[];
}

const fullSides: Sides = [
  [0, 1, 2],
  [3, 4],
];
const keys = 20;
const full: Scale = {
  sides: fullSides,
  episodes: [
    {
      ...{ name: "split", sides: fullSides, standing: "apart", keys },
      ...{ lengthMs: splitMs, keepWriting: true, break: blackHole(fullSides) },
    },
    {
      ...{ name: "one-way", sides: fullSides, standing: "apart", keys },
      ...{ lengthMs: splitMs, keepWriting: true, break: oneWay(fullSides) },
    },
    {
      ...{ name: "bridge", sides: bridgeNodes, standing: "indirect", keys },
      ...{ lengthMs: splitMs, keepWriting: true, break: blackHole(bridgeNodes) },
    },
    {
      ...{ name: "flapping", sides: fullSides, standing: "flapping", keys },
      ...{ lengthMs: 2 * flaps * flapMs, keepWriting: true },
      break: new FlappingBreak(fullSides, flapMs),
    },
  ],
};

const smokeSides: Sides = [[0, 1], [2]];
const smoke: Scale = {
  sides: smokeSides,
  episodes: [
    {
      ...{ name: "one-way", sides: smokeSides, standing: "apart", keys: 5 },
      ...{ lengthMs: 3_000, keepWriting: true, break: oneWay(smokeSides, "reset") },
    },
  ],
};

function blackHole(sides: Sides): Break {
  return {
    begin: (network) => network.split(sides, "black-hole"),
    end: (network) => {
      network.heal();
    },
  };
}

/** What the second side sends is lost. @param how a reset makes both sides notice at once */
function oneWay([one, other]: Sides, how: "black-hole" | "reset" = "black-hole"): Break {
  return {
    begin: (network) => {
      const cut = network.connectionsBetween([one, other]);
      if (how === "reset") network.reset([one, other]);
      network.block(other, one);
      return cut;
    },
    end: (network) => {
      network.heal();
    },
  };
}

interface Part extends EpisodeEnd {
  readonly name: string;
  /** The most changes of the table on one node within `tableWindowMs`. */
  readonly tableChanges: number;
}

async function run({ control, smoke: isSmoke, say }: ProofOptions): Promise<Verdict> {
  const { sides, episodes } = isSmoke ? smoke : full;
  const nodes = sides.flat().length;
  const plant = control ? forgetfulPlant() : undefined;
  say(`starting ${nodes} node processes with ${nodes * (nodes - 1)} proxies between them`);
  const root = plant?.root;
  const cluster = await RealCluster.start({
    ...{ nodes, functionsFile, root, proxied: true },
    ...(isSmoke ? smokeCluster : {}),
  });
  try {
    await cluster.balanced();
    say(`pids ${cluster.nodes.map(({ pid }) => pid).join(", ")}: all copies in place`);
    const parts: Part[] = [];
    for (const episode of episodes) parts.push(await runPart(cluster, episode, say));
    return verdictOf(parts);
  } finally {
    await cluster.close();
    plant?.remove();
  }
}

async function runPart(
  cluster: RealCluster,
  episode: Episode,
  say: ProofOptions["say"],
): Promise<Part> {
  const changes = (): Promise<(readonly NodeEvent[])[]> =>
    Promise.all(cluster.nodes.map((node) => node.events(["placement.changed"])));
  // What happened before does not count.
  await changes();
  const end = await runEpisode(cluster, episode, say);
  const times = (await changes()).map((events) => events.map(({ at }) => at));
  return { ...end, name: episode.name, tableChanges: Math.max(...times.map(mostInWindow)) };
}

/** @param times in order */
function mostInWindow(times: readonly number[]): number {
  const within = times.map(
    (at, index) => times.slice(index).filter((other) => other < at + tableWindowMs).length,
  );
  return Math.max(0, ...within);
}

function forgetfulPlant(): Plant {
  const plant = Plant.create();
  plant.change(
    "src/replication/forking.ts",
    "  reign.merge(from, commits, commits.map(commitId), now);",
    "  reign.merge(from, [], commits.map(commitId), now);",
  );
  return plant;
}

function verdictOf(parts: readonly Part[]): Verdict {
  const counts: Record<string, number> = {};
  const figures: Figure[] = [];
  for (const part of parts) {
    const { name, grown, judgement } = part;
    const shown: Readonly<Record<string, number>> = {
      "connections cut": part.connectionsCut,
      "noticed by both sides after (ms)": Math.round(part.noticedMs),
      "length (ms)": Math.round(part.lengthMs),
      "at rest after the heal (ms)": Math.round(part.restMs),
      takeovers: grown.takeovers,
      "degraded answers": grown.degradedReplies,
      "forked commits merged": grown.forksMerged,
      "retried calls that arrived": grown.retried,
      "table changes of a node in 5 s": part.tableChanges,
      ...judgement.counts,
    };
    for (const [what, count] of Object.entries(shown)) counts[`${name}: ${what}`] = count;
    figures.push(atMost(`${name}: equal after the heal`, part.equalMs, equalMsMax, "ms"));
    if (name === "flapping") {
      const most = atMost(`${name}: table changes in 5 s`, part.tableChanges, tableChangesMax);
      figures.push(most);
    }
    for (const [fault, count] of Object.entries(judgement.faults)) {
      figures.push(none(`${name}: ${fault}`, count));
    }
  }
  const records = parts.flatMap((part) => part.records);
  return { counts, figures, provedNothing: missing(parts.flatMap(happened)), records };
}

/** What must have happened for a part to prove something. */
function happened({
  name,
  connectionsCut,
  grown,
  judgement,
}: Part): readonly (readonly [string, boolean])[] {
  const some = (what: string): boolean => (judgement.counts[what] ?? 0) > 0;
  const always: readonly (readonly [string, boolean])[] = [
    [`${name}: no connection was cut`, connectionsCut > 0],
    [`${name}: no text was edited on both sides`, some("texts edited on both sides")],
    [`${name}: no copy was compared`, some("copies compared")],
  ];
  // Over a bridge everybody reaches a majority, and nobody needs a fork.
  if (name === "bridge") return always;
  return [
    ...always,
    [`${name}: nobody answered degraded`, grown.degradedReplies > 0],
    [`${name}: no fork was merged`, grown.forksMerged > 0],
  ];
}

export const proof: Proof = {
  control: "a primary says that it has merged what the other side did, and has not",
  run,
};
