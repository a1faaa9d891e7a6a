/**
 * A cluster of real node processes, for proofs and for tests with real processes. A node may end and
 * be started again in its place: the same port and so the same node id, another process that holds
 * nothing. Between every two nodes there may be a proxy, so that the network can be broken.
 */
import type { NodeStatus } from "latticework/node";
import type { CopyReport, CopyWanted } from "../../scripts/cluster/copy-report.ts";
import { NodeProcess } from "../../scripts/cluster/node-process.ts";
import { reportsByNode, unequalPartitions } from "../../scripts/cluster/unequal-partitions.ts";
import { until } from "../../scripts/cluster/until.ts";
import { defaultPartitionCount, partitionOf } from "../../src/ring/partition.ts";
import { pickPorts } from "./pick-ports.ts";
import { ProxiedNetwork } from "./proxied-network.ts";

export interface RealClusterOptions {
  readonly nodes: number;
  /** Module that exports `functions`; relative to the checkout that is run. */
  readonly functionsFile: string;
  /** Copies of every partition. @default 3 */
  readonly replicas?: number | undefined;
  /** Partitions of the cluster, a power of two. @default 1024 */
  readonly partitions?: number | undefined;
  /** Of Node.js, for the processes. */
  readonly flags?: readonly string[] | undefined;
  /** Puts a proxy between every two nodes, so that `network` can be broken. */
  readonly proxied?: boolean;
  /** A checkout to run instead of this one. */
  readonly root?: string | undefined;
}

/**
 * For smokes: so many partitions are in place with a fifth of the work, and each node leads enough of
 * them that it has something to lose. Processes that live for seconds end before optimized code has
 * paid for itself.
 */
export const smokeCluster = { partitions: 128, flags: ["--no-opt"] } as const;

/** A busy machine takes its time to start processes and copy partitions. */
const balancedTimeoutMs = 60_000;
/** The load cap of the ring allows less than its share, but never as little as this part of it. */
const leastShare = 0.6;
/** Entities asked of a node in one message: it answers nothing else meanwhile. */
const copiesPerQuestion = 2_000;

export class RealCluster {
  readonly #options: RealClusterOptions;
  readonly #ports: readonly number[];
  readonly #network: ProxiedNetwork | undefined;
  readonly #nodes: NodeProcess[] = [];

  private constructor(
    options: RealClusterOptions,
    ports: readonly number[],
    network: ProxiedNetwork | undefined,
  ) {
    this.#options = options;
    this.#ports = ports;
    this.#network = network;
  }

