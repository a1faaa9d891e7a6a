/**
 * `sessions`: pairs of clients of real node processes hand one token to and fro. Each reads what the other
 * one wrote and saw from whichever owner is at hand, while owners lag behind, hear nothing of primaries,
 * are stopped and are killed. Nothing that the token stands for may be missing, and nothing that was read.
 *
 *   chains of hand-ons ∥ lag, cut, stop, kill … ─▶ chains end ─▶ every key is read once more ─▶ judge
 *
 * A read that ends in an error is not stale; those are counted by their code.
 *
 * Control: each client begins a session of its own, with nothing seen.
 */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { ForkedGenerator } from "../support/forked-generator.ts";
import { RealCluster, smokeCluster } from "../support/real-cluster.ts";
import { runJudge } from "../support/run-judge.ts";
import type {
  LagType,
  SessionDisturbance,
  SessionJudgement,
  SessionStory,
} from "./judges/sessions-story.ts";
import { atLeast, none, type Proof, type ProofOptions, type Verdict } from "./proof.ts";
import { disturb } from "./session-disturbances.ts";
import type { SessionOrder, SessionPlan, SessionReport } from "./session-messages.ts";
import { least, missing } from "./tally-verdict.ts";
import { targets } from "./targets.ts";

interface Scale extends Omit<SessionPlan, "addresses" | "handsOn"> {
  readonly nodes: number;
  /** As of `RealCluster`, also the next. @default 1024 */
  readonly partitions?: number;
  readonly flags?: readonly string[];
  /** Done in this order, again and again until there are so many reads. */
  readonly round: readonly LagType[];
  readonly reads: number;
  readonly lengthMs: number;
  readonly delayMs: number;
}

const full: Scale = {
  ...targets.sessions,
  chains: 20,
  ownKeys: 20,
  sharedKeys: 8,
  holdMs: 1_000,
  round: ["lag", "cut", "stop", "kill"],
  lengthMs: 5_000,
  delayMs: 200,
};
const smoke: Scale = {
  nodes: 3,
  ...smokeCluster,
  chains: 16,
  ownKeys: 10,
  sharedKeys: 4,
  holdMs: 400,
  round: ["lag", "kill"],
  reads: 1_000,
  lengthMs: 6_000,
  delayMs: 800,
};

const functionsFile = "test/proof/functions/pages.ts";
const loadProgram = "test/proof/session-load.ts";

type Load = ForkedGenerator<SessionOrder, SessionReport>;

async function run({ control, smoke: isSmoke, say }: ProofOptions): Promise<Verdict> {
  const scale = isSmoke ? smoke : full;
  const { nodes, partitions, flags, chains, ownKeys, sharedKeys, holdMs } = scale;
  say(`starting ${String(nodes)} node processes with ${String(nodes * (nodes - 1))} proxies`);
  const cluster = await RealCluster.start({
    ...{ nodes, partitions, flags, functionsFile, proxied: true },
  });
  try {
    await cluster.balanced();
    say(`pids ${cluster.nodes.map(({ pid }) => pid).join(", ")}: every node leads its share`);
    const { addresses } = cluster;
    const handsOn = !control;
    const plan: SessionPlan = { addresses, chains, ownKeys, sharedKeys, holdMs, handsOn };
    const load: Load = await ForkedGenerator.start(loadProgram, plan);
    try {
      return await disturbAndJudge(cluster, load, scale, { handsOn, say });
    } finally {
      load.kill();
    }
  } finally {
    await cluster.close();
  }
}

async function disturbAndJudge(
  cluster: RealCluster,
  load: Load,
  scale: Scale,
  { handsOn, say }: { readonly handsOn: boolean; readonly say: ProofOptions["say"] },
): Promise<Verdict> {
  const { record } = await load.reported("ready");
  await load.order({ type: "start" }, "started");
  const disturbances: SessionDisturbance[] = [];
  do {
    for (const type of scale.round) {
      const { lengthMs, delayMs } = scale;
      disturbances.push(await disturb(type, { cluster, lengthMs, delayMs, say }));
    }
  } while ((await load.order({ type: "count" }, "counted")).reads < scale.reads);
  const ended = await load.order({ type: "stop" }, "stopped");
  say("all chains have ended; judging in another process");
  const storyFile = path.join(path.dirname(record), "story.json");
  const story: SessionStory = { disturbances };
  await writeFile(storyFile, JSON.stringify(story));
  const judgement = await runJudge<SessionJudgement>("sessions", [storyFile, record]);
  if (judgement.explanation !== "") say(judgement.explanation);
  return verdictOf({ scale, disturbances, judgement, ended, handsOn }, [record, storyFile]);
}

interface Ran {
  readonly scale: Scale;
  readonly disturbances: readonly SessionDisturbance[];
  readonly judgement: SessionJudgement;
  readonly ended: Extract<SessionReport, { readonly type: "stopped" }>;
  readonly handsOn: boolean;
}

function verdictOf(
  { scale, disturbances, judgement, ended, handsOn }: Ran,
  records: readonly string[],
): Verdict {
  const { counts, faults, judged, judgedByToken, during, passedOn } = judgement;
  return {
    counts: {
      disturbances: disturbances.map(({ type }) => type).join(", "),
      "least partitions led by a disturbed node": least(disturbances.map(({ led }) => led)),
      "judged reads during disturbances, at least": least(during),
      "tokens handed on": handsOn ? ended.handOns : 0,
      "clients that could not connect to one node": ended.refusedConnects,
      "characters of the longest token": ended.longestToken,
      ...counts,
    },
    figures: [
      atLeast("reads judged", judged, scale.reads),
      ...Object.entries(faults).map(([name, value]) => none(name, value)),
    ],
    provedNothing: missing([
      ["a disturbed node led nothing", disturbances.every(({ led }) => led > 0)],
      ["no read was made during a disturbance", during.every((reads) => reads > 0)],
      ["no read had only the token to go by", judgedByToken > 0],
      // Without tokens hardly anybody has seen more than an owner that lags.
      ["no owner that lags was asked", !handsOn || passedOn > 0],
    ]),
    records,
  };
}

export const proof: Proof = {
  control: "no token is handed on: each client begins a session with nothing seen",
  run,
};
