/**
 * One entity as calls name it: function and key, checked, with what follows from them. Made once and
 * used by all calls of that entity while it is remembered, so that a call neither checks nor hashes
 * nor joins them anew.
 */
import { entityName, type EntityName, type PartitionId, type WriterId } from "../model/ids.ts";
import type { StateCommit } from "../state/commit.ts";
import type { Entity } from "../state/entity.ts";

export class EntityAddress {
  readonly functionName: string;
  readonly key: string;
  readonly name: EntityName;
  readonly partition: PartitionId;
  /** Where the store found it last. */
  opened: ServedEntity | undefined = undefined;
  /** Where its numbers are in the metering, while that is of this generation; 0: nowhere. */
  meterGeneration = 0;
  meterPlace = 0;

  /** @param key one that `checkKey` has passed */
  constructor(functionName: string, key: string, partition: PartitionId) {
    this.functionName = functionName;
    this.key = key;
    this.name = entityName(functionName, key);
    this.partition = partition;
  }
}

/** An entity as the store serves it. */
export interface OpenEntity {
  /** The newest state, uncommitted changes included. */
  readonly entity: Entity;
  /** Numbers this reign's commits. */
  readonly writer: WriterId;
  /** Up to here its numbers may have been used on an entity of this name that was reaped. */
  readonly usedUp: number;
  readonly degraded: boolean;
  /** Of a copy that is only to be read: the owners that hold it. */
  readonly heldBy?: number;
  /** How many copies a change can get at most: the size of the owner set; 1 when degraded. */
  readonly copiesMax: number;
  /** Changes with every reign: what began in one reign must not commit in another. */
  readonly reign: object;
}

/** An entity that a store need not look for again. */
export interface ServedEntity extends OpenEntity {
  /** False once this can no longer be used, and the entity has to be opened anew. */
  readonly isServed: boolean;
  /** Takes no more commits for now. */
  readonly isFull: boolean;
  /** Commits at once where nothing has to be waited for; else false, and nothing done. */
  commitAlone(commit: StateCommit): boolean;
}
