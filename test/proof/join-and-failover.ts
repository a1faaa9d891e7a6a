/**
 * `join-and-failover`: two processes, as an operator starts them. A client of either reaches what
 * the other leads in one hop; then one of them is killed under load, and the other goes on with
 * everything that was acknowledged.
 *
 * With two nodes no majority is left after the kill: the survivor serves degraded
 * (`replication.md` §6.3), and calls under way at the kill whose caller agrees to that may count
 * twice (§6.1). They are counted here and not judged; lost ones are.
 *
 * Control: the cluster keeps one copy of everything (`--replicas 1`), so that what the killed node
 * led dies with it.
 */
import { connect, type Client } from "latticework/client";
import type { Functions } from "../../examples/cart/functions.ts";
import type { NodeProcess } from "../../scripts/cluster/node-process.ts";
import { RealCluster, smokeCluster } from "../support/real-cluster.ts";
import { RecordFile, readRecords, type CallRecord } from "../support/record-file.ts";
import { Recorder } from "../support/recorder.ts";
import { runJudge } from "../support/run-judge.ts";
import type { FailoverJudgement } from "./judges/join-and-failover.ts";
import {
  atMost,
  exactly,
  none,
  type Figure,
  type Proof,
  type ProofOptions,
  type Verdict,
} from "./proof.ts";
import { targets } from "./targets.ts";

const functionsFile = "examples/cart/functions.ts";
/** Keys that each node leads, and calls in flight on each of them. */
const keysPerNode = 32;
const callersPerKey = 2;
interface LoadTimes {
  readonly beforeKillMs: number;
  /** A key that is not served when it ends has failed: this is more than the target. */
  readonly afterKillMs: number;
}

const fullTimes: LoadTimes = { beforeKillMs: 1_500, afterKillMs: 3_000 };
const smokeTimes: LoadTimes = {
  beforeKillMs: 500,
  afterKillMs: targets.joinAndFailover.failoverMsMax + 100,
};
const callTimeoutMs = 4_000;

interface Hops {
  readonly calls: number;
  readonly notOne: number;
  readonly elsewhere: number;
}

interface Round {
  readonly hops: Hops;
  readonly forwards: number;
  readonly pid: number;
  readonly partitionsLed: number;
  readonly callsInFlight: number;
  readonly firstSuccessMs: number;
  readonly keysWithoutSuccess: number;
  readonly degraded: number;
  readonly retried: number;
  readonly dedupeHits: number;
  readonly judgement: FailoverJudgement;
  readonly record: string;
}

async function run(options: ProofOptions): Promise<Verdict> {
  const victims = options.smoke ? [1] : [1, 0];
  const rounds: Round[] = [];
  for (const victim of victims) rounds.push(await runRound(victim, options));
  const sum = (of: (round: Round) => number): number =>
    rounds.reduce((total, round) => total + of(round), 0);
  const { joinAndFailover } = targets;
  const slowest = Math.max(...rounds.map(({ firstSuccessMs }) => firstSuccessMs));
  const figures: Figure[] = [
    exactly(
      "calls that took another number of hops than one",
      sum((r) => r.hops.notOne),
      0,
    ),
    none(
      "calls that another node than the primary ran",
      sum((r) => r.hops.elsewhere),
    ),
    exactly(
      "calls that a node passed on",
      sum((r) => r.forwards),
      joinAndFailover.forwards,
    ),
    atMost(
      "slowest first success after the kill, of all keys",
      slowest,
      joinAndFailover.failoverMsMax,
      "ms",
    ),
    none(
      "keys without any success after the kill",
      sum((r) => r.keysWithoutSuccess),
    ),
    none(
      "acknowledged writes lost",
      sum((r) => r.judgement.lost),
    ),
    none(
      "calls doubled without degraded service",
      sum((r) => r.judgement.doubledUndegraded),
    ),
    none(
      "refused calls that took effect",
      sum((r) => r.judgement.refusedButPresent),
    ),
  ];
  const nothing = rounds.find((round) => round.callsInFlight === 0 || round.partitionsLed === 0);
  return {
    counts: {
      "pids killed": rounds.map(({ pid }) => pid).join(", "),
      signal: "SIGKILL",
      "partitions led by the killed": sum((r) => r.partitionsLed),
      "calls in flight at the kill": sum((r) => r.callsInFlight),
      "calls checked for one hop": sum((r) => r.hops.calls),
      "calls acknowledged": sum((r) => r.judgement.acknowledged),
      "of them degraded": sum((r) => r.degraded),
      indeterminate: sum((r) => r.judgement.indeterminate),
      refused: sum((r) => r.judgement.refused),
      "retried calls that arrived": sum((r) => r.retried),
      "answers from the dedupe table": sum((r) => r.dedupeHits),
      "doubled under degraded service (allowed)": sum((r) => r.judgement.doubled),
      "carts read by the judge": sum((r) => r.judgement.carts),
    },
    figures,
    provedNothing:
      nothing === undefined ? undefined : "the killed node led nothing, or no call was in flight",
    records: rounds.map(({ record }) => record),
  };
}

