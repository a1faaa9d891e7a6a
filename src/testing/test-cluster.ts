/**
 * A cluster for tests of users' functions: real nodes and a real client in one process, in virtual
 * time, repeatable by seed. While a test awaits something of the cluster, its time runs as fast as
 * the machine can; while it does not, nothing happens at all.
 */
import type { Client } from "../client/client.ts";
import type { ConnectOptions } from "../client/connect-options.ts";
import { checkKnownNames } from "../definition/known-names.ts";
import type { Functions } from "../definition/function-definition.ts";
import type { HandleOf } from "../definition/handle.ts";
import type { Session, SessionOptions } from "../definition/session.ts";
import { LatticeError } from "../model/error.ts";
import type { FailedSend, FailedSendFilter } from "../node/failed-send.ts";
import type { NodeEvent } from "../node/events/node-event.ts";
import type { NodeStats, StatsOptions } from "../node/stats.ts";
import type { NodeStatus } from "../node/status.ts";
import { isPartitionCount, partitionOf } from "../ring/partition.ts";
import type { VirtualTime } from "../platform/virtual/virtual-time.ts";
import { drivenClient, drivenHandle, drivenIterator } from "./driven-client.ts";
import { SimulatedCluster } from "./simulated-cluster.ts";
import type { SimulatedNetwork } from "./simulated-network.ts";
import { unrest } from "./unrest.ts";

export interface TestClusterOptions<F extends Functions> {
  /** The functions under test, by name. */
  readonly functions: F;
  /** How many nodes to start, 1 … 15; they are called `node-1`, `node-2` … @default 3 */
  readonly nodes?: number;
  /** The number that makes a run repeatable. @default 1 */
  readonly seed?: number;
  /** Copies of every partition, 1 … 7. @default 3 */
  readonly replicas?: number;
  /** A power of two; few make a fast test. @default 32 */
  readonly partitions?: number;
}

/** One node of a test cluster, through all its lives. */
export interface TestNode<F extends Functions> {
  readonly id: string;
  /** Where clients reach it. */
  readonly address: string;
  readonly isRunning: boolean;
  /** A handle that calls from inside this node. */
  get<N extends keyof F & string>(name: N, key: string): HandleOf<F, N>;
  /**
   * Calls from inside this node that are one session.
   * @throws LatticeError as `Node.session` does, and `failed_precondition` while this does not run
   */
  session(options?: SessionOptions): Session<F>;
  /** @throws LatticeError `failed_precondition` while it does not run */
  status(): NodeStatus;
  /**
   * As of a real node, of its present life. Virtual time stands still while a handler runs: `cpuMs`
   * is 0.
   * @throws LatticeError as `Node.stats` does, and `failed_precondition` while it does not run
   */
  stats(options?: StatsOptions): NodeStats;
  /**
   * What happens to the node from this call on; ends with its present life. Virtual time passes while
   * the next event is awaited.
   * @throws LatticeError `failed_precondition` while it does not run
   */
  events(): AsyncIterableIterator<NodeEvent>;
  /**
   * Tells the cluster from here that the process that ran as node `id` will not return.
   * @throws LatticeError as `Node.forget` does, and `failed_precondition` while this does not run
   */
  forget(id: string): void;
  /** As `Node.failedSends`. @throws LatticeError also `failed_precondition` while it does not run */
  failedSends(filter?: FailedSendFilter): readonly FailedSend[];
  /** As `Node.redeliver`. @throws LatticeError also `failed_precondition` while it does not run */
  redeliver(sender: string, id: string): Promise<void>;
  /** As `Node.discardFailed`. @throws LatticeError also `failed_precondition` while it does not run */
  discardFailed(sender: string, id: string): Promise<void>;
}

export interface TestCluster<F extends Functions> extends AsyncDisposable {
  /** A client that knows all nodes that were there at the start. */
  readonly client: Client<F>;
  /** Every node that was ever started, in order. */
  readonly nodes: readonly TestNode<F>[];
  /** The clock of the whole cluster. */
  readonly time: VirtualTime;
  readonly network: SimulatedNetwork;
  /** Another client, for tests with several callers. */
  connect(options?: Partial<Omit<ConnectOptions, "nodes">>): Promise<Client<F>>;
  /** @throws LatticeError `not_found` */
  node(id: string): TestNode<F>;
  /**
   * The node that runs the handlers of this key.
   * @throws LatticeError `failed_precondition` while nobody does
   */
  primaryOf(name: keyof F & string, key: string): string;
  /** The nodes that should hold this key, by the table; the preferred primary first. */
  ownersOf(name: keyof F & string, key: string): readonly string[];
  /** Starts one more node; resolves with its id when it is ready. */
  add(): Promise<string>;
  /** Kills a node at once, as SIGKILL does. */
  crash(node: string): void;
  /** Starts a node that crashed or left again, without its memory; resolves when it is ready. */
  restart(node: string): Promise<void>;
  /** Lets a node leave in order; resolves when it is gone. */
  leave(node: string): Promise<void>;
  /** Stops a node for a while, as SIGSTOP or a long garbage collection does, until `resume`. */
  pause(node: string): void;
  resume(node: string): void;
  /** Cuts all paths between nodes of different groups; clients keep theirs. */
  split(...groups: readonly (readonly string[])[]): void;
  /** Makes the network whole. */
  heal(): void;
  /** Lets this much virtual time pass. */
  advance(ms: number): Promise<void>;
  /**
   * Resolves when the cluster is at rest: all running nodes know each other, every key is held by as
   * many as it should, and no call, outbox, timer that is due or change of owners is under way.
   * @throws LatticeError `failed_precondition` with the reason after two virtual minutes
   */
  settled(): Promise<void>;
  /** Ends everything; the object is of no more use. */
  close(): Promise<void>;
}

