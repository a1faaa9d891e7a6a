/**
 * `split-merge`: real node processes with a proxy between every two of them. The network splits,
 * handlers on both sides write to the same entities, it heals, and every owner must hold what both
 * sides were told is done.
 *
 *   set up ─▶ cut ─▶ touch every key on both sides ─▶ write on both sides ─▶ heal ─▶ at rest ─▶ judge
 *
 * The touches are not judged: they make each side notice the split for each key, so that no judged
 * call is under way at the cut. (A call that is, and whose caller agrees to degraded service, may
 * count twice: `replication.md` §6.1.)
 *
 * Control: a careless caller on side B sends its degraded calls again after the heal, as new calls,
 * because "degraded may have been lost": texts and counters then hold them twice.
 */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { connect, type Client } from "latticework/client";
import { until } from "../../scripts/cluster/until.ts";
import { RealCluster } from "../support/real-cluster.ts";
import { RecordFile } from "../support/record-file.ts";
import { Recorder } from "../support/recorder.ts";
import { runJudge } from "../support/run-judge.ts";
import type { Functions } from "./functions/notes.ts";
import type { Side, SplitJudgement, SplitStory } from "./judges/split-story.ts";
import { none, type Proof, type ProofOptions, type Verdict } from "./proof.ts";
import { SplitLoad, type Entity } from "./split-load.ts";

const functionsFile = fileURLToPath(new URL("functions/notes.ts", import.meta.url));
const healTimeoutMs = 90_000;

interface Scale {
  readonly sides: readonly [readonly number[], readonly number[]];
  readonly keys: number;
  readonly splitMs: number;
  readonly how: "black-hole" | "reset";
}

const full: Scale = {
  sides: [
    [0, 1, 2],
    [3, 4],
  ],
  keys: 40,
  splitMs: 20_000,
  how: "black-hole",
};
const smoke: Scale = { sides: [[0, 1], [2]], keys: 6, splitMs: 3_000, how: "reset" };

/** What the run saw of the split itself. */
interface SplitFacts {
  readonly connectionsCut: number;
  readonly noticedMs: number;
  readonly splitMs: number;
  readonly healedMs: number;
  readonly forksMerged: number;
  readonly takeovers: number;
  readonly degradedReplies: number;
}

async function run(options: ProofOptions): Promise<Verdict> {
  const scale = options.smoke ? smoke : full;
  const nodes = scale.sides.flat().length;
  options.say(`starting ${nodes} node processes with ${nodes * (nodes - 1)} proxies between them`);
  const cluster = await RealCluster.start({ nodes, functionsFile, proxied: true });
  const record = await RecordFile.create("split-merge");
  try {
    await cluster.balanced();
    options.say(`pids ${cluster.nodes.map(({ pid }) => pid).join(", ")}: all copies in place`);
    return await tell(cluster, record, scale, options);
  } finally {
    await cluster.close();
  }
}

async function tell(
  cluster: RealCluster,
  record: RecordFile,
  scale: Scale,
  options: ProofOptions,
): Promise<Verdict> {
  const { say } = options;
  // Each stays with one node of its side, which forwards: clients do not step over the split.
  const [a, b] = await Promise.all(scale.sides.map((side) => clientOf(cluster, side)));
  const entities = entitiesOf(scale.keys);
  const load = new SplitLoad({ A: a!, B: b! }, new Recorder(record), entities);
  await load.setUp();
  const owners = await cluster.ownersOf(entities);
  const before = await cluster.statuses();

  const cutAt = performance.now();
  const connectionsCut = cluster.network.split(scale.sides, scale.how);
  say(`cut ${connectionsCut} connections (${scale.how})`);
  const story = entities.map((entity, index) => ({
    ...entity,
    ...standing(cluster, scale, owners[index] ?? []),
  }));
  await load.untilNoticed(story);
  const noticedMs = performance.now() - cutAt;
  say(`both sides have noticed after ${noticedMs.toFixed(0)} ms`);
  const written = await load.writeOnBothSides(story);
  await pause(Math.max(0, scale.splitMs - (performance.now() - cutAt)));
  const splitMs = performance.now() - cutAt;

  const healAt = performance.now();
  cluster.network.heal();
  await atRest(cluster);
  const healedMs = performance.now() - healAt;
  say(`healed, merged and at rest after ${healedMs.toFixed(0)} ms`);
  if (options.control) await load.sendDegradedAgain(written);
  await atRest(cluster);
  await Promise.all([a!.close(), b!.close(), record.close()]);

  const copies = await cluster.ownersCopies(entities);
  const after = await cluster.statuses();
  const grown = (of: (one: (typeof after)[number]) => number): number =>
    after.reduce((sum, status) => sum + of(status), 0) -
    before.reduce((sum, status) => sum + of(status), 0);
  const facts: SplitFacts = {
    connectionsCut,
    noticedMs,
    splitMs,
    healedMs,
    forksMerged: grown(({ counters }) => counters.forksMerged),
    takeovers: grown(({ counters }) => counters.takeovers),
    degradedReplies: grown(({ counters }) => counters.degradedReplies),
  };
  const storyFile = path.join(path.dirname(record.file), "story.json");
  const told: SplitStory = {
    addresses: cluster.addresses,
    entities: story.map((entity, index) => ({
      ...entity,
      copies: Object.fromEntries(
        [...(copies[index] ?? [])].map(([node, copy]) => [node, copy ?? null]),
      ),
    })),
  };
  await writeFile(storyFile, JSON.stringify(told));
  say("judging in another process");
  const judgement = await runJudge<SplitJudgement>("split-merge", [storyFile, record.file]);
  return verdictOf(facts, judgement, [record.file, storyFile]);
}

