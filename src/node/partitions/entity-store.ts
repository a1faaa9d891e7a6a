/**
 * The store that turns run on: reads the tip of an entity's replica and appends to its stream. The
 * replica decides whether there is anything to serve, and when an answer may go out.
 */
import type { Acks } from "../../model/acks.ts";
import { LatticeError } from "../../model/error.ts";
import type { Mark } from "../../model/mark.ts";
import type { HybridTime } from "../../model/time.ts";
import type { EntityAddress, OpenEntity } from "../../functions/entity-address.ts";
import type { Confirmed, CopyStanding, Release, Store } from "../../functions/ports.ts";
import type { ClusterClock } from "../../membership/cluster-clock.ts";
import type { Clock } from "../../platform/platform.ts";
import type { Replica } from "../../replication/replica.ts";
import type { StateCommit } from "../../state/commit.ts";
import { Entity } from "../../state/entity.ts";
import type { Partitions } from "./partitions.ts";

/** An answer waits so long for its copies; then its outcome is unknown. */
export const ackTimeoutMs = 2_000;

/** Of a copy that is only read: no commit is made on it. */
const readOnly = Object.freeze({ writer: 0, usedUp: 0, degraded: false, copiesMax: 0, reign: {} });
const alone: Release = { type: "ok", copies: 1, degraded: false };

export class EntityStore implements Store {
  readonly #partitions: Partitions;
  readonly #clock: Clock;
  readonly #clusterClock: ClusterClock;

  constructor(partitions: Partitions, clock: Clock, clusterClock: ClusterClock) {
    this.#partitions = partitions;
    this.#clock = clock;
    this.#clusterClock = clusterClock;
  }

  open(address: EntityAddress): OpenEntity | undefined {
    const { opened } = address;
    if (opened?.isServed === true && !opened.isFull) return opened;
    return this.#openAnew(address);
  }

  openCopy(address: EntityAddress, seen: Mark | undefined): OpenEntity | undefined {
    const replica = this.#partitions.replica(address.partition);
    if (replica?.reads.canRead(seen) !== true) return undefined;
    const heldBy = replica.reads.readableCopies;
    const entity = replica.committedEntity(address.name) ?? Entity.create(address.name);
    return { ...readOnly, entity, heldBy };
  }

  hasSeen({ partition }: EntityAddress, seen: Mark): boolean {
    return this.#partitions.replica(partition)?.reads.hasSeen(seen) ?? false;
  }

  markOf({ partition, name }: EntityAddress): Mark | undefined {
    return this.#partitions.replica(partition)?.reads.markOf(name);
  }

  standingOf({ partition }: EntityAddress): CopyStanding | undefined {
    const reads = this.#partitions.replica(partition)?.reads;
    const shown = reads?.shown;
    const ownersSetAt = reads?.ownersSetAt;
    return shown && ownersSetAt && { shown, ownersSetAt };
  }

  commit(address: EntityAddress, commit: StateCommit, acks: Acks, turn: Confirmed): void {
    const { opened, partition } = address;
    if (opened?.commitAlone(commit) === true) {
      this.#partitions.committedAlone(partition, opened.entity);
      turn.released(alone);
      return;
    }
    const now = this.#clock.now();
    const waiter = { acks, token: turn, deadlineAt: now + ackTimeoutMs };
    this.#partitions.perform(partition, this.#replica(address).commit(commit, waiter, now));
  }

  confirm(address: EntityAddress, acks: Acks, turn: Confirmed): void {
    const now = this.#clock.now();
    const waiter = { acks, token: turn, deadlineAt: now + ackTimeoutMs };
    this.#partitions.perform(address.partition, this.#replica(address).confirm(waiter, now));
  }

  confirmTerm(address: EntityAddress, acks: Acks, turn: Confirmed): void {
    const now = this.#clock.now();
    const waiter = { acks, token: turn, deadlineAt: now + ackTimeoutMs };
    this.#partitions.perform(address.partition, this.#replica(address).confirmTerm(waiter, now));
  }

  hybridTime(now: number): HybridTime {
    return this.#clusterClock.stamp(now);
  }

  timeAt(now: number): HybridTime {
    return this.#clusterClock.reading(now);
  }

  #openAnew(address: EntityAddress): OpenEntity | undefined {
    address.opened = undefined;
    const replica = this.#partitions.replica(address.partition);
    if (replica === undefined || replica.isHandingOver) return undefined;
    const { reign } = replica;
    if (reign === undefined) return undefined;
    if (replica.isFull) throw tooManyUnconfirmed(address);
    address.opened = replica.servedSlot(address.name);
    if (address.opened !== undefined) return address.opened;
    const entity = replica.tip(address.name, true);
    if (entity === undefined) return undefined;
    return {
      entity,
      writer: replica.writer,
      usedUp: replica.usedUp,
      degraded: replica.serving === "degraded",
      reign,
      copiesMax: replica.owners?.processes.length ?? 1,
    };
  }

  #replica({ name, partition }: EntityAddress): Replica<Entity> {
    const replica = this.#partitions.replica(partition);
    if (replica !== undefined) return replica;
    throw new LatticeError(
      "internal",
      `${name}: no replica of partition ${String(partition)} here`,
    );
  }
}

function tooManyUnconfirmed({ name }: EntityAddress): LatticeError {
  return new LatticeError(
    "overloaded",
    `${name}: too many changes of its partition wait for their copies: try again later`,
    { retryAfterMs: ackTimeoutMs / 10 },
  );
}
