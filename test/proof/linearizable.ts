/**
 * `linearizable`: real node processes that serve only with a majority (`whenSplit: "refuse"`) are killed,
 * stopped, cut off and sent away while clients write, add and read by the clock. What each key answered
 * is one history, and there must be an order in which an object without concurrency, and without copies,
 * would have answered the same (`test/support/linearizability`).
 *
 *   kill, stop, split, leave … ─▶ calls end ─▶ every key is read once more ─▶ judge
 *
 * A node that was stopped or is cut off takes itself for the primary, and clients that stay with it do so
 * too. What it answers from what it holds is old, and only asking a majority again would tell.
 *
 * Control: the same with reads that take what they get.
 */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { ForkedGenerator } from "../support/forked-generator.ts";
import { RealCluster, smokeCluster } from "../support/real-cluster.ts";
import { runJudge } from "../support/run-judge.ts";
import { disturb, replaces } from "./history-disturbances.ts";
import type { HistoryOrder, HistoryPlan, HistoryReport } from "./history-messages.ts";
import type {
  DisturbanceType,
  HistoryDisturbance,
  HistoryJudgement,
  HistoryStory,
} from "./judges/linearizable-story.ts";
import { atLeast, none, type Proof, type ProofOptions, type Verdict } from "./proof.ts";
import { least, missing } from "./tally-verdict.ts";
import { targets } from "./targets.ts";

interface Scale {
  readonly nodes: number;
  /** As of `RealCluster`, also the next. @default 1024 */
  readonly partitions?: number;
  readonly flags?: readonly string[];
  readonly keys: number;
  readonly histories: number;
  readonly callsPerS: number;
  /** Longer than a node is away: what was on its way to it is to be answered. */
  readonly timeoutMs: number;
  readonly awayMsMin: number;
  readonly staleMs: number;
  readonly disturbances: readonly DisturbanceType[];
}

const { histories, awayMsMin } = targets.linearizable;
const round: readonly DisturbanceType[] = ["kill", "stop", "split", "leave"];
const full: Scale = {
  nodes: targets.linearizable.nodes,
  keys: 240,
  histories,
  callsPerS: 400,
  timeoutMs: 20_000,
  awayMsMin,
  staleMs: 2_000,
  disturbances: [...round, ...round, ...round, ...round],
};
const smoke: Scale = {
  nodes: 3,
  ...smokeCluster,
  keys: 48,
  histories: 48,
  callsPerS: 300,
  timeoutMs: 10_000,
  awayMsMin: 0,
  staleMs: 1_000,
  disturbances: ["split", "stop"],
};

const functionsFile = "test/proof/functions/objects.ts";
const loadProgram = "test/proof/history-load.ts";

async function run({ control, smoke: isSmoke, say }: ProofOptions): Promise<Verdict> {
  const scale = isSmoke ? smoke : full;
  const { nodes, partitions, flags } = scale;
  say(`starting ${nodes} node processes with ${nodes * (nodes - 1)} proxies between them`);
  const cluster = await RealCluster.start({
    ...{ nodes, partitions, flags, functionsFile, proxied: true },
  });
  try {
    await cluster.balanced();
    say(`pids ${cluster.nodes.map(({ pid }) => pid).join(", ")}: every node leads its share`);
    const { keys, callsPerS, timeoutMs } = scale;
    const { addresses } = cluster;
    const areReadsLinearizable = !control;
    const plan: HistoryPlan = { keys, callsPerS, timeoutMs, addresses, areReadsLinearizable };
    const load = await ForkedGenerator.start<HistoryOrder, HistoryReport>(loadProgram, plan);
    try {
      return await disturbAndJudge(cluster, load, scale, say);
    } finally {
      load.kill();
    }
  } finally {
    await cluster.close();
  }
}

async function disturbAndJudge(
  cluster: RealCluster,
  load: ForkedGenerator<HistoryOrder, HistoryReport>,
  scale: Scale,
  say: ProofOptions["say"],
): Promise<Verdict> {
  const { record } = await load.reported("connected");
  await load.order({ type: "start" }, "obeyed");
  const disturbances: HistoryDisturbance[] = [];
  for (const [n, type] of scale.disturbances.entries()) {
    const splitHow = n < round.length ? "reset" : "black-hole";
    const { awayMsMin, staleMs } = scale;
    disturbances.push(await disturb(type, { cluster, load, awayMsMin, staleMs, splitHow, say }));
  }
  await load.order({ type: "stop" }, "stopped");
  say("all calls have ended; judging in another process");
  const [storyFile, violationsFile] = ["story.json", "violations.txt"].map((name) =>
    path.join(path.dirname(record), name),
  ) as [string, string];
  const { partitions } = cluster;
  const story: HistoryStory = { partitions, disturbances, violationsFile };
  await writeFile(storyFile, JSON.stringify(story));
  const judgement = await runJudge<HistoryJudgement>("linearizable", [storyFile, record]);
  if (judgement.explanation !== "") say(judgement.explanation);
  return verdictOf(scale, disturbances, judgement, [record, storyFile, violationsFile]);
}

function verdictOf(
  scale: Scale,
  disturbances: readonly HistoryDisturbance[],
  judgement: HistoryJudgement,
  records: readonly string[],
): Verdict {
  const of = disturbances.map((one, n) => ({ ...one, ...judgement.disturbances[n]! }));
  const replaced = of.filter(({ type }) => replaces(type));
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  return {
    counts: {
      disturbances: disturbances.map(({ type }) => type).join(", "),
      "least partitions led by a disturbed node": least(of.map(({ led }) => led.length)),
      "partitions that others took over": sum(of.map(({ lost }) => lost.length)),
      "calls to what disturbed nodes led": sum(of.map(({ calls }) => calls)),
      "reads sent to replaced primaries": sum(replaced.map(({ lateReads }) => lateReads)),
      "of them answered by these themselves": sum(replaced.map((d) => d.answeredReads)),
      ...judgement.counts,
    },
    figures: [
      atLeast("histories judged", judgement.histories, scale.histories),
      ...Object.entries(judgement.faults).map(([name, value]) => none(name, value)),
    ],
    provedNothing: missing([
      ["a disturbed node led nothing", of.every(({ led }) => led.length > 0)],
      ["no call was made to what a disturbed node led", of.every(({ calls }) => calls > 0)],
      ["nobody took over from a stopped or cut off node", replaced.every((d) => d.lost.length > 0)],
      ["no read was sent to a replaced primary", replaced.every(({ lateReads }) => lateReads > 0)],
    ]),
    records,
  };
}

export const proof: Proof = {
  control: "reads take what they get: they do not ask for what was there when they arrived",
  run,
};
