/** What the processes that hold a partition tell each other (`docs/replication.md`, rules 1–21). */
import type { EntityName, PartitionId, ProcessId, WriterId } from "../model/ids.ts";
import type { Term } from "../model/term.ts";

/** The owner set and where in the stream it was set. */
export interface Owners {
  readonly processes: readonly ProcessId[];
  /** Stream position of the change that set it; 0: came with the base. */
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
  /** The encoded delta. */
  readonly delta: Uint8Array;
}

/** A commit whose place in the stream is known but which is not known to be committed. */
export interface TailCommit {
  /** 0 for what a new term inherited. */
  readonly position: number;
  readonly commit: Commit;
}

export type PartitionMessage =
  | { readonly type: "prepare"; readonly term: Term; readonly handover: boolean }
  | {
      readonly type: "promise";
      readonly term: Term;
      readonly synced: Term;
      readonly position: number;
      readonly committed: number;
      readonly owners: Owners;
      readonly digest: number;
    }
  | { readonly type: "refuse"; readonly term: Term; readonly standing: Standing }
  | { readonly type: "stale"; readonly standing: Standing }
  /** A candidate fetches the best copy it was promised. */
  | { readonly type: "fetch"; readonly term: Term }
  | { readonly type: "copy"; readonly term: Term; readonly copy: CopyImage }
  | { readonly type: "base"; readonly term: Term; readonly position: number; readonly copy: CopyImage }
  | {
      readonly type: "delta";
      readonly term: Term;
      readonly position: number;
      readonly committed: number;
      readonly commit: Commit | undefined;
      /** Present when this position changes the owner set. */
      readonly owners: readonly ProcessId[] | undefined;
    }
  /** Tells the committed position when no delta carries it. */
  | { readonly type: "committed"; readonly term: Term; readonly committed: number }
  | { readonly type: "ack"; readonly term: Term; readonly position: number }
  | { readonly type: "need"; readonly term: Term }
  | { readonly type: "handover"; readonly term: Term }
  | { readonly type: "forked"; readonly commits: readonly Commit[] }
  | { readonly type: "merged"; readonly commits: readonly { readonly entity: EntityName; readonly writer: WriterId; readonly sequence: number }[] }
  | { readonly type: "hello"; readonly standing: Standing };

/** A copy of a partition on the wire. */
export interface CopyImage {
  readonly genesis: string;
  readonly synced: Term;
  readonly position: number;
  readonly committed: number;
  readonly owners: Owners;
  /** The known-committed part, each entity encoded whole. */
  readonly entities: readonly { readonly name: EntityName; readonly image: Uint8Array }[];
  /** What is above it, in stream order. */
  readonly tail: readonly TailCommit[];
  /** Set when only entities that differ from the receiver's copy are included (rule 2, "cheap"). */
  readonly partial: boolean;
}

/** Batched over all partitions that two nodes share. */
export interface ReplicationMessage {
  readonly entries: readonly { readonly partition: PartitionId; readonly message: PartitionMessage }[];
}
