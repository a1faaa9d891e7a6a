/**
 * One break of the network between real nodes, with writes on both sides of it, and its heal: what
 * `split-merge` does once and `partition` in several ways.
 *
 *   set up ─▶ break ─▶ touch every key on both sides ─▶ write on both sides ─▶ heal ─▶ equal ─▶ judge
 *
 * The touches are not judged: they make each side notice for each key that it is apart, so that no
 * judged call is under way at the break. (A call that is, and whose caller agrees to degraded
 * service, may count twice: `replication.md` §6.1.) Where the sides are not apart nobody has anything
 * to notice, and calls are under way at every change of the network.
 */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { NodeCounters } from "latticework/node";
import { connect, type Client } from "latticework/client";
import { until } from "../../scripts/cluster/until.ts";
import type { ProxiedNetwork, Sides } from "../support/proxied-network.ts";
import type { RealCluster } from "../support/real-cluster.ts";
import { RecordFile, type CallRecord } from "../support/record-file.ts";
import { Recorder } from "../support/recorder.ts";
import { runJudge } from "../support/run-judge.ts";
import type { Functions } from "./functions/notes.ts";
import type {
  Side,
  SplitJudgement,
  SplitStory,
  Standing,
  StoryEntity,
} from "./judges/split-story.ts";
import type { ProofOptions } from "./proof.ts";
import { SplitLoad, type Entity, type StandingEntity } from "./split-load.ts";

/** Long, to tell by how much a target was missed. */
const healTimeoutMs = 90_000;

/** What is done to the network. */
export interface Break {
  /** Breaks it; returns how many connections that cut. */
  begin(network: ProxiedNetwork): number;
  /** Makes it whole again; what it did meanwhile by itself is over. */
  end(network: ProxiedNetwork): void;
}

export interface Episode {
  /** Begins the names of its keys and of its record. */
  readonly name: string;
  /** Each side calls through the first of its nodes. */
  readonly sides: Sides;
  readonly standing: Standing;
  readonly keys: number;
  /** From the break to the heal; writes go on for so long when `keepWriting`. */
  readonly lengthMs: number;
  readonly keepWriting: boolean;
  readonly break: Break;
  /** After everybody is equal again, and before it is judged. */
  readonly afterwards?: (load: SplitLoad, written: readonly CallRecord[]) => Promise<void>;
}

export interface EpisodeEnd {
  readonly connectionsCut: number;
  /** Until each side answered every key, or refused it, as it should; 0 where they are not apart. */
  readonly noticedMs: number;
  readonly lengthMs: number;
  /** From the heal until all owners of everything held the same; `Infinity` if they never did. */
  readonly equalMs: number;
  /** From the heal until everybody was linked and had all copies too. */
  readonly restMs: number;
  /** By how much all nodes' counters grew. */
  readonly grown: NodeCounters;
  readonly judgement: SplitJudgement;
  readonly records: readonly string[];
}

export async function runEpisode(
  cluster: RealCluster,
  episode: Episode,
  say: ProofOptions["say"],
): Promise<EpisodeEnd> {
  const record = await RecordFile.create(episode.name);
  const recorder = new Recorder(record);
  const entities = entitiesOf(episode);
  // Each stays with one node of its side, which forwards: clients do not step over the break.
  const [a, b] = await Promise.all(episode.sides.map((side) => clientOf(cluster, side)));
  const clients: Record<Side, Client<Functions>> = { A: a!, B: b! };
  const { standing } = episode;
  const load = new SplitLoad({ clients, recorder, entities, standing });
  await load.setUp();
  const before = await cluster.statuses();
  const owners = await cluster.ownersOf(entities);
  const story = entities.map((entity, index) => ({
    ...entity,
    ...ownersPerSide(cluster, episode.sides, owners[index] ?? []),
  }));

  const { written, ...seen } = await breakAndHeal(cluster, episode, { load, recorder, story, say });
  await episode.afterwards?.(load, written);
  if (episode.afterwards !== undefined) await cluster.atRest(healTimeoutMs);
  await Promise.all([a!.close(), b!.close(), record.close()]);

  const after = await cluster.statuses();
  const storyFile = path.join(path.dirname(record.file), "story.json");
  await writeFile(storyFile, JSON.stringify(await storyOf(cluster, standing, story)));
  say(`${episode.name}: judging in another process`);
  const judgement = await runJudge<SplitJudgement>("split-merge", [storyFile, record.file]);
  return {
    ...seen,
    grown: difference(
      before.map(({ counters }) => counters),
      after.map(({ counters }) => counters),
    ),
    judgement,
    records: [record.file, storyFile],
  };
}

