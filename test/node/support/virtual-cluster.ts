/** Real nodes and clients over the network in memory, on virtual time. */
import { connectWith, type Client } from "../../../src/client/client.ts";
import type { ConnectOptions } from "../../../src/client/connect-options.ts";
import type { LatticeError } from "../../../src/model/error.ts";
import type { LatticeNode } from "../../../src/node/lattice-node.ts";
import { beginNode } from "../../../src/node/launch.ts";
import { checkNodeOptions, type NodeSettings } from "../../../src/node/options.ts";
import type { Logger, LogLevel } from "../../../src/platform/platform.ts";
import type { VirtualNode } from "../../../src/platform/virtual/virtual-node.ts";
import { VirtualTime } from "../../../src/platform/virtual/virtual-time.ts";
import { InProcessCompute } from "../../../src/testing/in-process-compute.ts";
import { MemoryNetwork } from "../../../src/transport/memory-network.ts";
import { functions, type TestFunctions } from "./functions.ts";

const port = 7400;

export interface LogLine {
  readonly at: number;
  readonly node: string;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface RunningNode {
  readonly host: string;
  readonly node: LatticeNode;
  readonly platform: VirtualNode;
  /** Why the node could not live on, once it could not. */
  failed: LatticeError | undefined;
}

export class VirtualCluster {
  readonly time: VirtualTime;
  readonly network: MemoryNetwork;
  readonly compute: InProcessCompute;
  readonly nodes = new Map<string, RunningNode>();
  readonly log: LogLine[] = [];

  constructor(seed = 1) {
    this.time = new VirtualTime({ seed });
    this.compute = new InProcessCompute(this.time);
    this.network = new MemoryNetwork({
      clock: this.time.clock,
      timers: this.time.timers,
      random: this.time.random,
    });
  }

  /** The address of the node on a host. */
  address(host: string): string {
    return `ws://${host}:${String(port)}`;
  }

  /** Starts a node on a host of this name and returns at once. */
  async begin(
    host: string,
    changes: Partial<NodeSettings> = {},
    wallClockByMs = 0,
  ): Promise<RunningNode> {
    const platform = this.time.node(host, this.#logger(host));
    platform.jumpWallClock(wallClockByMs);
    const transport = this.network.transportFor(host, platform.input);
    const settings: NodeSettings = {
      ...checkNodeOptions({ functions, listen: { port } }),
      host,
      nodeId: host,
      partitionCount: 64,
      ...changes,
    };
    const world = { platform, transport, compute: this.compute };
    const { node, failed } = await this.time.settled(beginNode(settings, world));
    const running: RunningNode = { host, node, platform, failed: undefined };
    void failed.then((error) => {
      running.failed = error;
      return node.stop();
    });
    this.nodes.set(host, running);
    return running;
  }

  /** Starts a node that joins through the first one, and waits until it is ready. */
  async start(host: string, changes: Partial<NodeSettings> = {}): Promise<RunningNode> {
    const [first] = this.nodes.keys();
    const join = first === undefined ? [] : [this.address(first)];
    const running = await this.begin(host, { join, ...changes });
    await this.time.settled(running.node.whenReady(), 60_000);
    return running;
  }

  /** Starts nodes one after the other and waits until every partition is where it belongs. */
  async form(hosts: readonly string[], changes: Partial<NodeSettings> = {}): Promise<void> {
    for (const host of hosts) await this.start(host, changes);
    await this.until("the cluster is whole", () => this.isWhole && this.isHome, 60_000);
  }

  /** The processes are gone from now on: peers see their connections break. */
  crash(host: string): void {
    this.network.crash(host);
    this.nodes.get(host)?.platform.stop();
    this.nodes.delete(host);
  }

  /** All nodes compute the same table, and every partition is led once and has its owners. */
  get isWhole(): boolean {
    const nodes = [...this.nodes.values()].map(({ node }) => node);
    const led: number[] = [];
    for (const { parts } of nodes) {
      const { routes, settings, partitions } = parts;
      const tableNodes = routes.placement?.members.length ?? 0;
      if (tableNodes !== nodes.length) return false;
      const wanted = Math.min(settings.replicas, nodes.length);
      for (const [partition, replica] of partitions.held()) {
        if (replica.serving === "degraded") return false;
        if (replica.serving !== "primary") continue;
        led.push(partition);
        if (!replica.isReplicated(wanted)) return false;
        if (replica.owners?.processes.length !== wanted) return false;
      }
    }
    const count = this.#someNode().node.parts.settings.partitionCount;
    return led.length === count && new Set(led).size === count;
  }

  /** Every partition is led by the first owner of the table. */
  get isHome(): boolean {
    for (const [host, { node }] of this.nodes) {
      const { routes } = node.parts;
      const { primaries } = node.status();
      if (primaries.some(({ partition }) => routes.ownersOf(partition)[0] !== host)) return false;
    }
    return true;
  }

  async client(
    host: string,
    to: readonly string[],
    options: Partial<ConnectOptions> = {},
  ): Promise<Client<TestFunctions>> {
    const platform = this.time.node(host, this.#logger(host));
    const transport = this.network.transportFor(host, platform.input);
    const nodes = to.map((node) => this.address(node));
    return this.time.settled(
      connectWith<TestFunctions>({ nodes, ...options }, { platform, transport }),
    );
  }

  /** Runs until `holds`, at most `limitMs`; says what did not come true. Returns how long it took. */
  async until(what: string, holds: () => boolean, limitMs = 30_000): Promise<number> {
    const from = this.time.now;
    const outcome = await this.time.run({ untilAt: from + limitMs, condition: holds });
    if (outcome === "condition") return this.time.now - from;
    throw new Error(`not within ${String(limitMs)} virtual ms: ${what}`);
  }

  settled<T>(promise: Promise<T>): Promise<T> {
    return this.time.settled(promise, 120_000);
  }

  sleep(ms: number): Promise<void> {
    return this.time.sleep(ms);
  }

  /** A key of `ledger` whose partition this host leads. */
  keyLedBy(host: string, but: readonly string[] = []): string {
    const { parts } = this.node(host);
    for (let i = 0; i < 10_000; i++) {
      const key = `key-${String(i)}`;
      if (but.includes(key)) continue;
      if (parts.partitions.isPrimary(parts.partitions.partitionOf(`ledger/${key}`))) return key;
    }
    throw new Error(`${host} leads none of 10,000 keys`);
  }

  node(host: string): LatticeNode {
    const running = this.nodes.get(host);
    if (running === undefined) throw new Error(`no node on ${host}`);
    return running.node;
  }

  lines(level: LogLevel, host?: string): readonly LogLine[] {
    return this.log.filter(
      (line) => line.level === level && (host === undefined || line.node === host),
    );
  }

  /** Stops everything that still runs. */
  async end(): Promise<void> {
    for (const { node } of this.nodes.values()) await this.settled(node.stop());
  }

  #someNode(): RunningNode {
    for (const running of this.nodes.values()) return running;
    throw new Error("no node runs");
  }

  #logger(node: string, bound: LogLine["fields"] = {}): Logger {
    const write =
      (level: LogLevel) =>
      (message: string, fields: LogLine["fields"] = {}): void => {
        this.log.push({ at: this.time.now, node, level, message, fields: { ...bound, ...fields } });
      };
    return {
      level: "debug",
      debug: write("debug"),
      info: write("info"),
      warn: write("warn"),
      error: write("error"),
      child: (fields) => this.#logger(node, { ...bound, ...fields }),
    };
  }
}
