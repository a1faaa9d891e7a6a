/**
 * `rolling-restart`: an operator restarts every node, one after another, as an upgrade does, while
 * calls are made by the clock. The application must not see any of it.
 *
 *   SIGTERM ─▶ it hands over and ends ─▶ started again ─▶ nothing under-replicated ─▶ the next
 *
 * Control: one copy of everything, and nodes that end at SIGTERM without handing anything over.
 */
import { Plant } from "../support/plant.ts";
import { monotonicMs } from "../support/monotonic.ts";
import { smokeCluster } from "../support/real-cluster.ts";
import { atMost, exactly, none, type Proof, type ProofOptions, type Verdict } from "./proof.ts";
import { TallyRun, type TallyEnd, type TallyScale } from "./tally-run.ts";
import { exactness, missing, tallyCounts } from "./tally-verdict.ts";
import { targets } from "./targets.ts";

interface Scale extends TallyScale {
  readonly wholeTimeoutMs: number;
  /** How many of the nodes are restarted. */
  readonly restarts: number;
}

const full: Scale = {
  ...targets.underLoad,
  restarts: targets.underLoad.nodes,
  timeoutMs: 30_000,
  wholeTimeoutMs: 60_000,
  restTimeoutMs: 60_000,
};
const smoke: Scale = {
  nodes: 3,
  ...smokeCluster,
  restarts: 1,
  entities: 600,
  callsPerS: 200,
  timeoutMs: 30_000,
  wholeTimeoutMs: 20_000,
  restTimeoutMs: 20_000,
};
/** What was led by a node that ended so is gone. */
const controlTimeouts = { wholeTimeoutMs: 1_500, restTimeoutMs: 500, timeoutMs: 1_500 };

interface Restart {
  /** What the process ended with. */
  readonly end: number | NodeJS.Signals;
  /** From SIGTERM to the end of the process. */
  readonly leftMs: number;
  /** From SIGTERM until no partition was under-replicated. */
  readonly wholeMs: number;
  /** Partitions of which the new process got a copy. */
  readonly copied: number;
}

async function run({ control, smoke: isSmoke, say }: ProofOptions): Promise<Verdict> {
  const size = isSmoke ? smoke : full;
  const scale = control ? { ...size, ...controlTimeouts } : size;
  const plant = control ? Plant.create() : undefined;
  plant?.change("scripts/start-node.ts", "void node.leave();", "process.exit(0);");
  const replicas = control ? 1 : undefined;
  const tallies = await TallyRun.start(scale, { replicas, root: plant?.root, say });
  const restarts: Restart[] = [];
  try {
    while (restarts.length < scale.restarts) {
      const restart = await restartOne(tallies, restarts.length, scale, say);
      restarts.push(restart);
      if (restart.wholeMs === Infinity) break;
    }
    return verdictOf(await tallies.finish(), restarts, isSmoke);
  } finally {
    await tallies.close();
    plant?.remove();
  }
}

async function restartOne(
  tallies: TallyRun,
  index: number,
  { wholeTimeoutMs }: Scale,
  say: ProofOptions["say"],
): Promise<Restart> {
  const { cluster } = tallies;
  const node = cluster.nodes[index]!;
  const begun = await tallies.disturb(node, "SIGTERM");
  const end = await node.ended;
  const leftMs = monotonicMs() - begun.at;
  const restarted = await cluster.restart(index);
  tallies.isBack(begun);
  const wholeMs = await tallies.untilWhole(begun.at, wholeTimeoutMs);
  const { copies } = await restarted.status();
  say(
    `SIGTERM of ${begun.node} (pid ${begun.pid}, led ${begun.led.length}): ended with ${end} after ` +
      `${leftMs.toFixed(0)} ms, all copies after ${wholeMs.toFixed(0)} ms`,
  );
  return { end, leftMs, wholeMs, copied: copies };
}

function verdictOf(end: TallyEnd, restarts: readonly Restart[], isSmoke: boolean): Verdict {
  const { judgement, counters, disturbances, records } = end;
  const { p99 } = judgement.latencyMs;
  const { p99MsMax } = targets.rollingRestart;
  return {
    counts: {
      ...tallyCounts(end),
      "processes ended with": restarts.map((restart) => restart.end).join(", "),
      "and after (ms)": restarts.map(({ leftMs }) => Math.round(leftMs)).join(", "),
      "all copies after (ms)": restarts.map(({ wholeMs }) => Math.round(wholeMs)).join(", "),
      "copies given to restarted nodes": restarts.reduce((sum, { copied }) => sum + copied, 0),
    },
    figures: [
      exactly("nodes restarted", restarts.length, (isSmoke ? smoke : full).restarts),
      none("restarts that did not end with 0", restarts.filter(({ end }) => end !== 0).length),
      none("failed calls", judgement.failedCalls),
      ...exactness(end),
      // Smokes run beside other tests: their times are printed and not judged.
      ...(isSmoke ? [] : [atMost("p99 of calls by the clock", p99, p99MsMax, "ms")]),
    ],
    provedNothing: missing([
      ["no call was made to a node that left", judgement.disturbances.every((d) => d.calls > 0)],
      ["a node that left led nothing", disturbances.every(({ led }) => led.length > 0)],
      ["nobody took over", counters.takeovers > 0],
    ]),
    records,
  };
}

export const proof: Proof = {
  control: "one copy of everything, and nodes that end at SIGTERM without handing over",
  run,
};
