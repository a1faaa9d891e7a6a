/**
 * What an entity is made of. The parts are fields of the entity itself: an object between would be
 * one more to fetch with every call of one of many entities. Everybody may read them; only commits
 * and merges change them, through this interface, and only files of this room's core use it.
 */
import type { EntityName } from "../model/ids.ts";
import type { HybridTime } from "../model/time.ts";
import type { CausalVector } from "./causal-vector.ts";
import type { Contents } from "./contents.ts";
import type { DedupeTable } from "./dedupe.ts";
import type { DocumentSection } from "./document-section.ts";
import type { Outbox } from "./outbox.ts";
import type { Postponed } from "./postponed.ts";

/** As they are stored. */
export interface StoredParts {
  /** Generation × 2, + 1 for dead: one number that compares as it should. */
  mark: number;
  /** Of the newest commit. */
  readonly hybridTime: HybridTime;
  /** Which commits are in. */
  readonly context: CausalVector;
  /** The scalar fields. */
  contents: Contents;
  /** Most entities lack most of these. */
  dedupeIfAny: DedupeTable | undefined;
  outboxIfAny: Outbox | undefined;
  documentsIfAny: DocumentSection | undefined;
  postponed: Postponed | undefined;
}

export interface EntityParts extends StoredParts {
  readonly name: EntityName;
  /** Makes the hybrid time at least `time`. */
  raiseTime(time: HybridTime): void;
}
