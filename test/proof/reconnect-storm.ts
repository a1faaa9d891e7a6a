/**
 * `reconnect-storm`: the connections of all clients break at once, and each client calls. Three real
 * node processes, two processes full of clients, and a proxy before each node which resets what
 * passes through it. In the last storm a node is killed instead, so that its clients come to the
 * others while these take over what it led.
 *
 *   connect ─▶ call ─▶ (break ─▶ all call ─▶ all are answered ─▶ measure) × storms ─▶ judge
 *
 * All of it shares the machine, and a process that has to wait for a core has a late event loop
 * whatever it does: `a node with nothing to do`, of another cluster, shows how much of it that is.
 *
 * Control: a node that never forgets the session of a client that is gone.
 */
import { writeFile } from "node:fs/promises";
import path from "node:path";
import type { LoadReport } from "../../scripts/cluster/load-report.ts";
import { NodeProcess } from "../../scripts/cluster/node-process.ts";
import { until } from "../../scripts/cluster/until.ts";
import { ForkedGenerator } from "../support/forked-generator.ts";
import { monotonicMs } from "../support/monotonic.ts";
import { Plant } from "../support/plant.ts";
import { RealCluster, smokeCluster } from "../support/real-cluster.ts";
import { runJudge } from "../support/run-judge.ts";
import { TcpProxy } from "../support/tcp-proxy.ts";
import type { Storm, StormJudgement, StormStory } from "./judges/storm-story.ts";
import { atMost, none, type Figure, type Proof, type ProofOptions, type Verdict } from "./proof.ts";
import type { StormOrder, StormPlan, StormReport } from "./storm-messages.ts";
import { missing } from "./tally-verdict.ts";
import { targets } from "./targets.ts";

const functionsFile = "test/proof/functions/tallies.ts";
const { servedMsMax, loopDelayP99MsMax, residentGrowthMiBMax, liveGrowthMiBMax } =
  targets.reconnectStorm;
const nodes = 3;
/** Longer than a target, to tell by how much it was missed. */
const callTimeoutMs = 60_000;
/** A connection that broke is gone by then, wherever it is counted. */
const forgottenTimeoutMs = 5_000;
const mebibyte = 1024 * 1024;

interface Scale {
  /** As of `RealCluster`, also the next. @default 1024 */
  readonly partitions?: number;
  readonly flags?: readonly string[];
  readonly clients: number;
  readonly generators: number;
  /** In which the proxies reset everything. */
  readonly resets: number;
  /** In which a node is killed. */
  readonly kills: number;
}

const full: Scale = { clients: targets.reconnectStorm.clients, generators: 2, resets: 3, kills: 1 };
const smoke: Scale = {
  ...smokeCluster,
  clients: 60,
  generators: 1,
  resets: 1,
  kills: 0,
};

interface StormEnd extends Storm {
  readonly how: "reset" | "kill";
  /** Connections of clients that broke. */
  readonly broken: number;
  /** Of the nodes that live, from the break until everybody was answered. */
  readonly loads: readonly LoadReport[];
  readonly idle: LoadReport;
  /** Sessions that nodes still hold, beyond one for each client. */
  readonly ghosts: number;
}

type Generator = ForkedGenerator<StormOrder, StormReport>;

class Stage {
  readonly #cluster: RealCluster;
  #alive: readonly NodeProcess[];
  /** Of a cluster of its own, with nothing to do. */
  readonly #idle: NodeProcess;
  readonly #proxies: readonly TcpProxy[];
  readonly #scale: Scale;
  readonly #generators: Generator[] = [];
  /** The generators' records. */
  readonly records: string[] = [];

  private constructor(
    scale: Scale,
    cluster: RealCluster,
    idle: NodeProcess,
    proxies: readonly TcpProxy[],
  ) {
    this.#scale = scale;
    this.#cluster = cluster;
    this.#alive = cluster.nodes;
    this.#idle = idle;
    this.#proxies = proxies;
  }

  get alive(): readonly NodeProcess[] {
    return this.#alive;
  }

