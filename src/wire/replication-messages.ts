/** What the processes that hold a partition tell each other (`docs/replication.md`, rules 1–21). */
import type { EntityName, PartitionId, ProcessId, WriterId } from "../model/ids.ts";
import type { Term } from "../model/term.ts";

/** The owner set and where in the stream it was set. */
export interface Owners {
  readonly processes: readonly ProcessId[];
  /** Stream position of the change that set it; 0: came with the base. */
  readonly position: number;
  /**
   * The sets before it whose replacement is not known to be committed. Until it is, each of them must
   * agree as well (`src/replication/README.md`, "Neighbouring sets"); at most 8.
   */
  readonly previous: readonly PreviousOwners[];
}

/** An owner set that a change at `position` replaced. */
export interface PreviousOwners {
  readonly processes: readonly ProcessId[];
  readonly position: number;
}

/**
 * A place in the stream of a term. In every message `committed` counts: the positions below it are
 * known to be committed, 0 says that not even the base (position 0) is.
 */
export interface StreamPosition {
  readonly synced: Term;
  readonly position: number;
}

/** What a process tells of its standing in one partition. */
export interface Standing {
  readonly promised: Term | undefined;
  /** Term whose base this copy was installed in; `undefined` = absent. */
  readonly synced: Term | undefined;
  readonly owners: readonly ProcessId[];
  /** Whom it follows or is; "" when it knows none. */
  readonly primary: ProcessId;
  /** Identity of the birth of this partition's history; the smaller wins when two meet (rule 20). */
  readonly genesis: string;
}

/** One entity's commit: one turn's change. */
export interface Commit {
  readonly entity: EntityName;
  readonly writer: WriterId;
  readonly sequence: number;
  /** The encoded delta; of a `whole` one an encoded entity, of a `reap` nothing. */
  readonly delta: Uint8Array;
  /** What is special about it; mostly nothing. */
  readonly kind?: CommitKind;
}

/**
 * - `begin`: of a fork whose copy did not hold the entity: it is the first of it;
 * - `whole`: an entity to be joined: what a cluster that was born apart brings (rule 20);
 * - `reap`: the entity, deleted long ago, is forgotten.
 */
export type CommitKind = "begin" | "whole" | "reap";

/** A commit whose place in the stream is known but which is not known to be committed. */
export interface TailCommit {
  /** 0 for what a new term inherited. */
  readonly position: number;
  readonly commit: Commit;
}

export type PartitionMessage =
  | {
      readonly type: "prepare";
      readonly term: Term;
      readonly handover: boolean;
      /** Of another birth: answered with `hello`, never with a promise. */
      readonly genesis: string;
    }
  | {
      readonly type: "promise";
      readonly term: Term;
      readonly synced: Term;
      readonly position: number;
      readonly committed: number;
      readonly owners: Owners;
    }
  | { readonly type: "refuse"; readonly term: Term; readonly standing: Standing }
  | { readonly type: "stale"; readonly standing: Standing }
  /** A candidate fetches the best copy it was promised; `have`: where its own copy stands. */
  | { readonly type: "fetch"; readonly term: Term; readonly have: StreamPosition }
  | { readonly type: "copy"; readonly term: Term; readonly copy: CopyImage }
  | { readonly type: "base"; readonly term: Term; readonly copy: CopyImage }
  | {
      readonly type: "delta";
      readonly term: Term;
      readonly position: number;
      readonly committed: number;
      readonly commit: Commit | undefined;
      /** Present when this position changes the owner set. */
      readonly owners: Owners | undefined;
    }
  /** Tells the committed position when no delta carries it. */
  | { readonly type: "committed"; readonly term: Term; readonly committed: number }
  | { readonly type: "ack"; readonly term: Term; readonly position: number }
  /** `have`: where the copy stands that the asked base may build upon; `undefined` asks for all. */
  | { readonly type: "need"; readonly term: Term; readonly have: StreamPosition | undefined }
  /** Anti-entropy: the primary's digest at a committed position; a follower that differs asks. */
  | {
      readonly type: "digest";
      readonly term: Term;
      readonly position: number;
      readonly digest: number;
      /** The same of the contents, of one share of the entities. */
      readonly content: { readonly share: number; readonly sum: number } | undefined;
    }
  /** To a process that was removed: all owners have the current position, its copy may go (rule 14). */
  | { readonly type: "removed"; readonly term: Term; readonly owners: Owners }
  | { readonly type: "handover"; readonly term: Term }
  | { readonly type: "forked"; readonly commits: readonly Commit[] }
  | {
      readonly type: "merged";
      readonly commits: readonly {
        readonly entity: EntityName;
        readonly writer: WriterId;
        readonly sequence: number;
      }[];
    }
  | { readonly type: "hello"; readonly standing: Standing };

/** What a partial image builds upon. */
export interface ImageBasis extends StreamPosition {
  /** How many positions of that stream the sender knows to be committed. */
  readonly committed: number;
}

/** A copy of a partition on the wire. */
export interface CopyImage {
  readonly genesis: string;
  readonly synced: Term;
  readonly position: number;
  readonly committed: number;
  readonly owners: Owners;
  /** Mark of new entities: above that of every one that was reaped. */
  readonly newMark: number;
  /** The known-committed part, each entity encoded whole. */
  readonly entities: readonly { readonly name: EntityName; readonly image: Uint8Array }[];
  /** What is above it, in stream order. */
  readonly tail: readonly TailCommit[];
  /**
   * When set, the image builds upon a copy that holds this stream up to this position at least: it
   * names only entities touched above it, and the receiver replaces its tail from `committed` on.
   */
  readonly from: ImageBasis | undefined;
}

/** A message that carries a copy. */
export type ImageMessage = Extract<PartitionMessage, { readonly type: "base" | "copy" }>;

/** A part of a copy that is too large for one message. */
export interface ImagePiece {
  readonly type: "piece";
  /** Numbers the images that their sender has cut. */
  readonly image: number;
  /** Counts the pieces of one image, from 0. */
  readonly index: number;
  readonly entities: CopyImage["entities"];
  readonly tail: CopyImage["tail"];
  /** In the last piece: the message itself, without the entities and commits of the pieces. */
  readonly rest: ImageMessage | undefined;
}

/** Batched over all partitions that two nodes share. */
export interface ReplicationMessage {
  readonly entries: readonly {
    readonly partition: PartitionId;
    readonly message: PartitionMessage | ImagePiece;
  }[];
}
