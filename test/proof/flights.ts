/**
 * `flights`: the main job on real input, as a user runs it: `CI=true npm start` in a fresh clone,
 * once or `--runs N` times in a row. The comparison is made by a process of its own against the
 * file of flights and the caller's record of answered calls.
 *
 * Control (`npm start -- --control`): a careless caller that takes answers before replication
 * (`acks: 1`), switches protection off, and sends again what may have been lost: calls of unknown
 * outcome or without an answer in time, and the last ones that the killed node answered.
 */
import { spawnSync } from "node:child_process";
import { readFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { bundle } from "../../scripts/programs/bundle.ts";
import { smokeCluster } from "../support/real-cluster.ts";
import { runProgram } from "../support/run-program.ts";
import { atLeast, atMost, exactly, none } from "./proof.ts";
import type { Proof, ProofOptions, Verdict } from "./proof.ts";
import { targets } from "./targets.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
/** More than twice the calls in flight, so that the kill in their middle meets all of those. */
const smokeFlights = 1_500;
/** Twice what is promised: a run that hangs is ended and has fallen short. */
const runTimeoutMs = targets.flights.minutesMax * 2 * 60_000;

/** As `scripts/start-cluster.ts` writes it. */
interface Run {
  readonly killedPid: number;
  readonly callsInFlight: number;
  readonly partitionsLed: number;
  readonly answered: number;
  readonly recorded: number | null;
  readonly retried: number;
  readonly dedupeHits: number;
  readonly outboxRedelivered: number;
  readonly takeovers: number;
  readonly degraded: number;
  readonly departures: number;
  readonly arrivals: number;
  readonly routes: number;
  readonly compared: number;
  readonly different: number;
  readonly lost: number;
  readonly double: number;
  readonly unequalCopies: number;
  readonly exit: number;
}

interface TimedRun extends Run {
  readonly seconds: number;
}

async function run(options: ProofOptions): Promise<Verdict> {
  const folder = await mkdtemp(path.join(tmpdir(), "latticework-flights-"));
  const checkout = options.smoke ? root : await freshClone(folder, options);
  const runs: TimedRun[] = [];
  const records: string[] = [];
  try {
    for (let n = 1; n <= options.runs; n++) {
      const record = path.join(folder, `calls-${String(n)}.jsonl`);
      records.push(record);
      const one = await start(
        checkout,
        path.join(folder, `run-${String(n)}.json`),
        record,
        options,
      );
      options.say(
        `run ${n}: exit ${one.exit} after ${one.seconds.toFixed(1)} s, ` +
          `lost ${one.lost}, double ${one.double}, in flight at the kill ${one.callsInFlight}`,
      );
      runs.push(one);
    }
  } finally {
    if (checkout !== root) await rm(checkout, { recursive: true, force: true });
  }
  return verdictOf(runs, options, records);
}

/** What is committed, and nothing else: no `node_modules`, no build. */
async function freshClone(folder: string, { say }: ProofOptions): Promise<string> {
  const clone = path.join(folder, "clone");
  const { status, stderr } = spawnSync(
    "git",
    ["clone", "--quiet", "--depth=1", `file://${root}`, clone],
    {
      encoding: "utf8",
    },
  );
  if (status !== 0) throw new Error(`git clone failed: ${stderr}`);
  const { stdout } = spawnSync("git", ["log", "-1", "--format=%h %s"], {
    cwd: clone,
    encoding: "utf8",
  });
  say(`a fresh clone of ${stdout.trim()}`);
  return Promise.resolve(clone);
}

/** One `npm start`; smokes skip the launcher, which would build what a test run has built already. */
async function start(
  checkout: string,
  json: string,
  record: string,
  { smoke, control }: ProofOptions,
): Promise<TimedRun> {
  const words = [
    ...["--json", json, "--record", record],
    ...(smoke
      ? ["--flights", String(smokeFlights), "--partitions", String(smokeCluster.partitions)]
      : []),
    ...(control ? ["--control"] : []),
  ];
  const [script = ""] = smoke ? await bundle(["scripts/start-cluster.ts"]) : [];
  const [command, args] = smoke
    ? [process.execPath, ["--enable-source-maps", script, ...words]]
    : ["npm", ["start", "--", ...words]];
  const startedAt = performance.now();
  const { code, output } = await runProgram(command, args, {
    cwd: checkout,
    timeoutMs: runTimeoutMs,
    env: { CI: "true" },
  });
  const seconds = (performance.now() - startedAt) / 1_000;
  const counts = await readFile(json, "utf8").catch((error: unknown) => {
    throw new Error(`npm start ended with ${code} and no result:\n${output}`, { cause: error });
  });
  return { ...(JSON.parse(counts) as Run), exit: code, seconds };
}

function verdictOf(
  runs: readonly TimedRun[],
  { smoke }: ProofOptions,
  records: readonly string[],
): Verdict {
  const sum = (of: (run: TimedRun) => number): number =>
    runs.reduce((total, one) => total + of(one), 0);
  const wanted = (smoke ? smokeFlights : targets.flights.flights) * runs.length;
  const slowest = Math.max(...runs.map(({ seconds }) => seconds));
  const nothing = runs.find((one) => one.callsInFlight === 0 || one.partitionsLed === 0);
  return {
    counts: {
      "runs in a row": runs.length,
      "pids killed (SIGKILL)": runs.map(({ killedPid }) => killedPid).join(", "),
      "least calls in flight at a kill": Math.min(...runs.map((one) => one.callsInFlight)),
      "least partitions led by a killed node": Math.min(...runs.map((one) => one.partitionsLed)),
      "calls answered": sum((one) => one.answered),
      "retried calls": sum((one) => one.retried),
      "answers from the dedupe table": sum((one) => one.dedupeHits),
      "outbox redeliveries": sum((one) => one.outboxRedelivered),
      takeovers: sum((one) => one.takeovers),
      "degraded answers": sum((one) => one.degraded),
      "airports and routes compared": sum((one) => one.compared),
      "slowest run (s)": Math.round(slowest),
    },
    figures: [
      none(
        "flights lost",
        sum((one) => one.lost),
      ),
      none(
        "flights double",
        sum((one) => one.double),
      ),
      none(
        "airports and routes that differ in anything",
        sum((one) => one.different),
      ),
      none(
        "partitions with unequal copies",
        sum((one) => one.unequalCopies),
      ),
      exactly(
        "departures counted",
        sum((one) => one.departures),
        wanted,
      ),
      exactly(
        "arrivals counted",
        sum((one) => one.arrivals),
        wanted,
      ),
      exactly(
        "flights counted by routes",
        sum((one) => one.routes),
        wanted,
      ),
      exactly(
        "calls in the caller's own record",
        sum((one) => one.recorded ?? 0),
        wanted,
      ),
      atLeast("runs that ended with 0", runs.filter((one) => one.exit === 0).length, runs.length),
      atMost("slowest run in seconds", slowest, targets.flights.minutesMax * 60, "s"),
    ],
    provedNothing: nothing === undefined ? undefined : "the killed node had nothing to lose",
    records,
  };
}

export const proof: Proof = {
  control: "acks: 1, no protection, and a caller that sends blindly again",
  run,
};
