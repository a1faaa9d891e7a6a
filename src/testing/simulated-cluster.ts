/**
 * A whole cluster in one process on virtual time: the code of real nodes and clients over a
 * simulated network, with a platform of its own for every process. `createTestCluster` is its
 * friendly form for users; the simulator draws faults and calls from a seed on top of it.
 */
import { connectWith, type Client } from "../client/client.ts";
import type { ConnectOptions } from "../client/connect-options.ts";
import type { Functions } from "../definition/function-definition.ts";
import type { MembershipSettings } from "../membership/settings.ts";
import { LatticeError } from "../model/error.ts";
import type { NodeId } from "../model/ids.ts";
import { beginNode } from "../node/launch.ts";
import type { Buggify } from "../node/buggify.ts";
import type { LatticeNode } from "../node/lattice-node.ts";
import { checkNodeOptions, type NodeSettings } from "../node/options.ts";
import type { Logger } from "../platform/platform.ts";
import { silentLogger } from "../platform/silent-logger.ts";
import type { VirtualNode } from "../platform/virtual/virtual-node.ts";
import { VirtualTime } from "../platform/virtual/virtual-time.ts";
import { loadYjs } from "../state/yjs.ts";
import type { LinkModel } from "../transport/memory-pipe.ts";
import { InProcessCompute } from "./in-process-compute.ts";
import { SimulatedNetwork } from "./simulated-network.ts";

export interface SimulatedClusterOptions {
  readonly functions: Functions;
  readonly seed: number;
  /** A power of two. @default 32 */
  readonly partitionCount?: number;
  readonly replicas?: number;
  /** A logger for one life of a node. @default silent */
  readonly logger?: (node: NodeId) => Logger;
  /** @default true */
  readonly verifyFrames?: boolean;
  /** The usual delay between any two hosts. @default a local network */
  readonly link?: LinkModel;
  readonly buggify?: Buggify;
  /** @default as of real nodes */
  readonly membership?: Partial<MembershipSettings> | undefined;
}

/** How a node finds the others. */
export interface StartOptions {
  /** Nodes to join through; none: it creates a cluster. */
  readonly join: readonly NodeId[];
  /**
   * When given, a cluster is created if so many nodes see each other and none has one. Otherwise a
   * joining node waits for the others for ever: it never starts empty beside a cluster.
   */
  readonly createWith?: number;
}

/** `fatal`: it stopped by itself, `problem` says why. */
export type LifeState = "up" | "paused" | "crashed" | "left" | "fatal";

/** One life of a node: a process. */
export interface Life {
  readonly id: NodeId;
  /** Virtual time. */
  readonly startedAt: number;
  readonly platform: VirtualNode;
  /** `undefined` until its port is bound. */
  node: LatticeNode | undefined;
  state: LifeState;
  problem: LatticeError | undefined;
}

const port = 7400;
const partitionCountDefault = 32;
/** Longer than any run. */
const foreverMs = 365 * 24 * 3_600_000;

export class SimulatedCluster {
  readonly time: VirtualTime;
  readonly network: SimulatedNetwork;
  readonly #options: SimulatedClusterOptions;
  readonly #compute: InProcessCompute;
  /** The newest life of every node that ever was. */
  readonly #lives = new Map<NodeId, Life>();
  /** Every life, for what is counted over all of them. */
  readonly allLives: Life[] = [];
  #clientCount = 0;

  private constructor(options: SimulatedClusterOptions) {
    this.#options = options;
    this.time = new VirtualTime({ seed: options.seed });
    this.#compute = new InProcessCompute(this.time);
    const { verifyFrames = true, link } = options;
    this.network = new SimulatedNetwork(this.time, {
      verifyFrames,
      ...(link === undefined ? {} : { link }),
    });
  }

  /** An empty cluster; what it needs of the real world is loaded before its time begins. */
  static async create(options: SimulatedClusterOptions): Promise<SimulatedCluster> {
    const shapes = Object.values(options.functions).map(({ state }) => Object.values(state));
    if (shapes.flat().some(({ kind }) => kind === "text")) await loadYjs();
    return new SimulatedCluster(options);
  }

  get partitionCount(): number {
    return this.#options.partitionCount ?? partitionCountDefault;
  }

  /** The newest life of each node, by node id. */
  get lives(): ReadonlyMap<NodeId, Life> {
    return this.#lives;
  }