const nodesMax = 15;
const startLimitMs = 60_000;
/** A dead node's share is given to others after ten seconds, so this is a long time. */
const settleLimitMs = 120_000;
const optionNames = ["functions", "nodes", "seed", "replicas", "partitions"];

/**
 * Starts a cluster and waits until it is at rest.
 * @throws LatticeError `invalid_argument`
 */
export async function createTestCluster<F extends Functions>(
  options: TestClusterOptions<F>,
): Promise<TestCluster<F>> {
  if (typeof options !== "object" || (options as object | null) === null) {
    const message = "createTestCluster: takes an object: createTestCluster({ functions })";
    throw new LatticeError("invalid_argument", message);
  }
  const { functions, seed = 1, replicas, nodes: count = 3, partitions } = options;
  checkKnownNames("createTestCluster", "option", Object.keys(options), optionNames);
  checkSeed(seed);
  checkCount(count);
  checkPartitions(partitions);
  const cluster = await SimulatedCluster.create({
    functions,
    seed,
    ...(replicas === undefined ? {} : { replicas }),
    ...(partitions === undefined ? {} : { partitionCount: partitions }),
  });
  const ids = Array.from({ length: count }, (_, index) => `node-${String(index + 1)}`);
  for (const id of ids)
    cluster.start(id, { join: ids.slice(0, 1).filter((first) => first !== id) });
  await untilRest(cluster, startLimitMs);
  const client = await cluster.time.settled(cluster.connect<F>(ids));
  return new RunningCluster<F>(cluster, drivenClient(cluster.time, client));
}

class RunningCluster<F extends Functions> implements TestCluster<F> {
  readonly client: Client<F>;
  readonly #cluster: SimulatedCluster;
  #isClosed = false;

  constructor(cluster: SimulatedCluster, client: Client<F>) {
    this.#cluster = cluster;
    this.client = client;
  }

  get time(): VirtualTime {
    return this.#cluster.time;
  }

  get network(): SimulatedNetwork {
    return this.#cluster.network;
  }

