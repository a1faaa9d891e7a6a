/**
 * `timers`: real node processes hold timers that are due within a minute, while one primary after the
 * other is killed. Each timer counts itself and says when it fired.
 *
 *   set all ─▶ the first is due ─▶ SIGKILL, started again, all copies back ─▶ … ─▶ the last is due ─▶ judge
 *
 * A timer may be late where its primary was killed, until another one serves; all others are on time.
 *
 * Control: a timer that fires is not taken out of the state. Who leads its key next fires it again.
 */
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { connect } from "latticework/client";
import type { NodeStatus } from "latticework/node";
import { until } from "../../scripts/cluster/until.ts";
import { Plant } from "../support/plant.ts";
import { RealCluster, smokeCluster } from "../support/real-cluster.ts";
import { runJudge } from "../support/run-judge.ts";
import type { AlarmWish, Functions } from "./functions/alarms.ts";
import type {
  AlarmPlan,
  TakeoverTime,
  TimersJudgement,
  TimersStory,
} from "./judges/timers-story.ts";
import { atLeast, atMost, none, type Proof, type ProofOptions, type Verdict } from "./proof.ts";
import { missing } from "./tally-verdict.ts";
import { targets } from "./targets.ts";

interface Scale {
  readonly nodes: number;
  readonly partitions?: number;
  readonly flags?: readonly string[];
  readonly entities: number;
  readonly timers: number;
  /** From the first that is due to the last. */
  readonly withinMs: number;
  /** Until the first is due, for setting them all. */
  readonly leadMs: number;
  readonly kills: number;
}

const full: Scale = {
  nodes: 5,
  entities: 2_000,
  timers: targets.timers.timers,
  withinMs: targets.timers.withinMs,
  leadMs: 15_000,
  kills: Infinity,
};
const smoke: Scale = {
  nodes: 3,
  ...smokeCluster,
  entities: 60,
  timers: 600,
  withinMs: 5_000,
  leadMs: 1_500,
  kills: 1,
};

const functionsFile = "test/proof/functions/alarms.ts";
const settersAtOnce = 64;
const wholeTimeoutMs = 60_000;
/** After the last is due; longer than the longest back-off. */
const firedTimeoutMs = 30_000;
const controlFiredTimeoutMs = 1_000;
/** Between two kills so much is no takeover: what is due then is judged by how late it is. */
const calmMs = 2_000;
/** What was due so shortly before a kill may have been under way. */
const underWayMs = 1_000;

interface Kill {
  readonly takeover: TakeoverTime;
  readonly ledCount: number;
}

async function run({ control, smoke: isSmoke, say }: ProofOptions): Promise<Verdict> {
  const scale = isSmoke ? smoke : full;
  const plant = control ? forgetfulPlant() : undefined;
  const { nodes, partitions, flags } = scale;
  const size = { nodes, partitions, flags, functionsFile, root: plant?.root };
  const cluster = await RealCluster.start(size);
  try {
    await cluster.balanced();
    const plans = await setAll(cluster, scale);
    say(`${String(scale.timers)} timers are set`);
    const dueAt = plans.flatMap(({ wishes }) => wishes.map(({ at }) => at));
    const lastAt = Math.max(...dueAt);
    const gone: NodeStatus[] = [];
    const kills: Kill[] = [];
    await waitUntil(Math.min(...dueAt) + underWayMs);
    while (kills.length < scale.kills && Date.now() < lastAt) {
      const kill = await killOne(cluster, gone, say);
      kills.push(kill);
      await waitUntil(kill.takeover.until + calmMs + underWayMs);
    }
    await waitUntil(lastAt);
    await allFired(cluster, control ? controlFiredTimeoutMs : firedTimeoutMs, say);
    return await verdictOf({ cluster, plans, kills, gone, isSmoke, say });
  } finally {
    await cluster.close();
    plant?.remove();
  }
}

function waitUntil(at: number): Promise<void> {
  return wait(Math.max(0, at - Date.now()));
}

/** It looks whether the timer is there, and leaves it. */
function forgetfulPlant(): Plant {
  const plant = Plant.create();
  plant.change(
    "src/functions/turn-draft.ts",
    "!draft.timers.take(timer, now)",
    "!draft.timers.list().some(({ id }) => id === timer.id)",
  );
  return plant;
}

