/**
 * All partitions that this process holds: drives their replicas, sends what they ask to send in one
 * message per peer and turn of the event loop, and lets the functions read and commit through them.
 */
import type { Confirmed } from "../../functions/ports.ts";
import type { LatticeError } from "../../model/error.ts";
import {
  splitEntityName,
  type EntityName,
  type NodeId,
  type PartitionId,
  type ProcessId,
} from "../../model/ids.ts";
import type { HybridTime } from "../../model/time.ts";
import type { Platform } from "../../platform/platform.ts";
import type { ReplicationEffect, RoleChange } from "../../replication/effect.ts";
import type { Peers } from "../../replication/peers.ts";
import type { ReplicaOptions } from "../../replication/options.ts";
import { Replica } from "../../replication/replica.ts";
import { partitionOf } from "../../ring/partition.ts";
import type { Placement } from "../../ring/placement.ts";
import { stampOf } from "../../state/delta-stamp.ts";
import { Entity } from "../../state/entity.ts";
import type { PartitionMessage, ReplicationMessage } from "../../wire/replication-messages.ts";
import type { Buggify } from "../buggify.ts";
import type { Serving } from "../calls/call-server.ts";
import { BaseFlow } from "./base-flow.ts";
import { CopyRounds } from "./copy-rounds.ts";
import { ImageAssembly } from "./image-pieces.ts";
import { Outgoing, type LinkRoom } from "./outgoing.ts";
import { ReplicaTicks } from "./replica-ticks.ts";
import { Sweep } from "./sweep.ts";

export interface PartitionEvents {
  /** This process began or stopped to serve a partition, or knows another primary. */
  roleChanged(partition: PartitionId, change: RoleChange): void;
  /** The visible state of these entities moved on. */
  committed(partition: PartitionId, entities: readonly EntityName[]): void;
  /** The same of one whose newest state is the committed one, and which this process leads. */
  committedAlone(partition: PartitionId, entity: Entity): void;
  /** The copy was replaced: any of its entities may have changed. */
  replaced(partition: PartitionId): void;
  ownersChanged(partition: PartitionId): void;
  forkMerged(partition: PartitionId, commits: number): void;
  reaped(count: number): void;
  /** A fork of `from` changed entities that were deleted and forgotten meanwhile. */
  forkRefused(partition: PartitionId, from: ProcessId, entities: readonly EntityName[]): void;
  /** Equal positions held different state: a defect. The copy here is being replaced. */
  diverged(partition: PartitionId, primary: ProcessId): void;
  /** The latest stamp of what a process sent just now. */
  stamped(from: ProcessId, time: HybridTime): void;
  /** Calls wait here until somebody serves this partition. */
  isAwaited(partition: PartitionId): boolean;
  roomFor(to: ProcessId): LinkRoom;
  /** Why the message cannot be sent, if so. */
  send(to: ProcessId, message: ReplicationMessage): LatticeError | undefined;
}

export interface PartitionsOptions {
  readonly platform: Platform;
  readonly self: ProcessId;
  readonly partitionCount: number;
  /** Owners of a partition when there are enough nodes. */
  readonly replicas: number;
  readonly peers: Peers;
  readonly events: PartitionEvents;
  /** Entities that were deleted before it may be forgotten. */
  readonly reapBefore: () => HybridTime;
  /** Calls of this entity run or wait here. */
  readonly isBusy: (entity: EntityName) => boolean;
  readonly buggify?: Buggify | undefined;
}

/**
 * What was deleted is remembered for so long: a fork may still come that changed it, and callers may
 * repeat their calls, for a shorter time.
 */
export const tombstoneMs = 60 * 60 * 1_000;
/** What a process says of a copy that it was sent, whatever has become of it. */
const answers: ReadonlySet<PartitionMessage["type"]> = new Set(["ack", "need", "stale", "hello"]);
const noNodes: readonly NodeId[] = Object.freeze([]);

export class Partitions implements Serving {
  readonly #options: PartitionsOptions;
  readonly #replicas: (Replica<Entity> | undefined)[];
  readonly #ticks: ReplicaTicks;
  readonly #outgoing: Outgoing;
  readonly #images = new ImageAssembly();
  readonly #rounds: CopyRounds;
  readonly #bases: BaseFlow;
  readonly #sweep: Sweep;
  /** The placement that each replica was told last. */
  readonly #told: (Placement | undefined)[];
  #placement: Placement | undefined;
  #stopped = false;