  /** Nodes that run now. */
  running(): LatticeNode[] {
    const nodes: LatticeNode[] = [];
    for (const { state, node } of this.#lives.values()) {
      if (state === "up" && node !== undefined) nodes.push(node);
    }
    return nodes;
  }

  /** @throws LatticeError `not_found` */
  life(id: NodeId): Life {
    const life = this.#lives.get(id);
    if (life !== undefined) return life;
    const known = [...this.#lives.keys()].join(", ");
    throw new LatticeError("not_found", `there is no node ${id}: there are ${known}`);
  }

  addressOf(id: NodeId): string {
    return `ws://${id}:${String(port)}`;
  }

  /**
   * Starts a node, or another life of one that crashed or left.
   * @throws LatticeError `failed_precondition` while it runs
   */
  start(id: NodeId, options: StartOptions): Life {
    const known = this.#lives.get(id)?.state;
    if (known === "up" || known === "paused") {
      throw new LatticeError("failed_precondition", `${id} runs: crash it before it restarts`);
    }
    const platform = this.time.node(id, this.#options.logger?.(id) ?? silentLogger);
    const startedAt = this.time.now;
    const life: Life = {
      ...{ id, startedAt, platform, node: undefined },
      ...{ state: "up", problem: undefined },
    };
    // One that went in order has left its host behind.
    if (known !== undefined) this.network.paths.crash(id);
    const transport = this.network.transportFor(id, platform.input);
    this.#lives.set(id, life);
    this.allLives.push(life);
    const world = { platform, transport, compute: this.#compute };
    void beginNode(this.#settings(id, options), world).then((begun) => {
      const { node, failed } = begun;
      life.node = node;
      void failed.then((error) => {
        if (life.state !== "up") return;
        life.state = "fatal";
        life.problem = error;
        return node.stop();
      });
    });
    return life;
  }

  /** The process dies at once (SIGKILL); its peers are told by their systems. */
  crash(id: NodeId): void {
    const life = this.life(id);
    if (life.state !== "up" && life.state !== "paused") return;
    life.state = "crashed";
    this.network.paths.crash(id);
    life.platform.stop();
    life.node?.endEvents();
  }

  /** The machine dies at once: nobody is told. */
  powerOff(id: NodeId): void {
    const life = this.life(id);
    if (life.state !== "up" && life.state !== "paused") return;
    life.state = "crashed";
    this.network.paths.powerOff(id);
    life.platform.stop();
    life.node?.endEvents();
  }

  /** SIGSTOP. */
  pause(id: NodeId): void {
    const life = this.life(id);
    if (life.state !== "up") return;
    life.state = "paused";
    life.platform.pause();
  }

  /** SIGCONT: overdue timers fire before anything is read. */
  resume(id: NodeId): void {
    const life = this.life(id);
    if (life.state !== "paused") return;
    life.state = "up";
    life.platform.resume();
  }

  /** Leaves in order; resolves when the node is gone. */
  async leave(id: NodeId): Promise<void> {
    const life = this.life(id);
    if (life.node === undefined || life.state !== "up") return;
    await life.node.leave();
    noteLeft(life);
  }

  /** A client on a host of its own. */
  connect<F>(nodes: readonly NodeId[], options: Partial<ConnectOptions> = {}): Promise<Client<F>> {
    const name = `client-${String(++this.#clientCount)}`;
    const platform = this.time.node(name);
    const transport = this.network.transportFor(name, platform.input);
    const addresses = nodes.map((id) => this.addressOf(id));
    return connectWith<F>({ ...options, nodes: addresses }, { platform, transport });
  }

  #settings(id: NodeId, { join, createWith }: StartOptions): NodeSettings {
    const { functions, replicas, buggify, membership } = this.#options;
    const checked = checkNodeOptions({
      functions,
      cluster: "simulated",
      nodeId: id,
      listen: { host: id, port },
      join: join.map((other) => this.addressOf(other)),
      // Its logs are silent, and its callers are tests.
      exposeErrors: true,
      ...(replicas === undefined ? {} : { replicas }),
      ...(createWith === undefined ? {} : { minNodes: createWith }),
    });
    const { partitionCount } = this;
    const waits = join.length > 0 && createWith === undefined;
    return {
      ...checked,
      partitionCount,
      buggify,
      membership,
      ...(waits ? { joinWaitMs: foreverMs } : {}),
    };
  }
}

/** It may have been killed while it left. */
function noteLeft(life: Life): void {
  if (life.state === "up") life.state = "left";
}