/** Spread evenly over the keys and over the time, so that all keys are due all the time. */
async function setAll(cluster: RealCluster, scale: Scale): Promise<AlarmPlan[]> {
  const { entities, timers, withinMs, leadMs } = scale;
  const client = await connect<Functions>({ nodes: cluster.addresses });
  const firstAt = Date.now() + leadMs;
  const plans: AlarmPlan[] = [];
  let next = 0;
  const setter = async (): Promise<void> => {
    for (let n = next++; n < entities; n = next++) {
      const wishes: AlarmWish[] = [];
      for (let timer = n; timer < timers; timer += entities) {
        const at = firstAt + Math.floor((timer * withinMs) / timers);
        wishes.push({ id: `t${String(timer)}`, at });
      }
      const key = `key-${String(n)}`;
      await client.get("alarm", key).set(wishes);
      plans.push({ key, wishes, setAt: Date.now() });
    }
  };
  await Promise.all(Array.from({ length: settersAtOnce }, setter));
  await client.close();
  return plans;
}

/** Kills the node that leads the most, and starts it again; resolves when everything has its copies. */
async function killOne(
  cluster: RealCluster,
  gone: NodeStatus[],
  say: ProofOptions["say"],
): Promise<Kill> {
  const statuses = await cluster.statuses();
  const led = statuses.map(({ primaries }) => primaries.length);
  const ledCount = Math.max(...led);
  const index = led.indexOf(ledCount);
  const victim = cluster.nodes[index]!;
  gone.push(statuses[index]!);
  const at = Date.now();
  victim.signal("SIGKILL");
  await victim.ended;
  await cluster.restart(index);
  await until("no partition is under-replicated", wholeTimeoutMs, () => cluster.isWhole());
  const wholeMs = String(Date.now() - at);
  say(`SIGKILL of ${victim.id} (led ${String(ledCount)}): all copies after ${wholeMs} ms`);
  const takeover = { from: at - underWayMs, until: at + targets.kills.firstSuccessMsMax };
  return { takeover, ledCount };
}

/** Waits until no node has a timer, but not for ever: the judge says what still waits. */
async function allFired(
  cluster: RealCluster,
  timeoutMs: number,
  say: ProofOptions["say"],
): Promise<void> {
  try {
    await until("no timer waits", timeoutMs, async () => {
      return (await cluster.statuses()).every(({ timers }) => timers === 0);
    });
  } catch (error) {
    say(String(error));
  }
}

interface Ran {
  readonly cluster: RealCluster;
  readonly plans: readonly AlarmPlan[];
  readonly kills: readonly Kill[];
  /** Of killed nodes, shortly before. */
  readonly gone: readonly NodeStatus[];
  readonly isSmoke: boolean;
  readonly say: ProofOptions["say"];
}

async function verdictOf({ cluster, plans, kills, gone, isSmoke, say }: Ran): Promise<Verdict> {
  const isAtRest = await cluster.atRest(wholeTimeoutMs).then(
    () => true,
    (error: unknown) => {
      say(String(error));
      return false;
    },
  );
  const takeovers = kills.map(({ takeover }) => takeover);
  const story: TimersStory = { addresses: cluster.addresses, plans, takeovers };
  const folder = await mkdtemp(path.join(tmpdir(), "latticework-timers-"));
  const storyFile = path.join(folder, "story.json");
  await writeFile(storyFile, JSON.stringify(story));
  const statuses = [...gone, ...(await cluster.statuses())];
  const sum = (of: (status: NodeStatus) => number): number =>
    statuses.reduce((total, status) => total + of(status), 0);
  say("judging in another process");
  const { counts, faults, lateMs } = await runJudge<TimersJudgement>("timers", [storyFile]);
  const takeoverCount = sum(({ counters }) => counters.takeovers);
  const { timers, killsMin, lateMsMax } = targets.timers;
  return {
    counts: {
      ...counts,
      kills: kills.length,
      takeovers: takeoverCount,
      "firings that nodes counted": sum(({ counters }) => counters.timersFired),
      "late, p50 (ms)": lateMs.p50,
      "the same, p99 (ms)": lateMs.p99,
      "the same, worst (ms)": lateMs.max,
    },
    figures: [
      atLeast("timers", counts["timers set"] ?? 0, isSmoke ? smoke.timers : timers),
      atLeast("kills", kills.length, isSmoke ? smoke.kills : killsMin),
      ...Object.entries(faults).map(([name, value]) => none(name, value)),
      none("clusters that did not come to rest", isAtRest ? 0 : 1),
      // Smokes run beside other tests.
      ...(isSmoke ? [] : [atMost("late outside takeovers, worst", lateMs.max, lateMsMax, "ms")]),
    ],
    provedNothing: missing([
      ["a killed node led nothing", kills.every(({ ledCount }) => ledCount > 0)],
      ["nobody took over", takeoverCount > 0],
      ["no timer was due in a takeover", (counts["of them due in a takeover"] ?? 0) > 0],
      ["all timers were due in takeovers", (counts["of them judged by how late"] ?? 0) > 0],
    ]),
    records: [storyFile],
  };
}

export const proof: Proof = {
  control: "a timer that fires stays in the state: who leads its key next fires it again",
  run,
};