  constructor(options: PartitionsOptions) {
    this.#options = options;
    this.#replicas = new Array<Replica<Entity> | undefined>(options.partitionCount).fill(undefined);
    const { events, platform, partitionCount, buggify } = options;
    this.#ticks = new ReplicaTicks({
      clock: platform.clock,
      timers: platform.timers,
      partitionCount,
      tick: (partition, now) => {
        const replica = this.#replicas[partition];
        if (replica !== undefined) this.perform(partition, replica.tick(now));
      },
    });
    this.#outgoing = new Outgoing({
      timers: platform.timers,
      imagePieceBytes: buggify?.imagePieceBytes,
      roomFor: (to) => events.roomFor(to),
      send: (to, message) =>
        buggify?.losesBatch?.(message, to) === true ? undefined : events.send(to, message),
      refused: (to, { partition, message }, error) => {
        platform.logger.error("a copy cannot be sent: it is too large for one message", {
          partition,
          to,
          message: message.type,
          why: error.message,
        });
      },
    });
    this.#told = new Array<Placement | undefined>(partitionCount).fill(undefined);
    this.#bases = new BaseFlow({
      clock: platform.clock,
      timers: platform.timers,
      underWayMax: buggify?.basesUnderWayMax,
      look: (partition) => this.#look(partition),
    });
    this.#sweep = new Sweep({
      timers: platform.timers,
      partitionCount,
      isAwaited: (partition) => events.isAwaited(partition),
      visit: (partition) => this.#look(partition),
    });
    this.#rounds = new CopyRounds({
      timers: platform.timers,
      random: platform.random,
      partitionCount,
      compare: (partition, round) => {
        const replica = this.#replicas[partition];
        if (replica === undefined || (round === undefined && replica.role !== "primary")) return;
        this.perform(partition, replica.compareCopies(round));
        if (round !== undefined) this.#reap(partition, replica);
      },
    });
  }

  start(): void {
    this.#rounds.start();
  }

  /** Creates the cluster: this process is the first owner of everything (rule 19). */
  birth(genesis: string): void {
    for (let partition = 0; partition < this.#options.partitionCount; partition++) {
      const now = this.#now();
      const replica = Replica.birth(this.#replicaOptions(partition), genesis, now);
      this.#replicas[partition] = replica;
      this.perform(partition, replica.tick(now));
      // Others may have been in the table before there was anything to share with them.
      this.perform(partition, replica.peersChanged(now));
    }
  }

  replica(partition: PartitionId): Replica<Entity> | undefined {
    return this.#replicas[partition];
  }

  /** Every partition of which this process has a replica. */
  *held(): IterableIterator<readonly [PartitionId, Replica<Entity>]> {
    for (const [partition, replica] of this.#replicas.entries()) {
      if (replica !== undefined) yield [partition, replica];
    }
  }

  partitionOf(name: EntityName): PartitionId {
    const { functionName, key } = splitEntityName(name);
    return partitionOf(functionName, key, this.#options.partitionCount);
  }

  isServing(partition: PartitionId): boolean {
    return this.#replicas[partition]?.serving !== undefined;
  }

  isPrimary(partition: PartitionId): boolean {
    return this.#replicas[partition]?.serving === "primary";
  }

  isOwner(partition: PartitionId): boolean {
    const role = this.#replicas[partition]?.role;
    return role !== undefined && role !== "absent" && role !== "removed";
  }

  /** Copies that were sent in pieces. */
  get cutImageCount(): number {
    return this.#outgoing.cutCount;
  }

  /** Partitions that this process may not leave yet (`Replica.isNeeded`). */
  get neededCount(): number {
    let count = 0;
    for (const [, replica] of this.held()) if (replica.isNeeded) count += 1;
    return count;
  }

  /** What watchers may see: committed state, or all that a degraded process serves. */
  visible(
    partition: PartitionId,
    name: EntityName,
  ): { readonly entity: Entity | undefined; readonly degraded: boolean } {
    const replica = this.#replicas[partition];
    const degraded = replica?.serving === "degraded";
    return {
      entity: degraded ? replica.tip(name, false) : replica?.committedEntity(name),
      degraded,
    };
  }

  receive(from: ProcessId, message: ReplicationMessage): void {
    let latest: HybridTime = 0;
    for (const entry of message.entries) {
      const { partition } = entry;
      if (partition >= this.#options.partitionCount) continue;
      const whole = this.#images.take(from, entry);
      if (whole === undefined) continue;
      const replica = this.#obtain(partition);
      this.perform(partition, replica.receive(from, whole, this.#now()));
      if (answers.has(whole.type)) this.#bases.answered(from, partition);
      // A whole entity is history.
      if (whole.type === "delta" && whole.commit !== undefined && whole.commit.kind !== "whole") {
        latest = Math.max(latest, stampOf(whole.commit.delta));
      }
    }
    if (latest > 0) this.#options.events.stamped(from, latest);
  }

  placementChanged(placement: Placement): void {
    this.#placement = placement;
    this.#sweep.start();
  }

  linkUp(process: ProcessId): void {
    for (const [partition, replica] of this.held()) {
      this.perform(partition, replica.linkUp(process));
    }
    this.peersChanged();
    this.#rounds.hurry();
  }

  linkDown(process: ProcessId): void {
    this.#outgoing.drop(process);
    this.#images.drop(process);
    this.#bases.drop(process);
    this.peersChanged();
  }

  /** The link to this process takes more again. */
  drained(process: ProcessId): void {
    this.#outgoing.flush(process);
  }

  /**
   * Something that `peers` answers changed; the replicas hear of it from the end of this turn on.
   * @param about whom it may be lost: what this process led comes first
   */
  peersChanged(about?: ProcessId): void {
    this.#sweep.start(about === undefined ? [] : this.#ledBy(about));
  }

  /** A call waits until somebody serves this partition. */
  hurry(partition: PartitionId): void {
    this.#sweep.hurry(partition);
  }

  #ledBy(process: ProcessId): PartitionId[] {
    const led: PartitionId[] = [];
    for (const [partition, { primary }] of this.held())
      if (primary === process) led.push(partition);
    return led;
  }

  /** Gives every partition that this process leads to somebody else. */
  handOver(): void {
    for (const [partition, replica] of this.held()) {
      if (replica.role === "primary") this.perform(partition, replica.handOver(this.#now()));
    }
  }

  /** Performs what a replica asked for; called by whoever made it act. */
  perform(partition: PartitionId, effects: readonly ReplicationEffect[]): void {
    // By index: lists of effects are of several kinds to the engine, and an iterator would be made.
    for (let index = 0; index < effects.length; index++) {
      this.#performOne(partition, effects[index]!);
    }
    this.#ticks.note(partition, this.#replicas[partition]?.nextTickAt ?? Infinity);
  }

  /** An entity moved on by a commit that asked for nothing else (`Reign.isCalm`). */
  committedAlone(partition: PartitionId, entity: Entity): void {
    this.#options.events.committedAlone(partition, entity);
  }

  stop(): void {
    this.#stopped = true;
    this.#ticks.stop();
    this.#rounds.close();
    this.#sweep.stop();
    this.#bases.close();
    this.#outgoing.close();
  }

  #performOne(partition: PartitionId, effect: ReplicationEffect): void {
    const { events } = this.#options;
    switch (effect.type) {
      case "send":
        if (this.#stopped) return;
        if (effect.message.type === "base") this.#bases.sent(effect.to, partition);
        this.#outgoing.push(effect.to, partition, effect.message);
        return;
      case "release":
        (effect.token as Confirmed).released(effect.outcome);
        return;
      case "committed":
        events.committed(partition, effect.entities);
        return;
      case "replaced":
        events.replaced(partition);
        return;
      case "role-changed":
        if (effect.serving === "primary" && (effect.term?.number ?? 0) > 1) this.#rounds.hurry();
        events.roleChanged(partition, effect);
        return;
      case "owners-changed":
        events.ownersChanged(partition);
        return;
      case "diverged":
        events.diverged(partition, effect.primary);
        return;
      case "fork-merged":
        events.forkMerged(partition, effect.commits);
        return;
      case "reaped":
        events.reaped(effect.count);
        return;
      case "fork-refused":
        events.forkRefused(partition, effect.from, effect.entities);
    }
  }

  #reap(partition: PartitionId, replica: Replica<Entity>): void {
    const { reapBefore, isBusy } = this.#options;
    this.perform(partition, replica.reap(reapBefore(), isBusy, this.#now()));
  }

  /** Tells a replica what has changed around it; false when there is none. */
  #look(partition: PartitionId): boolean {
    const replica = this.#replicas[partition];
    if (replica === undefined) return false;
    const placement = this.#placement;
    if (placement !== undefined && placement !== this.#told[partition]) {
      this.#told[partition] = placement;
      this.perform(partition, replica.tableChanged(placement.ownersOf(partition), this.#now()));
    }
    this.perform(partition, replica.peersChanged(this.#now()));
    return true;
  }

  #obtain(partition: PartitionId): Replica<Entity> {
    const known = this.#replicas[partition];
    if (known !== undefined) return known;
    const replica = Replica.absent(this.#replicaOptions(partition));
    this.#replicas[partition] = replica;
    return replica;
  }

  #replicaOptions(partition: PartitionId): ReplicaOptions<Entity> {
    const { self, peers, platform } = this.#options;
    this.#told[partition] = this.#placement;
    return {
      partition,
      self,
      peers,
      random: platform.random,
      entities: Entity,
      table: this.#placement?.ownersOf(partition) ?? noNodes,
      replicas: this.#options.replicas,
      flow: {
        isSending: (to) =>
          this.#outgoing.isSending(to, partition) || this.#bases.isMoving(to, partition),
        mayInvite: (to) => this.#bases.mayInvite(to, partition),
      },
    };
  }

  #now(): number {
    return this.#options.platform.clock.now();
  }
}
