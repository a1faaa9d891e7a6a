/**
 * What replication needs of an entity, and no more: commits go in, images come out. The rooms that
 * give entities their meaning stay above and beside; tests replicate sets of commit ids.
 */
import type { EntityName, WriterId } from "../model/ids.ts";
import type { Commit } from "../wire/replication-messages.ts";

/** One entity's state. All methods are synchronous and deterministic. */
export interface ReplicatedEntity<Self> {
  /** Equal for equal sets of commits; any number. */
  readonly digest: number;
  /** Adds one commit; false when it was known. */
  apply(commit: Commit): boolean;
  /** Joins a whole encoded entity (rule 20); false when it brought nothing new. */
  join(image: Uint8Array): boolean;
  includes(writer: WriterId, sequence: number): boolean;
  clone(): Self;
  encode(): Uint8Array;
}

/** Makes entities. */
export interface EntityFactory<E> {
  create(name: EntityName): E;
  decode(name: EntityName, image: Uint8Array): E;
}
