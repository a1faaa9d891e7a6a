/**
 * What `functions` needs from the node around it. The node implements these over replication and
 * routing; tests implement them over a single in-memory entity table.
 */
import type { Acks } from "../model/acks.ts";
import type { EntityName, PartitionId } from "../model/ids.ts";
import type { LatticeError } from "../model/error.ts";
import type { Mark } from "../model/mark.ts";
import type { HybridTime } from "../model/time.ts";
import type { Value } from "../model/value.ts";
import type { StateCommit } from "../state/commit.ts";
import type { EntityAddress, OpenEntity } from "./entity-address.ts";

/** Where turns read and commit. */
export interface Store {
  /**
   * The state a turn runs on, or `undefined` when this node does not serve that entity (any more).
   * @throws LatticeError `overloaded` when too many changes wait for their copies
   */
  open(address: EntityAddress): OpenEntity | undefined;
  /**
   * The known-committed state for a query that may run on any owner, or `undefined` when this node
   * leads the entity, has no copy that serves, or none as new as `seen`.
   */
  openCopy(address: EntityAddress, seen: Mark | undefined): OpenEntity | undefined;
  /** Whether what `open` gives is as new as `seen`. */
  hasSeen(address: EntityAddress, seen: Mark): boolean;
  /** What whoever was shown the newest state of the entity has seen. */
  markOf(address: EntityAddress): Mark | undefined;
  /** Where the copy stands on which a query runs that others' answers are compared with. */
  standingOf(address: EntityAddress): CopyStanding | undefined;
  /**
   * Appends one turn's change. `turn` is told once, possibly before this returns: when enough copies
   * hold it, or when that will not be known. The tip already shows the change on return.
   */
  commit(address: EntityAddress, commit: StateCommit, acks: Acks, turn: Confirmed): void;
  /** Tells `turn` when everything up to the present tip of the entity is held by enough copies. */
  confirm(address: EntityAddress, acks: Acks, turn: Confirmed): void;
  /** The same, once a majority has also confirmed since this call that this node leads. */
  confirmTerm(address: EntityAddress, acks: Acks, turn: Confirmed): void;
  /** The stamp of a commit that is made at `now`, in milliseconds of the monotonic clock. */
  hybridTime(now: number): HybridTime;
  /** The same without making a stamp of it: for ages, and for what commits nothing. */
  timeAt(now: number): HybridTime;
}

/** Two places in the stream of a copy. */
export interface CopyStanding {
  /** What is shown reaches so far. */
  readonly shown: Mark;
  /** The newest owner set is from here: equal for equal sets. */
  readonly ownersSetAt: Mark;
}

/** What waits for copies. */
export interface Confirmed {
  /** Called once. */
  released(release: Release): void;
}

export type Release =
  | { readonly type: "ok"; readonly copies: number; readonly degraded: boolean }
  /** Run, but it may or may not stay. */
  | { readonly type: "indeterminate" };

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
  /** The asking turn runs in a session: so does this call, and `noteSeen` is told what it was shown. */
  readonly inSession: boolean;
  readonly noteSeen: (seen: readonly SeenMark[]) => void;
  /** Which ask of that run this is, from 1; with (caller, number) it is the same in a retried run. */
  readonly askNumber: number;
  /** The span of the asking turn, as a W3C traceparent. */
  readonly trace: string;
}

/** What a call has seen of one partition. */
export interface SeenMark {
  readonly partition: PartitionId;
  readonly mark: Mark;
}

/** Runs functions of modules beside the event loop. */
export interface Compute {
  /**
   * The encoded result, empty for `undefined`. Rejects with what the function threw, or a LatticeError:
   * `invalid_argument` for a module without such a function and a result that is no value, `too_large`,
   * `overloaded`, `unavailable`; with the signal's reason once that is aborted: by then it runs no more.
   */
  run(run: ComputeRun): Promise<Uint8Array>;
}

export interface ComputeRun {
  /** A `file:` URL; its default export is called. */
  readonly module: string;
  /** Encoded; empty for none. */
  readonly input: Uint8Array;
  readonly signal: AbortSignal;
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
      /** Of a call in a session: what it and the calls that it asked for were shown. */
      readonly seen: readonly SeenMark[];
    }
  | { readonly type: "failed"; readonly error: LatticeError }
  /** Nothing happened; the caller may agree to degraded service and send again. */
  | { readonly type: "degraded_offered" };