async function runRound(
  victimIndex: number,
  { control, smoke, say }: ProofOptions,
): Promise<Round> {
  const replicas = control ? 1 : undefined;
  const cluster = await RealCluster.start({
    ...{ nodes: 2, functionsFile, replicas },
    ...(smoke ? { partitions: smokeCluster.partitions } : {}),
  });
  const record = await RecordFile.create("join-and-failover");
  try {
    const [first, second] = cluster.nodes as readonly [NodeProcess, NodeProcess];
    await cluster.balanced();
    say(`nodes ${first.id} (pid ${first.pid}) and ${second.id} (pid ${second.pid}), joined`);
    const hops = addHops(
      await callThrough(first, second, cluster),
      await callThrough(second, first, cluster),
    );
    const forwards = (await cluster.statuses()).reduce(
      (total, { counters }) => total + counters.forwarded,
      0,
    );
    const victim = cluster.nodes[victimIndex]!;
    return {
      hops,
      forwards,
      ...(await killUnderLoad(cluster, victim, {
        record,
        times: smoke ? smokeTimes : fullTimes,
        say,
      })),
    };
  } finally {
    await cluster.close();
  }
}

/** Calls what `primary` leads through a client that was only told of `entry`. */
async function callThrough(
  entry: NodeProcess,
  primary: NodeProcess,
  cluster: RealCluster,
): Promise<Hops> {
  const client = await connect<Functions>({ nodes: [entry.address] });
  const keys = await cluster.keysLedBy(primary, "cart", keysPerNode);
  const replies = await Promise.all(
    keys.map((key) =>
      client.get("cart", key).with({ reply: "full" }).add({ sku: "hop", quantity: 1 }),
    ),
  );
  await client.close();
  return {
    calls: replies.length,
    notOne: replies.filter(({ hops }) => hops !== targets.joinAndFailover.hops).length,
    elsewhere: replies.filter(({ node }) => node !== primary.id).length,
  };
}

function addHops(a: Hops, b: Hops): Hops {
  return {
    calls: a.calls + b.calls,
    notOne: a.notOne + b.notOne,
    elsewhere: a.elsewhere + b.elsewhere,
  };
}

interface LoadOptions {
  readonly record: RecordFile;
  readonly times: LoadTimes;
  readonly say: (text: string) => void;
}

async function killUnderLoad(
  cluster: RealCluster,
  victim: NodeProcess,
  { record, times, say }: LoadOptions,
): Promise<Omit<Round, "hops" | "forwards">> {
  const survivor = cluster.nodes.find((node) => node !== victim)!;
  const keys = await cluster.keysLedBy(victim, "cart", keysPerNode);
  const client = await connect<Functions>({ nodes: [survivor.address] });
  const recorder = new Recorder(record);
  const load = new CartLoad(client, recorder, keys);
  const loaded = load.run(callersPerKey);
  await pause(times.beforeKillMs);
  const { primaries } = await victim.status();
  const callsInFlight = recorder.inFlight;
  const killedAt = recorder.now();
  victim.signal("SIGKILL");
  say(`SIGKILL of ${victim.id}: ${callsInFlight} calls in flight, ${primaries.length} partitions`);
  await pause(times.afterKillMs);
  load.stop();
  await loaded;
  await Promise.all([client.close(), record.close()]);
  const { counters } = await survivor.status();
  const successes = firstSuccesses(await readRecords(record.file), survivor.id, killedAt);
  const judgement = await runJudge<FailoverJudgement>("join-and-failover", [
    record.file,
    survivor.address,
  ]);
  return {
    pid: victim.pid,
    partitionsLed: primaries.length,
    callsInFlight,
    firstSuccessMs: successes.size === 0 ? Infinity : Math.max(...successes.values()),
    keysWithoutSuccess: keys.length - successes.size,
    degraded: load.degraded,
    retried: counters.retried,
    dedupeHits: counters.dedupeHits,
    judgement,
    record: record.file,
  };
}

/** For each key the time from the kill to the first success of the survivor. */
function firstSuccesses(
  calls: readonly CallRecord[],
  survivor: string,
  killedAt: number,
): Map<string, number> {
  const first = new Map<string, number>();
  for (const { key, answer, answeredAt } of calls) {
    if (answer.type !== "ok" || answeredAt < killedAt || answer.node !== survivor) continue;
    first.set(key, Math.min(first.get(key) ?? Infinity, answeredAt - killedAt));
  }
  return first;
}

class CartLoad {
  readonly #client: Client<Functions>;
  readonly #recorder: Recorder;
  readonly #keys: readonly string[];
  #calls = 0;
  #isStopped = false;
  degraded = 0;

  constructor(client: Client<Functions>, recorder: Recorder, keys: readonly string[]) {
    this.#client = client;
    this.#recorder = recorder;
    this.#keys = keys;
  }

  /** Resolves when every caller has ended, after `stop`. */
  async run(callers: number): Promise<void> {
    await Promise.all(
      this.#keys.flatMap((key) => Array.from({ length: callers }, () => this.#call(key))),
    );
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #call(key: string): Promise<void> {
    const cart = this.#client.get("cart", key).with({ timeoutMs: callTimeoutMs, reply: "full" });
    while (!this.#isStopped) {
      this.#calls += 1;
      const name = `call-${String(this.#calls)}`;
      const line = { sku: name, quantity: 1 };
      const call = {
        call: name,
        functionName: "cart",
        key,
        operation: "add",
        input: line,
        from: "load",
      };
      const { answer } = await this.#recorder.make(call, () => cart.add(line));
      if (answer.type === "ok" && answer.degraded) this.degraded += 1;
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

export const proof: Proof = {
  control: "one copy of everything (--replicas 1): what the killed node led dies with it",
  run,
};
