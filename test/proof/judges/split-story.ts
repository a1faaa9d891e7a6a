/** What the parent of a proof with a broken network writes down for its judge, besides the calls. */
import type { CopyReport, CopyWanted } from "../../../scripts/cluster/copy-report.ts";

export type Side = "A" | "B";

/**
 * How the two sides that call stand to each other: `apart`, nothing reaches the other side and comes
 * back; `indirect`, both reach a majority of all owners, though not each other; `flapping`, apart and
 * together in turns.
 */
export type Standing = "apart" | "indirect" | "flapping";

/** One entity and where its owners were when the network broke. */
export interface StoryEntity extends CopyWanted {
  /** The side with a majority of its owners. */
  readonly majority: Side;
  /** Sides with at least one owner. */
  readonly served: readonly Side[];
  /** After the heal, by node id; `null`: this owner holds no copy. */
  readonly copies: Readonly<Record<string, CopyReport | null>>;
}

export interface SplitStory {
  readonly addresses: readonly string[];
  readonly standing: Standing;
  readonly entities: readonly StoryEntity[];
}

/** Raw counts, and what is wrong; all of the latter must be zero. */
export interface SplitJudgement {
  readonly counts: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
}
