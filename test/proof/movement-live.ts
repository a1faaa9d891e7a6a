/**
 * A cluster of real nodes on virtual time, with data and calls: one joins, one leaves, and one is
 * killed and started again, empty, within the time in which its place is kept for it. Now and then,
 * and whenever its owners change, it is looked how many owners of a partition run and hold everything
 * that was acknowledged before. Copies of processes that are no owners do not count: nobody may rely
 * on them.
 */
import { nodeOf, type EntityName, type PartitionId } from "../../src/model/ids.ts";
import { compareTerms } from "../../src/model/term.ts";
import type { Replica } from "../../src/replication/replica.ts";
import type { Entity } from "../../src/state/entity.ts";
import { SimulatedCluster } from "../../src/testing/simulated-cluster.ts";
import { unrest } from "../../src/testing/unrest.ts";
import { functions, type Functions } from "./functions/tallies.ts";
import { targets } from "./targets.ts";

const partitionCount = 64;
const replicas = 3;
const nodeCount = 4;
const keyCount = 300;
const callEveryMs = 50;
const lookEveryMs = 10;
const restLimitMs = 120_000;
/** Longer than the dead keep their place, and than a primary stays away from home. */
const afterRestartMs = 60_000;

export interface LiveMoves {
  /** Looks at one partition. */
  readonly looks: number;
  /** Copies that had to be made for the newcomer, and for those who stayed. */
  readonly joined: number;
  readonly left: number;
  /** Looks at a partition with fewer complete copies than when the change began. */
  readonly fewer: { readonly join: number; readonly leave: number };
  /** Looks at which others held the killed node dead, and its tables and owners after it came back. */
  readonly seenDead: number;
  readonly restartTables: number;
  readonly restartMoved: number;
  readonly calls: number;
  readonly failedCalls: number;
}

export async function liveMoves(seed: number): Promise<LiveMoves> {
  const run = await LiveRun.start(seed);
  const join = await run.watch(() => {
    run.cluster.start("n5", { join: ["n1"] });
    return Promise.resolve();
  });
  const leave = await run.watch(() => run.cluster.leave("n2"));
  const restart = await run.restart("n3");
  await run.stopCalls();
  return {
    looks: join.looks + leave.looks,
    joined: join.moved,
    left: leave.moved,
    fewer: { join: join.fewer, leave: leave.fewer },
    ...restart,
    calls: run.calls,
    failedCalls: run.failedCalls,
  };
}

type OwnerPairs = ReadonlySet<string>;

class LiveRun {
  readonly cluster: SimulatedCluster;
  calls = 0;
  failedCalls = 0;
  /** What was acknowledged before anything moved: writer and sequence pairs of every entity. */
  readonly #acknowledged = new Map<PartitionId, Map<EntityName, readonly number[]>>();
  /** The newest owner set known of each partition, kept while nobody leads it. */
  readonly #owners: (readonly string[])[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #isCalling = true;

  private constructor(cluster: SimulatedCluster) {
    this.cluster = cluster;
  }

  static async start(seed: number): Promise<LiveRun> {
    const cluster = await SimulatedCluster.create({ functions, seed, partitionCount, replicas });
    const ids = Array.from({ length: nodeCount }, (_, index) => `n${index + 1}`);
    for (const id of ids) cluster.start(id, { join: id === "n1" ? [] : ["n1"] });
    const run = new LiveRun(cluster);
    await run.#rest();
    const client = await cluster.time.settled(cluster.connect<Functions>(ids));
    const add = (n: number): Promise<void> =>
      client
        .get("strictTally", `k${n % keyCount}`)
        .with({ timeoutMs: restLimitMs })
        .add(1);
    const first = Array.from({ length: keyCount }, (_, n) => add(n));
    await cluster.time.settled(Promise.all(first));
    await run.#rest();
    run.#noteAcknowledged();
    run.#callOn(add);
    return run;
  }