interface Stage {
  readonly load: SplitLoad;
  readonly recorder: Recorder;
  readonly story: readonly StandingEntity[];
  readonly say: ProofOptions["say"];
}

type Seen = Pick<EpisodeEnd, "connectionsCut" | "noticedMs" | "lengthMs" | "equalMs" | "restMs"> & {
  readonly written: readonly CallRecord[];
};

async function breakAndHeal(
  cluster: RealCluster,
  { name, standing, lengthMs, keepWriting, ...episode }: Episode,
  { load, recorder, story, say }: Stage,
): Promise<Seen> {
  const cutAt = recorder.now();
  const connectionsCut = episode.break.begin(cluster.network);
  say(`${name}: cut ${connectionsCut} connections`);
  let noticedMs = 0;
  if (standing === "apart") {
    await load.untilNoticed(story);
    noticedMs = recorder.now() - cutAt;
    say(`${name}: both sides have noticed after ${noticedMs.toFixed(0)} ms`);
  }
  const untilAt = keepWriting ? cutAt + lengthMs : 0;
  const written = await load.writeOnBothSides(story, untilAt);
  await wait(Math.max(0, cutAt + lengthMs - recorder.now()));

  const healAt = recorder.now();
  episode.break.end(cluster.network);
  const equalMs = await timeUntilEqual(cluster, recorder, say);
  await cluster.atRest(healTimeoutMs);
  const restMs = recorder.now() - healAt;
  say(`${name}: healed, equal after ${equalMs.toFixed(0)} ms, at rest after ${restMs.toFixed(0)}`);
  return { connectionsCut, noticedMs, lengthMs: healAt - cutAt, equalMs, restMs, written };
}

async function timeUntilEqual(
  cluster: RealCluster,
  recorder: Recorder,
  say: ProofOptions["say"],
): Promise<number> {
  const since = recorder.now();
  try {
    await until("all owners are equal after the heal", healTimeoutMs, () => cluster.isEqual());
    return recorder.now() - since;
  } catch (error) {
    say(String(error));
    return Infinity;
  }
}

function clientOf(cluster: RealCluster, side: readonly number[]): Promise<Client<Functions>> {
  const entry = cluster.nodes[side[0]!]!;
  return connect<Functions>({ nodes: [entry.address], direct: false });
}

function entitiesOf({ name, keys }: Episode): Entity[] {
  return (["note", "ledger"] as const).flatMap((functionName) =>
    Array.from({ length: keys }, (_, n) => ({ functionName, key: `${name}-${String(n)}` })),
  );
}

function ownersPerSide(
  cluster: RealCluster,
  sides: Sides,
  owners: readonly string[],
): Pick<StandingEntity, "majority" | "served"> {
  const ids = sides.map((side) => side.map((index) => cluster.nodes[index]!.id));
  const [a = 0, b = 0] = ids.map((side) => owners.filter((id) => side.includes(id)).length);
  const served: Side[] = [...(a > 0 ? (["A"] as const) : []), ...(b > 0 ? (["B"] as const) : [])];
  return { majority: a > b ? "A" : "B", served };
}

async function storyOf(
  cluster: RealCluster,
  standing: Standing,
  entities: readonly StandingEntity[],
): Promise<SplitStory> {
  const told: StoryEntity[] = [];
  for await (const [entity, held] of cluster.ownersCopies(entities)) {
    const copies = Object.fromEntries([...held].map(([node, copy]) => [node, copy ?? null]));
    told.push({ ...entity, copies });
  }
  return { addresses: cluster.addresses, standing, entities: told };
}

function difference(before: readonly NodeCounters[], after: readonly NodeCounters[]): NodeCounters {
  const grown: Record<string, number> = {};
  for (const [sign, all] of [
    [-1, before],
    [1, after],
  ] as const) {
    for (const counters of all) {
      for (const [name, count] of Object.entries(counters) as [string, number][]) {
        grown[name] = (grown[name] ?? 0) + sign * count;
      }
    }
  }
  return grown as unknown as NodeCounters;
}
