/**
 * A cluster of real node processes for proofs and for tests with real processes: started one after
 * the other, each joining through the first, ready when every partition has all its copies.
 */
import type { NodeStatus } from "latticework/node";
import type { CopyReport, CopyWanted } from "../../scripts/cluster/copy-report.ts";
import { NodeProcess } from "../../scripts/cluster/node-process.ts";
import { reportsByNode, unequalPartitions } from "../../scripts/cluster/unequal-partitions.ts";
import { until } from "../../scripts/cluster/until.ts";
import { partitionOf } from "../../src/ring/partition.ts";
import { pickPorts } from "./pick-ports.ts";
import { ProxiedNetwork } from "./proxied-network.ts";

export interface RealClusterOptions {
  readonly nodes: number;
  /** Module that exports `functions`. */
  readonly functionsFile: string;
  /** Puts a proxy between every two nodes, so that `network` can be broken. */
  readonly proxied?: boolean;
  /** More options of `npm run node` for all nodes. */
  readonly args?: readonly string[];
  /** A checkout to run instead of this one. */
  readonly root?: string | undefined;
}

const partitionCount = 1_024;
/** A busy machine takes its time to start processes and copy partitions. */
const balancedTimeoutMs = 60_000;
/** The load cap of the ring allows less than its share, but never as little as this part of it. */
const leastShare = 0.6;

export class RealCluster {
  readonly nodes: readonly NodeProcess[];
  readonly #network: ProxiedNetwork | undefined;

  private constructor(nodes: readonly NodeProcess[], network: ProxiedNetwork | undefined) {
    this.nodes = nodes;
    this.#network = network;
  }

  static async start(options: RealClusterOptions): Promise<RealCluster> {
    const ports = await pickPorts(options.nodes);
    const network = options.proxied === true ? await ProxiedNetwork.start(ports) : undefined;
    const nodes: NodeProcess[] = [];
    for (const [index, port] of ports.entries()) {
      const join = nodes[0] === undefined ? [] : ["--join", nodes[0].address];
      const args = [
        ...["--port", String(port), "--functions", options.functionsFile],
        ...join,
        ...(network?.nodeArgs(index) ?? []),
        ...(options.args ?? []),
      ];
      nodes.push(await NodeProcess.start(args, options.root));
    }
    return new RealCluster(nodes, network);
  }

  /** Only of a cluster that was started `proxied`. */
  get network(): ProxiedNetwork {
    if (this.#network === undefined) throw new Error("this cluster was started without proxies");
    return this.#network;
  }

  get addresses(): readonly string[] {
    return this.nodes.map((node) => node.address);
  }

  node(id: string): NodeProcess {
    const found = this.nodes.find((node) => node.id === id);
    if (found === undefined) throw new Error(`no node of this cluster is ${id}`);
    return found;
  }

  statuses(): Promise<NodeStatus[]> {
    return Promise.all(this.nodes.map((node) => node.status()));
  }

  /** Every partition is led once and has all its copies, and every node leads its share. */
  async balanced(): Promise<void> {
    const share = Math.floor((partitionCount / this.nodes.length) * leastShare);
    await until("every partition has its copies", balancedTimeoutMs, async () => {
      const all = await this.statuses();
      const led = all.reduce((sum, { primaries }) => sum + primaries.length, 0);
      return (
        led === partitionCount &&
        all.every((status) => isWhole(status) && status.primaries.length >= share)
      );
    });
  }

  /** `count` keys of a function that this node leads now, such as `key-17`. */
  async keysLedBy(node: NodeProcess, functionName: string, count: number): Promise<string[]> {
    const led = new Set((await node.status()).primaries.map(({ partition }) => partition));
    const keys: string[] = [];
    for (let n = 0; keys.length < count; n++) {
      const key = `key-${String(n)}`;
      if (led.has(partitionOf(functionName, key, partitionCount))) keys.push(key);
    }
    return keys;
  }

  /** Partitions of which the copy of an owner differs from its primary's. */
  unequalPartitions(): Promise<number[]> {
    return unequalPartitions(this.nodes);
  }

  /** What each owner of each entity holds itself: one map per entity, by node id. */
  async ownersCopies(
    of: readonly CopyWanted[],
  ): Promise<ReadonlyMap<string, CopyReport | undefined>[]> {
    const owners = await this.ownersOf(of);
    const held = new Map<string, readonly (CopyReport | undefined)[]>();
    for (const node of this.nodes) held.set(node.id, await node.copies(of));
    return owners.map(
      (ids, index) => new Map(ids.map((id) => [id, held.get(id)?.[index]] as const)),
    );
  }

  /** Node ids of the owner set of each entity, as its primary tells. */
  async ownersOf(of: readonly CopyWanted[]): Promise<(readonly string[])[]> {
    const owners = new Map<number, readonly string[]>();
    for (const own of (await reportsByNode(this.nodes)).values()) {
      for (const led of own.values()) {
        if (led.serving === "primary") owners.set(led.partition, led.owners);
      }
    }
    return of.map(
      ({ functionName, key }) => owners.get(partitionOf(functionName, key, partitionCount)) ?? [],
    );
  }

  /** Ends all processes and proxies at once. */
  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()));
    await this.#network?.close();
  }
}

function isWhole(status: NodeStatus): boolean {
  return (
    status.underReplicated.length === 0 &&
    status.degraded.length === 0 &&
    status.forkedCommits === 0
  );
}
