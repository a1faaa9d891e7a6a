/**
 * The store that turns run on: reads the tip of an entity's replica and appends to its stream. The
 * replica decides whether there is anything to serve, and when an answer may go out.
 */
import type { Acks } from "../../model/acks.ts";
import type { EntityName, PartitionId } from "../../model/ids.ts";
import { LatticeError } from "../../model/error.ts";
import { nextHybridTime, type HybridTime } from "../../model/time.ts";
import type { OpenEntity, Release, Store } from "../../functions/ports.ts";
import type { Clock } from "../../platform/platform.ts";
import type { StateCommit } from "../../state/commit.ts";
import { requireReplica, type Partitions, type ReleaseToken } from "./partitions.ts";

/** An answer waits so long for its copies; then its outcome is unknown. */
export const ackTimeoutMs = 2_000;

export class EntityStore implements Store {
  readonly #partitions: Partitions;
  readonly #clock: Clock;
  /** Wall clock minus monotonic clock at the start: later steps of the wall clock do not enter. */
  readonly #wallOffset: number;
  #lastHybrid: HybridTime = 0;
  /** What was opened last is as a rule what is committed next: its name is not hashed again. */
  #openName: EntityName = "";
  #openPartition: PartitionId = 0;

  constructor(partitions: Partitions, clock: Clock) {
    this.#partitions = partitions;
    this.#clock = clock;
    this.#wallOffset = clock.wallNow() - clock.now();
  }

  open(name: EntityName, known?: PartitionId): OpenEntity | undefined {
    const partition = known ?? this.#partitions.partitionOf(name);
    this.#openName = name;
    this.#openPartition = partition;
    const replica = this.#partitions.replica(partition);
    if (replica === undefined || replica.isHandingOver) return undefined;
    const { reign } = replica;
    if (reign === undefined) return undefined;
    if (replica.isFull) throw tooManyUnconfirmed(name);
    const entity = replica.tip(name, true);
    if (entity === undefined) return undefined;
    return {
      entity,
      writer: replica.writer,
      degraded: replica.serving === "degraded",
      reign,
      copiesMax: replica.owners?.processes.length ?? 1,
    };
  }

  commit(
    name: EntityName,
    commit: StateCommit,
    acks: Acks,
    done: (outcome: Release) => void,
  ): void {
    const partition = this.#partitionOf(name);
    const replica = requireReplica(this.#partitions, partition, name);
    const now = this.#clock.now();
    const waiter = { acks, token: new Waiting(name, done), deadlineAt: now + ackTimeoutMs };
    this.#partitions.perform(partition, replica.commit(commit, waiter, now));
  }

  confirm(name: EntityName, acks: Acks, done: (outcome: Release) => void): void {
    const partition = this.#partitionOf(name);
    const replica = requireReplica(this.#partitions, partition, name);
    const now = this.#clock.now();
    const waiter = { acks, token: new Waiting(name, done), deadlineAt: now + ackTimeoutMs };
    this.#partitions.perform(partition, replica.confirm(waiter, now));
  }

  hybridNow(): HybridTime {
    const physicalMs = this.#clock.now() + this.#wallOffset;
    this.#lastHybrid = nextHybridTime(this.#lastHybrid, physicalMs);
    return this.#lastHybrid;
  }

  #partitionOf(name: EntityName): PartitionId {
    return name === this.#openName ? this.#openPartition : this.#partitions.partitionOf(name);
  }
}

function tooManyUnconfirmed(name: EntityName): LatticeError {
  return new LatticeError(
    "overloaded",
    `${name}: too many changes of its partition wait for their copies: try again later`,
    { retryAfterMs: ackTimeoutMs / 10 },
  );
}

class Waiting implements ReleaseToken {
  readonly #name: EntityName;
  readonly #done: (outcome: Release) => void;

  constructor(name: EntityName, done: (outcome: Release) => void) {
    this.#name = name;
    this.#done = done;
  }

  released(outcome: Parameters<ReleaseToken["released"]>[0]): void {
    if (outcome.type === "ok") {
      this.#done(outcome);
      return;
    }
    this.#done({
      type: "indeterminate",
      message:
        `${this.#name}: run, but not enough copies confirmed it in time: ` +
        "it may or may not stay; retry under the same protection",
    });
  }
}
