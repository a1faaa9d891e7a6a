/**
 * Real node processes that may end and be started again in their place: the same port and so the
 * same node id, another process that holds nothing.
 */
import type { NodeStatus } from "latticework/node";
import type { CopyReport, CopyWanted } from "../../scripts/cluster/copy-report.ts";
import { NodeProcess } from "../../scripts/cluster/node-process.ts";
import { reportsByNode, unequalPartitions } from "../../scripts/cluster/unequal-partitions.ts";
import { until } from "../../scripts/cluster/until.ts";
import { partitionOf } from "../../src/ring/partition.ts";
import { pickPorts } from "./pick-ports.ts";

export interface RestartableOptions {
  readonly nodes: number;
  /** Module that exports `functions`; relative to the checkout that is run. */
  readonly functionsFile: string;
  /** Copies of every partition. @default 3 */
  readonly replicas?: number | undefined;
  /** A checkout to run instead of this one. */
  readonly root?: string | undefined;
}

const partitionCount = 1_024;
const balancedTimeoutMs = 60_000;
/** The load cap of the ring allows less than its share, but never as little as this part of it. */
const leastShare = 0.6;
/** Entities asked of a node in one message: it answers nothing else meanwhile. */
const copiesPerQuestion = 2_000;

export class RestartableCluster {
  readonly #options: RestartableOptions;
  readonly #ports: readonly number[];
  readonly #nodes: NodeProcess[] = [];

  private constructor(options: RestartableOptions, ports: readonly number[]) {
    this.#options = options;
    this.#ports = ports;
  }

  /** Resolves when all run, not yet balanced. */
  static async start(options: RestartableOptions): Promise<RestartableCluster> {
    const cluster = new RestartableCluster(options, await pickPorts(options.nodes));
    try {
      const [first, ...others] = cluster.#ports.keys();
      if (first !== undefined) await cluster.restart(first);
      await Promise.all(others.map((index) => cluster.restart(index)));
    } catch (error) {
      await cluster.close();
      throw error;
    }
    return cluster;
  }

  get nodes(): readonly NodeProcess[] {
    return this.#nodes;
  }

  get addresses(): readonly string[] {
    return this.#nodes.map(({ address }) => address);
  }

  /** Starts the node with this index, which must not run; it joins through those that do. */
  async restart(index: number): Promise<NodeProcess> {
    const { functionsFile, root } = this.#options;
    // Those that have not started yet are holes, which `filter` leaves out.
    const others = this.#nodes.filter((_, other) => other !== index);
    const node = await NodeProcess.start(
      [
        ...["--port", String(this.#ports[index]), "--functions", functionsFile],
        ...["--replicas", String(this.#replicas)],
        ...others.flatMap(({ address }) => ["--join", address]),
      ],
      root,
    );
    this.#nodes[index] = node;
    return node;
  }

  statuses(): Promise<NodeStatus[]> {
    return Promise.all(this.#nodes.map((node) => node.status()));
  }

  get #replicas(): number {
    return this.#options.replicas ?? 3;
  }

  /** It is whole, and every node leads its share. */
  async balanced(): Promise<void> {
    const share = Math.floor((partitionCount / this.#nodes.length) * leastShare);
    await until("every node leads its share", balancedTimeoutMs, async () => {
      const all = await this.statuses();
      return (
        areWhole(all, this.#replicas) && all.every(({ primaries }) => primaries.length >= share)
      );
    });
  }

  /** Every partition is led once and has all its copies, and nobody is away. */
  async isWhole(): Promise<boolean> {
    return areWhole(await this.statuses(), this.#replicas);
  }

  /** All owners of everything hold the same; rejects when they do not in time. */
  async atRest(timeoutMs: number): Promise<void> {
    await until("all owners hold the same", timeoutMs, async () => {
      return (await this.isWhole()) && (await unequalPartitions(this.#nodes)).length === 0;
    });
  }

  /**
   * What each owner of each of these entities holds itself, by node id, as told by whoever leads it:
   * `undefined` for an owner without a copy, an empty map where nobody leads.
   */
  async *ownersCopies(
    of: readonly CopyWanted[],
  ): AsyncGenerator<readonly [CopyWanted, ReadonlyMap<string, CopyReport | undefined>]> {
    const owners = await this.#ownersByPartition();
    for (let from = 0; from < of.length; from += copiesPerQuestion) {
      const some = of.slice(from, from + copiesPerQuestion);
      const held = new Map<string, readonly (CopyReport | undefined)[]>();
      for (const node of this.#nodes) held.set(node.id, await node.copies(some));
      for (const [index, wanted] of some.entries()) {
        const partition = partitionOf(wanted.functionName, wanted.key, partitionCount);
        const ids = owners.get(partition) ?? [];
        yield [wanted, new Map(ids.map((id) => [id, held.get(id)?.[index]] as const))];
      }
    }
  }

  async #ownersByPartition(): Promise<ReadonlyMap<number, readonly string[]>> {
    const owners = new Map<number, readonly string[]>();
    for (const own of (await reportsByNode(this.#nodes)).values()) {
      for (const led of own.values()) {
        if (led.serving === "primary") owners.set(led.partition, led.owners);
      }
    }
    return owners;
  }

  /** Ends all processes at once. */
  async close(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.kill()));
  }
}

/**
 * @param replicas of every partition. A node that has just joined is in nobody's placement yet, and
 *   misses nothing by that: until it has its share of the copies the cluster is not whole.
 */
function areWhole(all: readonly NodeStatus[], replicas: number): boolean {
  const led = all.reduce((sum, { primaries }) => sum + primaries.length, 0);
  const share = ((partitionCount * Math.min(replicas, all.length)) / all.length) * leastShare;
  return (
    led === partitionCount &&
    all.every((status) => status.copies >= share && seesAllWhole(status, all.length))
  );
}

function seesAllWhole(status: NodeStatus, nodes: number): boolean {
  const { members, underReplicated, degraded, forkedCommits } = status;
  const here = members.filter(({ status, leaving }) => status === "alive" && !leaving);
  return (
    here.length === nodes &&
    underReplicated.length === 0 &&
    degraded.length === 0 &&
    forkedCommits === 0
  );
}
