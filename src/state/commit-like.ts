/** Commits as data: what travels between processes and what it says. */
import type { EntityName, WriterId } from "../model/ids.ts";
import type { HybridTime } from "../model/time.ts";
import type { Operation } from "./operation.ts";

/** A commit as it travels. */
export interface CommitLike {
  readonly entity: EntityName;
  readonly writer: WriterId;
  /** Counts this writer's commits of this entity, as a rule from 1 (`CommitBody.begins`). */
  readonly sequence: number;
  readonly delta: Uint8Array;
}

/** What a delta says. */
export interface CommitBody {
  /** Generation × 2, + 1 for dead: the state in which the operations hold. */
  readonly mark: number;
  readonly hybridTime: HybridTime;
  readonly operations: readonly Operation[];
  /**
   * Its writer begins on this entity, and not with 1: the numbers before may have been used on one of
   * the same name that was reaped.
   */
  readonly begins: boolean;
}