  static async start(scale: Scale, root: string | undefined): Promise<Stage> {
    const { partitions, flags } = scale;
    const cluster = await RealCluster.start({ nodes, functionsFile, partitions, flags, root });
    try {
      await cluster.balanced();
      const args = ["--port", "0", "--functions", functionsFile];
      const idle = await NodeProcess.start(args, { flags });
      const proxies: TcpProxy[] = [];
      for (const address of cluster.addresses) {
        proxies.push(await TcpProxy.start({ targetPort: Number(new URL(address).port) }));
      }
      return new Stage(scale, cluster, idle, proxies);
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  /** Every client is connected and has called once. */
  async connect(): Promise<void> {
    const clients = this.#scale.clients / this.#scale.generators;
    const addresses = this.#proxies.map(({ address }) => address);
    for (let n = 0; n < this.#scale.generators; n++) {
      const plan: StormPlan = { clients, first: n * clients, addresses, timeoutMs: callTimeoutMs };
      const generator: Generator = await ForkedGenerator.start("test/proof/storm-load.ts", plan);
      this.#generators.push(generator);
      this.records.push((await generator.reported("connected")).record);
    }
    await this.#callAll("connect");
  }

  async load(): Promise<Pick<StormEnd, "loads" | "idle">> {
    const loads = await Promise.all(this.#alive.map((node) => node.load()));
    return { loads, idle: await this.#idle.load() };
  }

  /** Breaks all connections, or those of one node by killing it, and sees everybody served again. */
  async storm(name: string, how: "reset" | "kill"): Promise<StormEnd> {
    const victim = how === "kill" ? this.#alive.at(-1) : undefined;
    const hit = victim === undefined ? this.#proxies : this.#proxies.slice(-1);
    const broken = hit.reduce((sum, { connectionCount }) => sum + connectionCount, 0);
    // What happened before does not count.
    await this.load();
    const brokenAt = monotonicMs();
    if (victim === undefined) for (const proxy of hit) proxy.reset();
    else await this.#kill(victim);
    await this.#callAll(name);
    return { name, how, brokenAt, broken, ...(await this.load()), ghosts: await this.#ghosts() };
  }

  async #kill(victim: NodeProcess): Promise<void> {
    this.#alive = this.#alive.filter((node) => node !== victim);
    await victim.kill();
  }

  async #callAll(round: string): Promise<void> {
    await Promise.all(
      this.#generators.map((generator) => generator.order({ type: "call", round }, "called")),
    );
  }

  async #ghosts(): Promise<number> {
    let sessions = 0;
    const count = async (): Promise<boolean> => {
      const all = await Promise.all(this.#alive.map((node) => node.status()));
      sessions = all.reduce((sum, { clients }) => sum + clients, 0);
      return sessions <= this.#scale.clients;
    };
    await until("nodes have forgotten the broken connections", forgottenTimeoutMs, count).catch(
      (error: unknown) => {
        if (sessions <= this.#scale.clients) throw error;
      },
    );
    return Math.max(0, sessions - this.#scale.clients);
  }

  /** All calls are in the records. */
  async stop(): Promise<void> {
    await Promise.all(
      this.#generators.map((generator) => generator.order({ type: "stop" }, "stopped")),
    );
  }

  async close(): Promise<void> {
    for (const generator of this.#generators) generator.kill();
    await Promise.all([this.#cluster.close(), this.#idle.kill()]);
    await Promise.all(this.#proxies.map((proxy) => proxy.close()));
  }
}

async function run({ control, smoke: isSmoke, say }: ProofOptions): Promise<Verdict> {
  const scale = isSmoke ? smoke : full;
  const plant = control ? rememberingPlant() : undefined;
  const stage = await Stage.start(scale, plant?.root);
  try {
    const pids = stage.alive.map(({ pid }) => pid).join(", ");
    say(`pids ${pids}: every node leads its share`);
    await stage.connect();
    say(`${scale.clients} clients are connected and have called`);
    const before = await stage.load();
    const storms: StormEnd[] = [];
    const hows = [
      ...repeat("reset" as const, scale.resets),
      ...repeat("kill" as const, scale.kills),
    ];
    for (const [n, how] of hows.entries()) {
      const end = await stage.storm(`storm ${n + 1} (${how})`, how);
      say(`${end.name}: ${end.broken} connections broken, all clients answered`);
      storms.push(end);
    }
    await stage.stop();
    const story: StormStory = {
      addresses: stage.alive.map(({ address }) => address),
      clients: scale.clients,
      storms: storms.map(({ name, brokenAt }) => ({ name, brokenAt })),
    };
    const storyFile = path.join(path.dirname(stage.records[0]!), "story.json");
    await writeFile(storyFile, JSON.stringify(story));
    say("judging in another process");
    const files = [storyFile, ...stage.records];
    const judgement = await runJudge<StormJudgement>("reconnect-storm", files);
    return verdictOf(judgement, before.loads, storms, { isSmoke, records: files });
  } finally {
    await stage.close();
    plant?.remove();
  }
}

function rememberingPlant(): Plant {
  const plant = Plant.create();
  plant.change(
    "src/node/sessions/client-sessions.ts",
    "    this.#sessions.delete(session.link);\n",
    "",
  );
  return plant;
}

function repeat<T>(value: T, count: number): T[] {
  return Array.from({ length: count }, () => value);
}

function verdictOf(
  { counts, faults, servedMs }: StormJudgement,
  before: readonly LoadReport[],
  storms: readonly StormEnd[],
  { isSmoke, records }: { readonly isSmoke: boolean; readonly records: readonly string[] },
): Verdict {
  const told: Record<string, number> = { ...counts };
  const figures: Figure[] = [];
  for (const [index, storm] of storms.entries()) {
    const { name, loads, idle } = storm;
    const served = servedMs[index]!;
    const p99 = most(loads, ({ loopDelayP99Ms }) => loopDelayP99Ms);
    told[`${name}: connections broken`] = storm.broken;
    told[`${name}: median client served (ms)`] = Math.round(served.median);
    told[`${name}: loop delay, longest (ms)`] = Math.round(
      most(loads, ({ loopDelayMaxMs }) => loopDelayMaxMs),
    );
    told[`${name}: loop delay p99 of a node with nothing to do (ms)`] = Math.round(
      idle.loopDelayP99Ms,
    );
    told[`${name}: CPU of a node, most (ms)`] = Math.round(most(loads, ({ cpuMs }) => cpuMs));
    told[`${name}: live afterwards (MiB)`] = Math.round(most(loads, liveBytes) / mebibyte);
    figures.push(atMost(`${name}: last client served`, served.last, servedMsMax, "ms"));
    if (!isSmoke) figures.push(atMost(`${name}: loop delay p99`, p99, loopDelayP99MsMax, "ms"));
    else told[`${name}: loop delay p99 (ms)`] = Math.round(p99);
    figures.push(none(`${name}: sessions of clients that are gone`, storm.ghosts));
  }
  // The nodes that outlive another one have more clients and partitions than before.
  const resets = storms.filter(({ how }) => how === "reset");
  const last = resets.at(-1)!.loads;
  const first = resets[0]!.loads;
  const was = most(before, ({ residentBytes }) => residentBytes);
  const peak = most(storms.at(-1)!.loads, ({ residentPeakBytes }) => residentPeakBytes);
  told["resident before the storms (MiB)"] = Math.round(was / mebibyte);
  told["live before the storms (MiB)"] = Math.round(most(before, liveBytes) / mebibyte);
  const grown = (peak - was) / mebibyte;
  const kept = (most(last, liveBytes) - most(first, liveBytes)) / mebibyte;
  figures.push(
    atMost("resident at most, beyond before", grown, residentGrowthMiBMax, "MiB"),
    atMost("live after the last reset, beyond the first", kept, liveGrowthMiBMax, "MiB"),
    ...Object.entries(faults).map(([name, value]) => none(name, value)),
  );
  return {
    counts: told,
    figures,
    provedNothing: missing([
      ["no connection broke", storms.every(({ broken }) => broken > 0)],
      [
        "not every connection broke at once",
        storms[0]!.broken >= counts["clients whose count was read"]!,
      ],
    ]),
    records,
  };
}

function liveBytes(load: LoadReport): number {
  return load.liveBytes;
}

function most(loads: readonly LoadReport[], of: (load: LoadReport) => number): number {
  return Math.max(...loads.map(of));
}

export const proof: Proof = {
  control: "a node never forgets the session of a client that is gone",
  run,
};
