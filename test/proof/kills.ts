/**
 * `kills`: real node processes under calls by the clock lose one of them at a time, again and again.
 * Each comes back empty, as a restarted process of memory does, and the next is killed as soon as
 * every partition has its copies again.
 *
 *   SIGKILL ─▶ 0.1 s ─▶ started again, empty ─▶ nothing under-replicated ─▶ 1 s ─▶ the next
 *
 * Who starts it again waits as supervisors do: the start of a process takes a core for a third of a
 * second, and here that is a core of those who take over.
 *
 * No one can know of a kill before the machine has closed the connections of the killed process, and it
 * frees its memory first: the proof measures that beside each first success.
 *
 * The victim is the node that leads the most, so that every kill takes primaries away; nodes that were
 * killed last get back what they led only after 30 s.
 *
 * Control: the cluster keeps one copy of everything (`--replicas 1`), so that what a killed node led
 * dies with it.
 */
import { smokeCluster } from "../support/real-cluster.ts";
import { watchClose } from "../support/watch-close.ts";
import { targets } from "./targets.ts";
import {
  atLeast,
  atMost,
  type Figure,
  type Proof,
  type ProofOptions,
  type Verdict,
} from "./proof.ts";
import { TallyRun, type TallyEnd, type TallyScale } from "./tally-run.ts";
import { exactness, median, missing, rounded, tallyCounts } from "./tally-verdict.ts";

interface Scale extends TallyScale {
  readonly kills: number;
  /** Longer than it may take, so that a figure that falls short is a figure. */
  readonly wholeTimeoutMs: number;
}

const full: Scale = {
  ...targets.underLoad,
  kills: targets.kills.killsMin,
  timeoutMs: 30_000,
  wholeTimeoutMs: 60_000,
  restTimeoutMs: 60_000,
};
const smoke: Scale = {
  nodes: 3,
  ...smokeCluster,
  entities: 600,
  callsPerS: 400,
  kills: 1,
  timeoutMs: 5_000,
  wholeTimeoutMs: 20_000,
  restTimeoutMs: 20_000,
};
/** Without copies nothing is ever whole again. */
const controlTimeouts = { wholeTimeoutMs: 1_500, restTimeoutMs: 500, timeoutMs: 1_500 };

/** As systemd (`RestartSec`) and Docker wait before they restart what has ended. */
const restartAfterMs = 100;

/** So that every kill meets calls under way, however fast they are answered. */
const burst = { calls: 64, isProtected: true };

interface Recovery {
  /** From the kill until no partition was under-replicated. */
  readonly replicatedMs: number;
  /** Partitions of which the new process got a copy. */
  readonly copied: number;
  /** From the kill until the machine closed the connections of the process. */
  readonly closedMs: number;
}

async function run({ control, smoke: isSmoke, say }: ProofOptions): Promise<Verdict> {
  const size = isSmoke ? smoke : full;
  const scale = control ? { ...size, ...controlTimeouts } : size;
  const replicas = control ? 1 : undefined;
  const tallies = await TallyRun.start(scale, { replicas, say });
  const recoveries: Recovery[] = [];
  try {
    await pause(targets.kills.restMs);
    while (recoveries.length < scale.kills) {
      const recovery = await killOne(tallies, scale, say);
      recoveries.push(recovery);
      if (recovery.replicatedMs === Infinity) break;
      await pause(targets.kills.restMs);
    }
    return verdictOf(await tallies.finish(), recoveries, isSmoke);
  } finally {
    await tallies.close();
  }
}

async function killOne(
  tallies: TallyRun,
  { wholeTimeoutMs }: Scale,
  say: ProofOptions["say"],
): Promise<Recovery> {
  const { cluster } = tallies;
  const led = (await cluster.statuses()).map(({ primaries }) => primaries.length);
  const index = led.indexOf(Math.max(...led));
  const victim = cluster.nodes[index]!;
  const { closedAt } = await watchClose(victim.address);
  const kill = await tallies.disturb(victim, "SIGKILL", burst);
  await victim.ended;
  await pause(restartAfterMs);
  const restarted = await cluster.restart(index);
  tallies.isBack(kill);
  const replicatedMs = await tallies.untilWhole(kill.at, wholeTimeoutMs);
  const { copies } = await restarted.status();
  const closedMs = (await closedAt) - kill.at;
  say(
    `SIGKILL of ${kill.node} (pid ${kill.pid}, led ${kill.led.length}): ` +
      `all copies after ${replicatedMs.toFixed(0)} ms, ${copies} of them in pid ${restarted.pid}`,
  );
  return { replicatedMs, copied: copies, closedMs };
}

function verdictOf(end: TallyEnd, recoveries: readonly Recovery[], isSmoke: boolean): Verdict {
  const { judgement, counters, disturbances, records } = end;
  const firsts = judgement.disturbances.map(({ firstSuccessMs }) => firstSuccessMs ?? Infinity);
  const waits = judgement.disturbances.map(({ longestWaitMs }) => longestWaitMs);
  const { kills } = targets;
  const closed = recoveries.map(({ closedMs }) => closedMs);
  const replicated = recoveries.map(({ replicatedMs }) => replicatedMs);
  return {
    counts: {
      ...tallyCounts(end),
      "first successes (ms)": firsts.map(rounded).join(", "),
      "connections of the killed closed after (ms)": closed.map(rounded).join(", "),
      "median of first successes (ms)": rounded(median(firsts)),
      "median from the closing of connections on (ms)": rounded(
        median(firsts.map((first, index) => first - (closed[index] ?? 0))),
      ),
      "longest wait after each kill (ms)": waits.map(rounded).join(", "),
      "all copies after (ms)": replicated.map(Math.round).join(", "),
      "copies given to restarted nodes": recoveries.reduce((sum, { copied }) => sum + copied, 0),
    },
    figures: [
      atLeast("kills", recoveries.length, isSmoke ? smoke.kills : kills.killsMin),
      ...exactness(end),
      ...(isSmoke ? [] : timesOf(firsts, replicated)),
    ],
    provedNothing: missing([
      ["no call was in flight at a kill", judgement.disturbances.every((d) => d.inFlight > 0)],
      ["a killed node led nothing", disturbances.every(({ led }) => led.length > 0)],
      ["nobody took over", counters.takeovers > 0],
    ]),
    records,
  };
}

/** Judged at full size only: smokes run beside other tests, and one kill has no median. */
function timesOf(firsts: readonly number[], replicated: readonly number[]): Figure[] {
  const { firstSuccessMsMedianMax, firstSuccessMsMax, replicatedMsMax } = targets.kills;
  return [
    atMost("first success, median", median(firsts), firstSuccessMsMedianMax, "ms"),
    atMost("first success, worst", Math.max(...firsts), firstSuccessMsMax, "ms"),
    atMost("all copies again, worst", Math.max(...replicated), replicatedMsMax, "ms"),
  ];
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export const proof: Proof = {
  control: "one copy of everything (`--replicas 1`): what a killed node led dies with it",
  run,
};