  get nodes(): readonly TestNode<F>[] {
    return [...this.#cluster.lives.keys()].map((id) => this.node(id));
  }

  async connect(options: Partial<Omit<ConnectOptions, "nodes">> = {}): Promise<Client<F>> {
    const client = this.#cluster.connect<F>([...this.#cluster.lives.keys()], options);
    return drivenClient(this.time, await this.time.settled(client));
  }

  node(id: string): TestNode<F> {
    const cluster = this.#cluster;
    cluster.life(id);
    return {
      id,
      address: cluster.addressOf(id),
      get isRunning() {
        return cluster.life(id).state === "up";
      },
      get: <N extends keyof F & string>(name: N, key: string) =>
        drivenHandle(cluster.time, runningNode(cluster, id), name, key) as HandleOf<F, N>,
      session: (options) => {
        const session = runningNode(cluster, id).session(options?.token ?? "");
        return {
          get: <N extends keyof F & string>(name: N, key: string) =>
            drivenHandle(cluster.time, session, name, key) as HandleOf<F, N>,
          token: () => session.token(),
        };
      },
      status: () => runningNode(cluster, id).status(),
      stats: (options) => runningNode(cluster, id).stats(options),
      events: () => drivenIterator(cluster.time, runningNode(cluster, id).events()),
      forget: (gone) => {
        runningNode(cluster, id).forget(gone);
      },
      failedSends: (filter = {}) => runningNode(cluster, id).failedSends(filter),
      redeliver: (sender, send) =>
        cluster.time.settled(runningNode(cluster, id).redeliver(sender, send)),
      discardFailed: (sender, send) =>
        cluster.time.settled(runningNode(cluster, id).discardFailed(sender, send)),
    };
  }

  primaryOf(name: keyof F & string, key: string): string {
    const partition = this.#partitionOf(name, key);
    let primary: { readonly id: string; readonly term: number } | undefined;
    for (const node of this.#cluster.running()) {
      const replica = node.parts.partitions.replica(partition);
      const term = replica?.term?.number ?? 0;
      if (replica?.serving !== "primary" || term <= (primary?.term ?? 0)) continue;
      primary = { id: node.identity.id, term };
    }
    if (primary !== undefined) return primary.id;
    throw new LatticeError(
      "failed_precondition",
      `nobody leads ${name}/${key} right now: await cluster.settled() first`,
    );
  }

  ownersOf(name: keyof F & string, key: string): readonly string[] {
    const partition = this.#partitionOf(name, key);
    return this.#cluster.running()[0]?.parts.routes.ownersOf(partition) ?? [];
  }

  async add(): Promise<string> {
    const id = `node-${String(this.#cluster.lives.size + 1)}`;
    await this.#start(id);
    return id;
  }

  crash(node: string): void {
    this.#cluster.crash(node);
  }

  restart(node: string): Promise<void> {
    this.#cluster.life(node);
    return this.#start(node);
  }

  leave(node: string): Promise<void> {
    return this.time.settled(this.#cluster.leave(node));
  }

  pause(node: string): void {
    this.#cluster.pause(node);
  }

  resume(node: string): void {
    this.#cluster.resume(node);
  }

  split(...groups: readonly (readonly string[])[]): void {
    for (const node of groups.flat()) this.#cluster.life(node);
    this.network.split(...groups);
  }

  heal(): void {
    this.network.heal();
  }

  advance(ms: number): Promise<void> {
    return this.time.sleep(ms);
  }

  settled(): Promise<void> {
    return untilRest(this.#cluster, settleLimitMs);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.client.close();
    // Nothing of a simulated node outlives its virtual time: it is enough to stop that.
    for (const id of this.#cluster.lives.keys()) this.#cluster.crash(id);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #start(id: string): Promise<void> {
    // When nobody runs any more there is nothing to join: the grid begins anew, and empty.
    const join = this.#cluster.running().map(({ identity }) => identity.id);
    const life = this.#cluster.start(id, { join });
    const isOver = (): boolean => life.state !== "up" || life.node?.isReady === true;
    await this.time.run({ condition: isOver, untilAt: this.time.now + startLimitMs });
    if (life.problem !== undefined) throw life.problem;
    if (life.node?.isReady === true) return;
    throw new LatticeError("failed_precondition", `${id} has not become ready: can it be reached?`);
  }

  #partitionOf(name: string, key: string): number {
    return partitionOf(name, key, this.#cluster.partitionCount);
  }
}

function runningNode(cluster: SimulatedCluster, id: string) {
  const { node, state } = cluster.life(id);
  if (node !== undefined && state === "up") return node;
  throw new LatticeError("failed_precondition", `${id} does not run: it is ${state}`);
}

async function untilRest(cluster: SimulatedCluster, limitMs: number): Promise<void> {
  const { time } = cluster;
  const untilAt = time.now + limitMs;
  let why = whyNotAtRest(cluster);
  while (why !== undefined && time.now < untilAt) {
    await time.sleep(restPollMs);
    why = whyNotAtRest(cluster);
  }
  if (why === undefined) return;
  throw new LatticeError(
    "failed_precondition",
    `seed ${String(time.seed)}: the cluster is not at rest after ${String(limitMs)} virtual ms: ` +
      `${why}; is the network split, or a node paused?`,
  );
}

/** How often it is looked whether the cluster is at rest. */
const restPollMs = 25;

function whyNotAtRest(cluster: SimulatedCluster): string | undefined {
  const running = cluster.running();
  for (const { state, node, id } of cluster.lives.values()) {
    if (state === "up" && node === undefined) return `${id} starts`;
  }
  // Before anybody has noticed a split, all may look well.
  const ids = running.map(({ identity }) => identity.id);
  for (const a of ids) {
    const b = ids.find((other) => cluster.network.paths.isCut(a, other));
    if (b !== undefined) return `the path from ${a} to ${b} is cut`;
  }
  return unrest(running);
}

function checkCount(count: number): void {
  if (Number.isInteger(count) && count >= 1 && count <= nodesMax) return;
  throw new LatticeError(
    "invalid_argument",
    `createTestCluster: nodes must be an integer from 1 to ${String(nodesMax)}, got ${String(count)}`,
  );
}

function checkSeed(seed: number): void {
  if (Number.isSafeInteger(seed) && seed >= 0) return;
  throw new LatticeError(
    "invalid_argument",
    `createTestCluster: seed must be an integer from 0, got ${String(seed)}`,
  );
}

function checkPartitions(count: number | undefined): void {
  if (count === undefined || isPartitionCount(count)) return;
  throw new LatticeError(
    "invalid_argument",
    `createTestCluster: partitions must be a power of two, got ${String(count)}`,
  );
}