  /** Resolves when all run, not yet balanced. */
  static async start(options: RealClusterOptions): Promise<RealCluster> {
    const ports = await pickPorts(options.nodes);
    const network = options.proxied === true ? await ProxiedNetwork.start(ports) : undefined;
    const cluster = new RealCluster(options, ports, network);
    try {
      const [first, ...others] = ports.keys();
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

  /** Only of a cluster that was started `proxied`. */
  get network(): ProxiedNetwork {
    if (this.#network === undefined) throw new Error("this cluster was started without proxies");
    return this.#network;
  }

  get addresses(): readonly string[] {
    return this.#nodes.map(({ address }) => address);
  }

  node(id: string): NodeProcess {
    const found = this.#nodes.find((node) => node.id === id);
    if (found === undefined) throw new Error(`no node of this cluster is ${id}`);
    return found;
  }

  /** Starts the node with this index, which must not run; it joins through those that do. */
  async restart(index: number): Promise<NodeProcess> {
    const { functionsFile, root, flags } = this.#options;
    // Those that have not started yet are holes, which `filter` leaves out.
    const others = this.#nodes.filter((_, other) => other !== index);
    const node = await NodeProcess.start(
      [
        ...["--port", String(this.#ports[index]), "--functions", functionsFile],
        ...["--replicas", String(this.#replicas), "--partitions", String(this.partitions)],
        // What is killed here on purpose is to be filled again at once, and killed again.
        "--no-rest",
        ...others.flatMap(({ address }) => ["--join", address]),
        ...(this.#network?.nodeArgs(index) ?? []),
      ],
      { root, flags },
    );
    this.#nodes[index] = node;
    return node;
  }

  statuses(): Promise<NodeStatus[]> {
    return Promise.all(this.#nodes.map((node) => node.status()));
  }

  get partitions(): number {
    return this.#options.partitions ?? defaultPartitionCount;
  }

  get #replicas(): number {
    return this.#options.replicas ?? 3;
  }

  /** It is whole, and every node leads its share. */
  async balanced(): Promise<void> {
    const share = Math.floor((this.partitions / this.#nodes.length) * leastShare);
    await until("every node leads its share", balancedTimeoutMs, async () => {
      const all = await this.statuses();
      return this.#areWhole(all) && all.every(({ primaries }) => primaries.length >= share);
    });
  }

  /** Every partition is led once and has all its copies, and nobody is away. */
  async isWhole(): Promise<boolean> {
    return this.#areWhole(await this.statuses());
  }

  /** Every partition is led once, nothing is degraded, and all owners of everything hold the same. */
  async isEqual(): Promise<boolean> {
    return (
      this.#isLedOnce(await this.statuses()) && (await unequalPartitions(this.#nodes)).length === 0
    );
  }

  /** It is whole and equal; rejects when it is not in time. */
  async atRest(timeoutMs: number): Promise<void> {
    await until("all owners hold the same", timeoutMs, async () => {
      return (await this.isWhole()) && (await unequalPartitions(this.#nodes)).length === 0;
    });
  }

  /** `count` keys of a function that this node leads now, such as `key-17`. */
  async keysLedBy(node: NodeProcess, functionName: string, count: number): Promise<string[]> {
    const led = new Set((await node.status()).primaries.map(({ partition }) => partition));
    const keys: string[] = [];
    for (let n = 0; keys.length < count; n++) {
      const key = `key-${String(n)}`;
      if (led.has(partitionOf(functionName, key, this.partitions))) keys.push(key);
    }
    return keys;
  }

  /**
   * What each owner of each of these entities holds itself, by node id, as told by whoever leads it:
   * `undefined` for an owner without a copy, an empty map where nobody leads.
   */
  async *ownersCopies<T extends CopyWanted>(
    of: readonly T[],
  ): AsyncGenerator<readonly [T, ReadonlyMap<string, CopyReport | undefined>]> {
    const owners = await this.#ownersByPartition();
    for (let from = 0; from < of.length; from += copiesPerQuestion) {
      const some = of.slice(from, from + copiesPerQuestion);
      const held = new Map<string, readonly (CopyReport | undefined)[]>();
      for (const node of this.#nodes) held.set(node.id, await node.copies(some));
      for (const [index, wanted] of some.entries()) {
        const ids = owners.get(this.#partitionFor(wanted)) ?? [];
        yield [wanted, new Map(ids.map((id) => [id, held.get(id)?.[index]] as const))];
      }
    }
  }

  /** Node ids of the owner set of each entity, as its primary tells. */
  async ownersOf(of: readonly CopyWanted[]): Promise<(readonly string[])[]> {
    const owners = await this.#ownersByPartition();
    return of.map((wanted) => owners.get(this.#partitionFor(wanted)) ?? []);
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

  #partitionFor({ functionName, key }: CopyWanted): number {
    return partitionOf(functionName, key, this.partitions);
  }

  /**
   * A node that has just joined is in nobody's placement yet, and misses nothing by that: until it has
   * its share of the copies the cluster is not whole.
   */
  #areWhole(all: readonly NodeStatus[]): boolean {
    const share =
      ((this.partitions * Math.min(this.#replicas, all.length)) / all.length) * leastShare;
    return (
      this.#isLedOnce(all) &&
      all.every((status) => status.copies >= share && seesAllWhole(status, all.length))
    );
  }

  #isLedOnce(all: readonly NodeStatus[]): boolean {
    const led = all.reduce((sum, { primaries }) => sum + primaries.length, 0);
    return (
      led === this.partitions &&
      all.every(({ degraded, forkedCommits }) => degraded.length === 0 && forkedCommits === 0)
    );
  }

  /** Ends all processes and proxies at once. */
  async close(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.kill()));
    await this.#network?.close();
  }
}

function seesAllWhole({ members, underReplicated }: NodeStatus, nodes: number): boolean {
  const here = members.filter(({ status, leaving }) => status === "alive" && !leaving);
  return here.length === nodes && underReplicated.length === 0;
}
