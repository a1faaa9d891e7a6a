/**
 * What replication needs of an entity, and no more: commits go in, images come out. The rooms that
 * give entities their meaning stay above and beside; tests replicate sets of commit ids.
 */
import type { EntityName, WriterId } from "../model/ids.ts";
import type { HybridTime } from "../model/time.ts";
import type { Commit } from "../wire/replication-messages.ts";

/** One entity's state. All methods are synchronous and deterministic. */
export interface ReplicatedEntity<Self> {
  /** Equal for equal sets of commits; any number. */
  readonly digest: number;
  /** Of all that may be compared cheaply: equal wherever `digest` is, unless something is wrong. */
  stateHash(): number;
  /** Counts its lives and deaths: odd while it is deleted. Commits of a lower one change nothing. */
  readonly mark: number;
  /** Adds one commit; false when it was known. */
  apply(commit: Commit): boolean;
  /** Joins a whole encoded entity (rule 20); false when it brought nothing new. */
  join(image: Uint8Array): boolean;
  includes(writer: WriterId, sequence: number): boolean;
  /** The highest sequence of `writer` that is in; 0 for none. */
  sequenceOf(writer: WriterId): number;
  /** It was deleted before `time`, and nothing of it is needed any more. */
  mayBeReaped(time: HybridTime): boolean;
  clone(): Self;
  encode(): Uint8Array;
}

/** Makes entities. */
export interface EntityFactory<E> {
  /** @param mark of its first commit; without it that is told by the commit */
  create(name: EntityName, mark?: number): E;
  decode(name: EntityName, image: Uint8Array): E;
}
