/**
 * `clock-step`: the wall clock of one node of real processes is set an hour forward, then an hour back,
 * while calls are made by the clock. Nobody may notice, but the node has to tell that its wall clock is
 * wrong. Then two races (`clock-race.ts`), in which stamps decide whose write is the later: one where
 * the clock of the node that writes first is an hour ahead, and one where that of a node that writes
 * second is an hour behind. Only stamps made of a wall clock would get them wrong.
 *
 *   calls by the clock: step, hold, step back … ─▶ at rest ─▶ stamps of owners ─▶ two races ─▶ judge
 *
 * Control: stamps are made of the wall clock.
 */
import { createWriteStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import { once } from "node:events";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { NodeEvent } from "latticework/node";
import type { NodeProcess } from "../../scripts/cluster/node-process.ts";
import { until } from "../../scripts/cluster/until.ts";
import { monotonicMs } from "../support/monotonic.ts";
import { Plant } from "../support/plant.ts";
import { RecordFile } from "../support/record-file.ts";
import { smokeCluster, type RealCluster } from "../support/real-cluster.ts";
import { runJudge } from "../support/run-judge.ts";
import { race, type RaceEnd } from "./clock-race.ts";
import type { ClockJudgement, ClockStory, StampLine, StepTime } from "./judges/clock-story.ts";
import { none, type Proof, type ProofOptions, type Verdict } from "./proof.ts";
import { TallyRun, type TallyEnd, type TallyScale } from "./tally-run.ts";
import { exactness, missing, rounded, tallyCounts } from "./tally-verdict.ts";
import { tallyEntity } from "./tally-messages.ts";
import { targets } from "./targets.ts";

interface Scale extends TallyScale {
  /** How long each step of the clock is left as it is. */
  readonly holdMs: number;
  /** Entities whose stamps are read, the first ones. */
  readonly stamps: number;
  readonly registers: number;
  /** Where they are left out, the stamps that owners hold have to tell. */
  readonly races: boolean;
}

const full: Scale = {
  ...targets.underLoad,
  holdMs: 10_000,
  stamps: 20_000,
  registers: 64,
  races: true,
  timeoutMs: 90_000,
  restTimeoutMs: 60_000,
};
const smoke: Scale = {
  nodes: 3,
  ...smokeCluster,
  entities: 600,
  callsPerS: 200,
  holdMs: 500,
  stamps: 600,
  registers: 8,
  races: false,
  timeoutMs: 30_000,
  restTimeoutMs: 30_000,
};
const toldTimeoutMs = 10_000;
/** What is told of a step is exact but for how long it takes to look. */
const toldWithinMs = 1_000;

async function run({ control, smoke: isSmoke, say }: ProofOptions): Promise<Verdict> {
  const scale = isSmoke ? smoke : full;
  const plant = control ? wallClockPlant() : undefined;
  const tallies = await TallyRun.start(scale, { root: plant?.root, say });
  try {
    const { cluster } = tallies;
    const steps = new Steps(cluster, say);
    await steps.listen();
    const stepped = cluster.nodes[1]!;
    const led = (await stepped.status()).primaries.length;
    for (const byMs of [1, -2, 1])
      await steps.step(stepped, byMs * targets.clockStep.byMs, scale.holdMs);
    const end = await tallies.finish();
    const folder = path.dirname(tallies.generator.record);
    const stampsFile = path.join(folder, "stamps.jsonl");
    await writeStamps(cluster, scale.stamps, stampsFile);
    const record = await RecordFile.create("clock-step");
    const races = await runRaces(steps, record, scale);
    await record.close();
    const storyFile = path.join(folder, "clock-story.json");
    await writeFile(storyFile, JSON.stringify(storyOf(cluster, steps, races)));
    const judgement = await runJudge<ClockJudgement>("clock-step", [
      storyFile,
      tallies.generator.record,
      stampsFile,
    ]);
    const files = [...end.records, record.file, storyFile, stampsFile];
    return verdictOf({ end, steps, judgement, races, led, records: files });
  } finally {
    await tallies.close();
    plant?.remove();
  }
}

/** Stamps as one would make them who knows of no better clock. */
function wallClockPlant(): Plant {
  const plant = Plant.create();
  plant.change(
    "src/node/partitions/entity-store.ts",
    "return this.#clusterClock.stamp(now);",
    "return Math.max(now, this.#clock.wallNow() * 1_024);",
  );
  return plant;
}

type ClockSkew = Extract<NodeEvent, { readonly type: "clock.skew" }>;

/** Steps wall clocks, and knows what the nodes told of it. */
class Steps {
  readonly cluster: RealCluster;
  readonly say: ProofOptions["say"];
  /** When clocks were off. */
  readonly times: StepTime[] = [];
  readonly toldAfterMs: number[] = [];
  readonly #told = new Map<string, ClockSkew[]>();
  made = 0;
  untold = 0;

  constructor(cluster: RealCluster, say: ProofOptions["say"]) {
    this.cluster = cluster;
    this.say = say;
  }

  async listen(): Promise<void> {
    for (const node of this.cluster.nodes) await this.#skews(node);
  }

  /** All that a node told of clocks since `listen`. */
  async #skews(node: NodeProcess): Promise<readonly ClockSkew[]> {
    const told = this.#told.get(node.id) ?? [];
    this.#told.set(node.id, told);
    for (const event of await node.events(["clock.skew"])) {
      if (event.type === "clock.skew") told.push(event);
    }
    return told;
  }

  /** Leaves the clock so for a while, at least until that was told. */
  async step(node: NodeProcess, byMs: number, holdMs: number): Promise<void> {
    const before = this.times.findLast((time) => time.node === node.id);
    const offMs = (before?.byMs ?? 0) + byMs;
    const from = monotonicMs();
    const toldBefore = (await this.#skews(node)).length;
    await node.stepClock(byMs);
    this.made += 1;
    try {
      await until(`${node.id} tells that its wall clock was set`, toldTimeoutMs, async () => {
        const told = (await this.#skews(node)).slice(toldBefore);
        return told.some(
          ({ source, aheadMs }) => source === "wall" && Math.abs(aheadMs - offMs) < toldWithinMs,
        );
      });
      this.toldAfterMs.push(monotonicMs() - from);
    } catch (error) {
      this.say(String(error));
      this.untold += 1;
    }
    await wait(Math.max(0, from + holdMs - monotonicMs()));
    this.times.push({ node: node.id, byMs: offMs, from, until: monotonicMs() });
    this.say(`the wall clock of ${node.id} (pid ${node.pid}) was off by ${offMs} ms`);
  }

  /** What was told by nodes whose clocks nobody had stepped, and of anything but wall clocks. */
  async falseAlarms(): Promise<number> {
    const stepped = new Set(this.times.map(({ node }) => node));
    let count = 0;
    for (const node of this.cluster.nodes) {
      for (const { source } of await this.#skews(node)) {
        if (source !== "wall" || !stepped.has(node.id)) count += 1;
      }
    }
    return count;
  }
}

interface Races {
  readonly ends: readonly RaceEnd[];
  /** Whose clock was behind. */
  readonly late: string;
  readonly falseAlarms: number;
}

async function runRaces(
  steps: Steps,
  record: RecordFile,
  { registers, races }: Scale,
): Promise<Races> {
  const { cluster, say } = steps;
  const [alone, late] = cluster.nodes as [NodeProcess, NodeProcess];
  const { byMs } = targets.clockStep;
  const ends: RaceEnd[] = [];
  if (races) {
    await steps.step(alone, byMs, 0);
    ends.push(await race(cluster, record, { alone, name: "ahead", registers }, say));
    await steps.step(alone, -byMs, 0);
    await steps.step(late, -byMs, 0);
    ends.push(await race(cluster, record, { alone, name: "behind", registers }, say));
    await steps.step(late, byMs, 0);
  }
  return { ends, late: late.id, falseAlarms: await steps.falseAlarms() };
}

function storyOf(cluster: RealCluster, steps: Steps, races: Races): ClockStory {
  return {
    addresses: cluster.addresses,
    wallOffsetMs: Date.now() - monotonicMs(),
    steps: steps.times.filter(({ byMs }) => byMs !== 0),
    races: races.ends.flatMap(({ story }) => story),
  };
}

/** Of what the owners hold themselves. */
async function writeStamps(cluster: RealCluster, count: number, file: string): Promise<void> {
  const stream = createWriteStream(file);
  const wanted = Array.from({ length: count }, (_, n) => tallyEntity(n));
  for await (const [{ functionName, key }, copies] of cluster.ownersCopies(wanted)) {
    const stamps: Record<string, number> = {};
    for (const [node, copy] of copies) if (copy !== undefined) stamps[node] = copy.stampMs;
    const line: StampLine = { functionName, key, stamps, readAt: monotonicMs() };
    if (!stream.write(`${JSON.stringify(line)}\n`)) await once(stream, "drain");
  }
  stream.end();
  await once(stream, "finish");
}

interface Findings {
  readonly end: TallyEnd;
  readonly steps: Steps;
  readonly judgement: ClockJudgement;
  readonly races: Races;
  /** Partitions led by the node whose clock was stepped under load. */
  readonly led: number;
  readonly records: readonly string[];
}

function verdictOf({ end, steps, judgement, races, led, records }: Findings): Verdict {
  const { ends, late, falseAlarms } = races;
  const [, behind] = ends;
  const meanwhile = judgement.counts["calls that a stepped node answered meanwhile"] ?? 0;
  const lateWrites = behind?.answeredBy.get(late) ?? 0;
  return {
    counts: {
      ...tallyCounts(end),
      "steps of a wall clock": steps.made,
      "slowest to be told (ms)": rounded(Math.max(0, ...steps.toldAfterMs)),
      "partitions led by the node stepped under load": led,
      ...judgement.counts,
      "first writes without a majority": ends.reduce((sum, { degraded }) => sum + degraded, 0),
      "second writes by the node whose clock was behind": lateWrites,
    },
    figures: [
      none("failed calls by the clock", end.judgement.failedCalls),
      ...Object.entries(judgement.faults).map(([name, value]) => none(name, value)),
      none("steps that no clock.skew told", steps.untold),
      none("clock.skew of clocks that were right", falseAlarms),
      ...exactness(end),
    ],
    provedNothing: missing([
      ["the node stepped under load led nothing", led > 0],
      ["no call was answered by a node whose clock was off", meanwhile > 0],
      ["no first write was made without a majority", ends.every(({ degraded }) => degraded > 0)],
      [
        "no second write was made by the node whose clock was behind",
        behind === undefined || lateWrites > 0,
      ],
      [
        "no register was written on both sides",
        behind === undefined || judgement.counts["registers written on both sides"]! > 0,
      ],
    ]),
    records,
  };
}

export const proof: Proof = { control: "stamps are made of the wall clock", run };