function clientOf(cluster: RealCluster, side: readonly number[]): Promise<Client<Functions>> {
  const entry = cluster.nodes[side[0]!]!;
  return connect<Functions>({ nodes: [entry.address], direct: false });
}

function entitiesOf(keys: number): Entity[] {
  return (["note", "ledger"] as const).flatMap((functionName) =>
    Array.from({ length: keys }, (_, n) => ({ functionName, key: `key-${String(n)}` })),
  );
}

function standing(
  cluster: RealCluster,
  scale: Scale,
  owners: readonly string[],
): { readonly majority: Side; readonly served: readonly Side[] } {
  const ids = scale.sides.map((side) => side.map((index) => cluster.nodes[index]!.id));
  const [a = 0, b = 0] = ids.map((side) => owners.filter((id) => side.includes(id)).length);
  const served: Side[] = [...(a > 0 ? (["A"] as const) : []), ...(b > 0 ? (["B"] as const) : [])];
  return { majority: a > b ? "A" : "B", served };
}

/** Everybody is linked, nothing is degraded or forked, and all owners of everything are equal. */
async function atRest(cluster: RealCluster): Promise<void> {
  await until("the healed cluster comes to rest", healTimeoutMs, async () => {
    const all = await cluster.statuses();
    const whole = all.every(
      (status) =>
        status.members.every((member) => member.status === "alive" && member.linked) &&
        status.degraded.length === 0 &&
        status.forkedCommits === 0 &&
        status.underReplicated.length === 0,
    );
    return whole && (await cluster.unequalPartitions()).length === 0;
  });
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function verdictOf(
  facts: SplitFacts,
  { counts, faults }: SplitJudgement,
  records: readonly string[],
): Verdict {
  const happened: readonly (readonly [string, number | undefined])[] = [
    ["no connection was cut", facts.connectionsCut],
    ["nobody answered degraded", facts.degradedReplies],
    ["no fork was merged", facts.forksMerged],
    ["no text was edited on both sides", counts["texts edited on both sides"]],
    ["the minority side was not asked", counts["ledger calls of the minority side"]],
    ["no copy was compared", counts["copies compared"]],
  ];
  const missing = happened.find(([, count]) => (count ?? 0) === 0);
  return {
    counts: {
      "connections cut": facts.connectionsCut,
      "noticed by both sides after (ms)": Math.round(facts.noticedMs),
      "length of the split (ms)": Math.round(facts.splitMs),
      "at rest after the heal (ms)": Math.round(facts.healedMs),
      takeovers: facts.takeovers,
      "degraded answers": facts.degradedReplies,
      "forked commits merged": facts.forksMerged,
      ...counts,
    },
    figures: Object.entries(faults).map(([name, value]) => none(name, value)),
    provedNothing: missing?.[0],
    records,
  };
}

export const proof: Proof = {
  control: "a careless caller sends its degraded calls again after the heal, as new calls",
  run,
};
