/** What an entity is made of. Only files of this room's core touch it. */
import type { HybridTime } from "../model/time.ts";
import type { CausalVector } from "./causal-vector.ts";
import type { Contents } from "./contents.ts";
import type { DedupeTable } from "./dedupe.ts";
import type { DocumentSection } from "./document-section.ts";
import type { Outbox } from "./outbox.ts";
import type { Postponed } from "./postponed.ts";

export interface EntityParts {
  /** Generation × 2, + 1 for dead. */
  mark: number;
  /** Of the newest commit. */
  hybridTime: HybridTime;
  readonly vector: CausalVector;
  contents: Contents;
  /** Most entities lack most of these. */
  dedupe: DedupeTable | undefined;
  outbox: Outbox | undefined;
  documents: DocumentSection | undefined;
  postponed: Postponed | undefined;
}
