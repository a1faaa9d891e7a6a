/**
 * `no-deadlock`: a few entities of real node processes that visit each other along random paths, with
 * many more calls in flight than there are entities, so that chains of them wait for each other all the
 * time. First each visit is an ask, made inside the turn of the one before, which holds its entity
 * meanwhile; then the same by sends, which hold nothing.
 *
 *   asks in a closed loop ─▶ nothing in flight ─▶ sends in a closed loop ─▶ nothing in any outbox ─▶ judge
 *
 * Every call has to be answered, none by its deadline, and every visit to be counted once.
 *
 * Control: nobody is refused, so that chains which wait for each other do so until their deadlines.
 */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import type { NodeStatus } from "latticework/node";
import { until } from "../../scripts/cluster/until.ts";
import { ForkedGenerator } from "../support/forked-generator.ts";
import { Plant } from "../support/plant.ts";
import { RealCluster, smokeCluster } from "../support/real-cluster.ts";
import { runJudge } from "../support/run-judge.ts";
import { askerKey, type AskOrder, type AskPlan, type AskReport, type Way } from "./ask-messages.ts";
import type { AskJudgement, AskStory, CallsJudgement, OwnersVisits } from "./judges/ask-story.ts";
import { none, type Figure, type Proof, type ProofOptions, type Verdict } from "./proof.ts";
import { missing, rounded } from "./tally-verdict.ts";
import { targets } from "./targets.ts";

interface Scale extends Omit<AskPlan, "addresses"> {
  readonly nodes: number;
  readonly lengthMs: number;
  readonly partitions?: number;
  readonly flags?: readonly string[];
}

/** Of the function: as long as a call may take. */
const timeoutMs = 30_000;
const full: Scale = { ...targets.noDeadlock, timeoutMs };
const smoke: Scale = {
  ...{ nodes: 3, entities: 16, inFlight: 48, asksMax: 4, lengthMs: 1_000, timeoutMs },
  ...smokeCluster,
};
/** Chains that wait for each other do so for as long as they may. */
const controlTimes = { timeoutMs: 1_500 };

const functionsFile = "test/proof/functions/askers.ts";
const generator = "test/proof/ask-load.ts";
const restTimeoutMs = 60_000;

/** The calls of one way, and what is left of them on the nodes. */
interface Run {
  readonly made: number;
  readonly tookMs: number;
  /** Turns that had to let go. */
  readonly aborted: number;
  readonly leftInFlight: number;
  readonly leftInOutboxes: number;
}

async function run({ control, smoke: isSmoke, say }: ProofOptions): Promise<Verdict> {
  const size = isSmoke ? smoke : full;
  const scale = control ? { ...size, ...controlTimes } : size;
  const plant = control ? patientPlant() : undefined;
  const { nodes, partitions, flags } = scale;
  const root = plant?.root;
  const cluster = await RealCluster.start({ nodes, partitions, flags, functionsFile, root });
  try {
    await cluster.balanced();
    say(`pids ${cluster.nodes.map(({ pid }) => pid).join(", ")}: every node leads its share`);
    return await runBothWays(cluster, scale, say);
  } finally {
    await cluster.close();
    plant?.remove();
  }
}

/** Whoever comes waits, whoever it has to wait for. */
function patientPlant(): Plant {
  const plant = Plant.create();
  const file = "src/functions/entity-queue.ts";
  plant.change(file, "    if (!turn.isNested) return false;\n", "    return false;\n");
  plant.change(file, "    if (this.#nestedCount === 0) return nobody;\n", "    return nobody;\n");
  return plant;
}

async function runBothWays(
  cluster: RealCluster,
  scale: Scale,
  say: ProofOptions["say"],
): Promise<Verdict> {
  const { entities, inFlight, asksMax, timeoutMs: callTimeoutMs } = scale;
  const { addresses } = cluster;
  const plan: AskPlan = { addresses, entities, inFlight, asksMax, timeoutMs: callTimeoutMs };
  const load = await ForkedGenerator.start<AskOrder, AskReport>(generator, plan);
  try {
    const { record } = await load.reported("connected");
    const runs = {
      ask: await runWay(cluster, load, "ask", scale.lengthMs),
      send: await runWay(cluster, load, "send", scale.lengthMs),
    };
    await load.order({ type: "stop" }, "stopped");
    say("all calls have ended");
    await cluster.atRest(restTimeoutMs);
    const story: AskStory = { addresses, entities, copies: await copiesOf(cluster, entities) };
    const storyFile = path.join(path.dirname(record), "story.json");
    await writeFile(storyFile, JSON.stringify(story));
    say("judging in another process");
    const judgement = await runJudge<AskJudgement>("no-deadlock", [storyFile, record]);
    return verdictOf(judgement, runs, [record, storyFile]);
  } finally {
    load.kill();
  }
}

