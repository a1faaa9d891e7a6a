/**
 * What `kills`, `rolling-restart`, `pause` and `effectively-once` have in common: real nodes with
 * entities in them, calls by the clock or in lots, signals that are written down, and a judge in the end.
 *
 *   start ─▶ preload ─▶ calls by the clock ─▶ signals ─▶ calls end ─▶ at rest ─▶ owners' copies ─▶ judge
 */
import { createWriteStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { once } from "node:events";
import type { NodeCounters } from "latticework/node";
import type { NodeProcess } from "../../scripts/cluster/node-process.ts";
import { until } from "../../scripts/cluster/until.ts";
import { partitionOf } from "../../src/ring/partition.ts";
import { monotonicMs } from "../support/monotonic.ts";
import { RealCluster } from "../support/real-cluster.ts";
import { runJudge } from "../support/run-judge.ts";
import type {
  Disturbance,
  OwnersTotals,
  TallyJudgement,
  TallyStory,
} from "./judges/tally-story.ts";
import type { ProofOptions } from "./proof.ts";
import { TallyGenerator } from "./tally-generator.ts";
import { tallyEntity } from "./tally-messages.ts";

export interface TallyScale {
  readonly nodes: number;
  /** As of `RealCluster`, also the next. @default 1024 */
  readonly partitions?: number;
  readonly flags?: readonly string[];
  readonly entities: number;
  /** Of calls by the clock; without, none are made. */
  readonly callsPerS?: number;
  /** See `LoadPlan`. */
  readonly carelessFrom?: number;
  /** Longest time of a call. */
  readonly timeoutMs: number;
  /** How long the cluster may take to come to rest after the last call. */
  readonly restTimeoutMs: number;
}

export interface TallyRunOptions {
  /** Copies of everything. @default 3 */
  readonly replicas?: number | undefined;
  readonly root?: string | undefined;
  readonly say: ProofOptions["say"];
}

/** Calls made right before a signal, to what the node leads that gets it. */
export interface Burst {
  readonly calls: number;
  readonly isProtected: boolean;
  /** Unprotected ones besides, to the entities that are for those. */
  readonly careless?: number;
}

/** A disturbance of which it is not known yet when the node is back. */
export type Begun = Omit<Disturbance, "backAt">;

export interface TallyEnd {
  readonly judgement: TallyJudgement;
  /** Of all processes that answered before they ended. */
  readonly counters: NodeCounters;
  readonly isAtRest: boolean;
  readonly disturbances: readonly Disturbance[];
  readonly records: readonly string[];
}

const functionsFile = "test/proof/functions/tallies.ts";

export class TallyRun {
  readonly cluster: RealCluster;
  readonly generator: TallyGenerator;
  readonly #scale: TallyScale;
  readonly #say: ProofOptions["say"];
  readonly #gone: NodeCounters[] = [];
  readonly #disturbances: Disturbance[] = [];

  private constructor(
    cluster: RealCluster,
    generator: TallyGenerator,
    scale: TallyScale,
    say: ProofOptions["say"],
  ) {
    this.cluster = cluster;
    this.generator = generator;
    this.#scale = scale;
    this.#say = say;
  }

  /** Everything is written once and has its copies, and calls are made, where it is by the clock. */
  static async start(
    scale: TallyScale,
    { replicas, root, say }: TallyRunOptions,
  ): Promise<TallyRun> {
    const { nodes, partitions, flags, entities, callsPerS, carelessFrom, timeoutMs } = scale;
    const size = { nodes, partitions, flags, replicas };
    const cluster = await RealCluster.start({ ...size, functionsFile, root });
    try {
      await cluster.balanced();
      say(`pids ${cluster.nodes.map(({ pid }) => pid).join(", ")}: every node leads its share`);
      const { addresses } = cluster;
      const plan = { entities, callsPerS, carelessFrom, timeoutMs, addresses };
      const generator = await TallyGenerator.start(plan);
      await generator.preload();
      say(`${entities} entities are written`);
      if (callsPerS !== undefined) await generator.begin();
      return new TallyRun(cluster, generator, scale, say);
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  /** Sends a signal that ends or stops the node, with calls to it under way where that is wanted. */
  async disturb(node: NodeProcess, signal: NodeJS.Signals, burst?: Burst): Promise<Begun> {
    const { primaries, counters } = await node.status();
    const led = primaries.map(({ partition }) => partition);
    const at = await this.#signal(node, signal, new Set(led), burst);
    if (signal !== "SIGSTOP") this.#gone.push(counters);
    return { node: node.id, pid: node.pid, signal, at, led };
  }

  /** @returns when it was sent */
  async #signal(
    node: NodeProcess,
    signal: NodeJS.Signals,
    led: ReadonlySet<number>,
    burst: Burst | undefined,
  ): Promise<number> {
    if (burst !== undefined) {
      const { entities: all, carelessFrom = all } = this.#scale;
      const entities = this.#entitiesIn(led, burst.calls, [0, carelessFrom]);
      const careless = this.#entitiesIn(led, burst.careless ?? 0, [carelessFrom, all]);
      const { isProtected } = burst;
      return this.generator.burst({ entities, isProtected, careless, pid: node.pid, signal });
    }
    const at = monotonicMs();
    node.signal(signal);
    return at;
  }

  #entitiesIn(
    partitions: ReadonlySet<number>,
    count: number,
    [from, to]: readonly [number, number],
  ): number[] {
    const found: number[] = [];
    for (let n = from; n < to && found.length < count; n++) {
      const { functionName, key } = tallyEntity(n);
      if (partitions.has(partitionOf(functionName, key, this.cluster.partitions))) found.push(n);
    }
    return found;
  }

  /** The node, or its next process, is running again. */
  isBack(begun: Begun): void {
    this.#disturbances.push({ ...begun, backAt: monotonicMs() });
  }

  /** Milliseconds until no partition is under-replicated, counted from `since`; or `Infinity`. */
  async untilWhole(since: number, timeoutMs: number): Promise<number> {
    try {
      await until("no partition is under-replicated", timeoutMs, () => this.cluster.isWhole());
      return monotonicMs() - since;
    } catch (error) {
      this.#say(String(error));
      return Infinity;
    }
  }

  /** Ends the calls and judges them. */
  async finish(): Promise<TallyEnd> {
    await this.generator.stop();
    this.#say("all calls have ended");
    const isAtRest = await this.cluster.atRest(this.#scale.restTimeoutMs).then(
      () => true,
      (error: unknown) => {
        this.#say(String(error));
        return false;
      },
    );
    const { record } = this.generator;
    const folder = path.dirname(record);
    const [storyFile, copiesFile] = ["story.json", "copies.jsonl"].map((name) =>
      path.join(folder, name),
    ) as [string, string];
    await this.#writeCopies(copiesFile);
    const { addresses, partitions } = this.cluster;
    const disturbances = this.#disturbances;
    const { entities } = this.#scale;
    const story: TallyStory = { addresses, partitions, entities, disturbances };
    await writeFile(storyFile, JSON.stringify(story));
    const last = await this.cluster.statuses();
    this.#say("judging in another process");
    const records = [record, storyFile, copiesFile];
    const judgement = await runJudge<TallyJudgement>("tallies", [storyFile, record, copiesFile]);
    const counters = sumOf([...this.#gone, ...last.map((status) => status.counters)]);
    return { judgement, counters, isAtRest, disturbances, records };
  }

  async #writeCopies(file: string): Promise<void> {
    const stream = createWriteStream(file);
    const wanted = Array.from({ length: this.#scale.entities }, (_, n) => tallyEntity(n));
    for await (const [{ functionName, key }, copies] of this.cluster.ownersCopies(wanted)) {
      const held = [...copies.values()];
      const digests = new Set(held.map((copy) => copy?.digest));
      const hashes = new Set(held.map((copy) => copy?.contentHash));
      const totals: OwnersTotals["totals"] = Object.fromEntries(
        [...copies].map(([node, copy]) => [node, copy === undefined ? null : totalOf(copy.plain)]),
      );
      const areEqual = digests.size <= 1 && hashes.size <= 1;
      const line: OwnersTotals = { functionName, key, totals, areEqual };
      if (!stream.write(`${JSON.stringify(line)}\n`)) await once(stream, "drain");
    }
    stream.end();
    await once(stream, "finish");
  }

  /** Ends all processes at once. */
  async close(): Promise<void> {
    this.generator.kill();
    await this.cluster.close();
  }
}

function totalOf(plain: unknown): number {
  return (plain as { readonly total?: number }).total ?? 0;
}

function sumOf(all: readonly NodeCounters[]): NodeCounters {
  const sum: Record<string, number> = {};
  for (const one of all) {
    for (const [name, count] of Object.entries(one) as [string, number][]) {
      sum[name] = (sum[name] ?? 0) + count;
    }
  }
  return sum as unknown as NodeCounters;
}