  /** Does it, and looks at every partition until the cluster is at rest again. */
  async watch(
    change: () => Promise<void>,
  ): Promise<{ readonly looks: number; readonly fewer: number; readonly moved: number }> {
    const { time } = this.cluster;
    const before = Array.from({ length: partitionCount }, (_, p) => this.#completeCopies(p));
    const placesBefore = this.#places();
    let looks = 0;
    let fewer = 0;
    let isOver = false;
    const lookAt = (partition: PartitionId): void => {
      looks += 1;
      if (this.#completeCopies(partition) < before[partition]!) fewer += 1;
    };
    const look = (): void => {
      for (let partition = 0; partition < partitionCount; partition++) lookAt(partition);
      if (!isOver) time.timers.after(lookEveryMs, look);
    };
    look();
    const lookAtChanges = (): boolean => {
      for (let partition = 0; partition < partitionCount; partition++) {
        const known = this.#owners[partition];
        if (this.#ownersOf(partition) !== known) lookAt(partition);
      }
      return isOver;
    };
    // Asked after every event: what lasts a millisecond is seen as well.
    const watching = time.run({ condition: lookAtChanges });
    await time.settled(change());
    await this.#rest();
    isOver = true;
    await watching;
    const moved = [...this.#places()].filter((place) => !placesBefore.has(place)).length;
    return { looks, fewer, moved };
  }

  /** Kills a node, starts it again in time, and looks for a while who is to own what, and who does. */
  async restart(
    id: string,
  ): Promise<Pick<LiveMoves, "seenDead" | "restartTables" | "restartMoved">> {
    const { cluster } = this;
    const { time } = cluster;
    const before = this.#places();
    const tablesBefore = this.#tables(id);
    const tables = new Set<number>();
    const moved = new Set<string>();
    let seenDead = 0;
    const endAt = time.now + targets.movement.restartMs + afterRestartMs;
    const look = (): void => {
      for (const table of this.#tables(id)) if (!tablesBefore.has(table)) tables.add(table);
      for (const place of this.#places()) if (!before.has(place)) moved.add(place);
      for (const { parts } of cluster.running()) {
        if (parts.cluster.members.get(id)?.status === "dead") seenDead += 1;
      }
      if (time.now < endAt) time.timers.after(lookEveryMs, look);
    };
    cluster.crash(id);
    look();
    await time.sleep(targets.movement.restartMs);
    cluster.start(id, { join: ["n1", "n4"] });
    await time.sleep(endAt - time.now + lookEveryMs);
    await this.#rest();
    return { seenDead, restartTables: tables.size, restartMoved: moved.size };
  }

  async stopCalls(): Promise<void> {
    this.#isCalling = false;
    await this.cluster.time.settled(Promise.all(this.#underWay));
  }

  #callOn(add: (n: number) => Promise<void>): void {
    if (!this.#isCalling) return;
    const call = add(this.calls++)
      .catch(() => {
        this.failedCalls += 1;
      })
      .finally(() => this.#underWay.delete(call));
    this.#underWay.add(call);
    this.cluster.time.timers.after(callEveryMs, () => {
      this.#callOn(add);
    });
  }

  /** Calls that are just running are no unrest. */
  async #rest(): Promise<void> {
    const { time } = this.cluster;
    const isAtRest = (): boolean =>
      [...this.cluster.lives.values()].every(
        ({ state, node }) => state !== "up" || node?.isReady,
      ) && unrest(this.cluster.running()) === undefined;
    await time.run({ untilAt: time.now + restLimitMs, condition: isAtRest });
    if (!isAtRest()) {
      throw new Error(`seed ${time.seed}: no rest: ${unrest(this.cluster.running()) ?? "a start"}`);
    }
  }

  #noteAcknowledged(): void {
    for (const { parts } of this.cluster.running()) {
      for (const [partition, replica] of parts.partitions.held()) {
        if (replica.serving !== "primary") continue;
        const entities = [...replica.entityNames()].map(
          (name) => [name, replica.committedEntity(name)!.context.pairs] as const,
        );
        this.#acknowledged.set(partition, new Map(entities));
      }
    }
  }

  /** Processes that own a partition by its newest term. */
  #ownersOf(partition: PartitionId): readonly string[] {
    let newest: Replica<Entity> | undefined;
    for (const { parts } of this.cluster.running()) {
      const replica = parts.partitions.replica(partition);
      if (replica?.serving !== "primary") continue;
      if (compareTerms(replica.term, newest?.term) > 0) newest = replica;
    }
    if (newest?.owners !== undefined) this.#owners[partition] = newest.owners.processes;
    return this.#owners[partition] ?? [];
  }

  #completeCopies(partition: PartitionId): number {
    const owners = this.#ownersOf(partition);
    return this.cluster.running().filter(({ parts }) => {
      const replica = parts.partitions.replica(partition);
      return (
        replica !== undefined && owners.includes(parts.self) && this.#isComplete(replica, partition)
      );
    }).length;
  }

  #isComplete(replica: Replica<Entity>, partition: PartitionId): boolean {
    for (const [name, pairs] of this.#acknowledged.get(partition) ?? []) {
      const entity = replica.committedEntity(name);
      for (let at = 0; at < pairs.length; at += 2) {
        if (entity?.includes(pairs[at]!, pairs[at + 1]!) !== true) return false;
      }
    }
    return true;
  }

  /** Every partition with every node that owns it. */
  #places(): OwnerPairs {
    const places = new Set<string>();
    for (let partition = 0; partition < partitionCount; partition++) {
      for (const process of this.#ownersOf(partition))
        places.add(`${partition} ${nodeOf(process)}`);
    }
    return places;
  }

  /** Identities of the tables that all but this node have. */
  #tables(except: string): ReadonlySet<number> {
    const others = this.cluster.running().filter(({ identity }) => identity.id !== except);
    return new Set(others.map(({ parts }) => parts.routes.tableId));
  }
}