async function runWay(
  cluster: RealCluster,
  load: ForkedGenerator<AskOrder, AskReport>,
  way: Way,
  lengthMs: number,
): Promise<Run> {
  const before = sumOf(await cluster.statuses(), ({ counters }) => counters.aborted);
  const { made, tookMs } = await load.order({ type: "run", way, lengthMs }, "ran");
  const left = await whatIsLeft(cluster);
  const aborted = sumOf(await cluster.statuses(), ({ counters }) => counters.aborted) - before;
  return { made, tookMs, aborted, ...left };
}

/** What still waits on the nodes although no caller does, once it gets no less. */
async function whatIsLeft(
  cluster: RealCluster,
): Promise<Pick<Run, "leftInFlight" | "leftInOutboxes">> {
  let leftInFlight = Infinity;
  let leftInOutboxes = Infinity;
  const nothingIsLeft = async (): Promise<boolean> => {
    const all = await cluster.statuses();
    leftInFlight = sumOf(all, ({ callsInFlight }) => callsInFlight);
    leftInOutboxes = sumOf(all, ({ outboxDepth }) => outboxDepth);
    return leftInFlight + leftInOutboxes === 0;
  };
  // What is left after that time is a figure.
  await until("nothing is in flight or in an outbox", restTimeoutMs, nothingIsLeft).catch(
    () => undefined,
  );
  return { leftInFlight, leftInOutboxes };
}

async function copiesOf(cluster: RealCluster, entities: number): Promise<OwnersVisits[]> {
  const wanted = Array.from({ length: entities }, (_, n) => ({
    functionName: "asker",
    key: askerKey(n),
  }));
  const all: OwnersVisits[] = [];
  for await (const [{ key }, copies] of cluster.ownersCopies(wanted)) {
    const visits = [...copies.values()].map((copy) => {
      if (copy === undefined) return null;
      const { asked = 0, sent = 0 } = copy.plain as { readonly asked?: number; sent?: number };
      return { ask: asked, send: sent };
    });
    all.push({ key, visits });
  }
  return all;
}

function verdictOf(
  { calls, faults }: AskJudgement,
  runs: Readonly<Record<Way, Run>>,
  records: readonly string[],
): Verdict {
  return {
    counts: {
      ...countsOf("asks", calls.ask, runs.ask),
      ...countsOf("sends", calls.send, runs.send),
    },
    figures: [
      ...figuresOf("asks", calls.ask, runs.ask),
      ...figuresOf("sends", calls.send, runs.send),
      none("sends: turns that had to let go (aborted)", runs.send.aborted),
      ...Object.entries(faults).map(([name, value]) => none(name, value)),
    ],
    provedNothing: missing([
      ["no two chains met: nobody had to let go", runs.ask.aborted > 0 || calls.ask.expired > 0],
      ["no call asked", calls.ask.recorded > 0],
      ["no call sent", calls.send.recorded > 0],
    ]),
    records,
  };
}

function countsOf(name: string, calls: CallsJudgement, one: Run): Verdict["counts"] {
  const { ok, visits, latencyMs } = calls;
  return {
    [`${name}: calls made`]: one.made,
    [`${name}: calls per s`]: Math.round((ok * 1_000) / one.tookMs),
    [`${name}: visits by answered calls`]: visits,
    [`${name}: turns that had to let go (aborted)`]: one.aborted,
    [`${name}: latency p50 (ms)`]: rounded(latencyMs.p50),
    [`${name}: latency p99 (ms)`]: rounded(latencyMs.p99),
    [`${name}: slowest (ms)`]: rounded(latencyMs.max),
  };
}

function figuresOf(name: string, calls: CallsJudgement, one: Run): Figure[] {
  return [
    none(`${name}: calls that ran into their deadline`, calls.expired),
    none(`${name}: calls that failed otherwise`, calls.failed),
    none(`${name}: calls without an end`, one.made - calls.recorded),
    none(`${name}: turns in flight at the end`, one.leftInFlight),
    none(`${name}: calls left in outboxes`, one.leftInOutboxes),
  ];
}

function sumOf(all: readonly NodeStatus[], of: (status: NodeStatus) => number): number {
  return all.reduce((sum, status) => sum + of(status), 0);
}

export const proof: Proof = {
  control: "nobody is refused: chains that wait for each other do so until their deadlines",
  run,
};
