/**
 * What `functions` needs from the node around it. The node implements these over replication and
 * routing; tests implement them over a single in-memory entity table.
 */
import type { Acks } from "../model/acks.ts";
import type { EntityName, PartitionId, WriterId } from "../model/ids.ts";
import type { LatticeError } from "../model/error.ts";
import type { HybridTime } from "../model/time.ts";
import type { Value } from "../model/value.ts";
import type { Entity } from "../state/entity.ts";
import type { StateCommit } from "../state/commit.ts";

/** Where turns read and commit. */
export interface Store {
  /**
   * The state a turn runs on, or `undefined` when this node does not serve that entity (any more).
   * @param partition of the name, where it is known already
   */
  open(name: EntityName, partition?: PartitionId): OpenEntity | undefined;
  /**
   * Appends one turn's change. `done` is called once, possibly before this returns: when enough
   * copies hold it, or when that will not be known. The tip already shows the change on return.
   */
  commit(name: EntityName, commit: StateCommit, acks: Acks, done: (outcome: Release) => void): void;
  /** Calls `done` when everything up to the present tip of `name` is held by enough copies. */
  confirm(name: EntityName, acks: Acks, done: (outcome: Release) => void): void;
  /** The stamp of a new commit. */
  hybridNow(): HybridTime;
}

export interface OpenEntity {
  /** The newest state, uncommitted changes included. */
  readonly entity: Entity;
  /** Numbers this reign's commits. */
  readonly writer: WriterId;
  readonly degraded: boolean;
  /** How many copies a change can get at most: the size of the owner set; 1 when degraded. */
  readonly copiesMax: number;
  /** Changes with every reign: what began in one reign must not commit in another. */
  readonly reign: object;
}

export type Release =
  | { readonly type: "ok"; readonly copies: number; readonly degraded: boolean }
  /** Run, but it may or may not stay. */
  | { readonly type: "indeterminate"; readonly message: string };

/** Calls to other entities from inside a turn. */
export interface Calls {
  ask(request: AskRequest): Promise<Value | undefined>;
}

export interface AskRequest {
  readonly functionName: string;
  readonly key: string;
  readonly operation: string;
  readonly input: Value | undefined;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly ageTime: HybridTime;
  readonly ageId: string;
  /** Entities held so far, outermost first, the asking one last. */
  readonly chain: readonly EntityName[];
  /** The call that the asking turn runs; "" and 0 when it is not protected. */
  readonly caller: string;
  readonly number: number;
  /** The caller has the answers of all its calls below this number. */
  readonly received: number;
  /** Which ask of that run this is, from 1; with (caller, number) it is the same in a retried run. */
  readonly askNumber: number;
}

/** How a call ended, as the functions room sees it. */
export type TurnOutcome =
  | {
      readonly type: "ok";
      /** Encoded result; empty for `undefined`. */
      readonly value: Uint8Array;
      readonly copies: number;
      readonly degraded: boolean;
      readonly fromDedupe: boolean;
    }
  | { readonly type: "failed"; readonly error: LatticeError }
  /** Nothing happened; the caller may agree to degraded service and send again. */
  | { readonly type: "degraded_offered" };
