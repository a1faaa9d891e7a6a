/**
 * Every message that crosses the network, as one union. A frame holds one or more messages of one
 * channel, in order. See `README.md` for the bytes and the hand shake.
 */
import type { Acks, ReadFrom } from "../model/acks.ts";
import type { BootId, EntityName, NodeId, PartitionId, ProcessId } from "../model/ids.ts";
import type { Mark } from "../model/mark.ts";
import type { HybridTime } from "../model/time.ts";
import type { ErrorCode } from "../model/error.ts";
import type { MembershipMessage } from "./membership-messages.ts";
import type { ReplicationMessage } from "./replication-messages.ts";

export type Message =
  | HelloMessage
  | WelcomeMessage
  | RefusedMessage
  | GoodbyeMessage
  | EchoMessage
  | CallMessage
  | ReplyMessage
  | FailureMessage
  | CancelMessage
  | TableMessage
  | PrimariesMessage
  | WatchMessage
  | UnwatchMessage
  | SnapshotMessage
  | ChangeMessage
  | WatchEndMessage
  | { readonly type: "membership"; readonly message: MembershipMessage }
  | {
      readonly type: "replication";
      /** Sender and receiver process; dropped when `to` is an earlier life of the receiver. */
      readonly from: ProcessId;
      readonly to: ProcessId;
      readonly message: ReplicationMessage;
    };

export type ChannelName = "control" | "data" | "bulk";

/** What all nodes of a cluster must agree on. */
export interface ClusterSettings {
  readonly partitionCount: number;
  readonly replicas: number;
  readonly placementVersion: number;
}

/** First message of the dialling side of every connection. */
export interface HelloMessage {
  readonly type: "hello";
  readonly protocolMin: number;
  readonly protocolMax: number;
  readonly features: readonly string[];
  readonly channel: ChannelName;
  readonly cluster: string;
  /** Absent for clients. */
  readonly node?: NodeIdentity;
}

export interface NodeIdentity {
  readonly id: NodeId;
  readonly boot: BootId;
  /** Where others can dial it. */
  readonly address: string;
  readonly zone: string;
  /** A multiple of 0.1, at least 0.1. */
  readonly weight: number;
  readonly settings: ClusterSettings;
}

/** The accepting side agrees. A client then receives a full `table` too. */
export interface WelcomeMessage {
  readonly type: "welcome";
  readonly protocol: number;
  readonly features: readonly string[];
  readonly cluster: string;
  readonly node: NodeIdentity;
}

export type RefusalCode =
  | "protocol_mismatch"
  | "cluster_mismatch"
  | "settings_mismatch"
  | "duplicate_node"
  | "same_node"
  | "boot_too_low"
  | "leaving"
  | "not_ready"
  | "overloaded"
  | "malformed";

/** The accepting side does not agree; it closes after sending. */
export interface RefusedMessage {
  readonly type: "refused";
  readonly code: RefusalCode;
  readonly message: string;
  /** With `boot_too_low`: the highest boot id known for this node id. */
  readonly rememberedBoot?: BootId;
}

/** Last message before an intended close: the peer is not to be suspected of a crash. */
export interface GoodbyeMessage {
  readonly type: "goodbye";
  /**
   * `done`, from clients: closed, and each call that it ever sent under (caller, number) to any node has
   * been answered by a node that knew what became of it. So none can arrive any more.
   */
  readonly reason: "leaving" | "duplicate_link" | "idle" | "closed" | "done";
}

/** Asks whether a data channel still works, and answers that: a suspect that answers is not lost. */
export interface EchoMessage {
  readonly type: "echo";
  readonly reply: boolean;
}

/** One call of one handler or query. Numbers that do not apply are 0, strings "". */
export interface CallMessage {
  readonly type: "call";
  /** Chosen by the sender, unique among its calls in flight on this link. */
  readonly id: number;
  readonly partition: PartitionId;
  /** Low 32 bits of the sender's table id; a mismatch triggers a `table`, never a failure. */
  readonly tableId: number;
  /** Network legs so far, this one included: 1 … 3. */
  readonly hop: number;
  readonly functionName: string;
  readonly key: string;
  /** Where its receiver found the key in its `KeyTable`, or `noSlot`; not sent. */
  readonly keySlot?: number;
  readonly operation: string;
  /** Who is protected against running twice; "" with `number` 0 when unprotected. */
  readonly caller: string;
  readonly number: number;
  /** The caller has the answers of all its calls below this number. */
  readonly received: number;
  /** Milliseconds left when sent. */
  readonly timeoutMs: number;
  /** 0: as the function says; 255: all owners; else a number of copies. */
  readonly acks: number;
  /** Bits, see `callFlags`. */
  readonly flags: number;
  /** Age of the root call, for wait–die; 0 for a root call that has none yet. */
  readonly ageTime: HybridTime;
  readonly ageId: string;
  /** The newest that the session of the call has seen of the partition, if it is made in one. */
  readonly seen: Mark | undefined;
  /**
   * Entities of the turns further up this chain of calls, outermost first; at most 16. They are held, but
   * for those that `~` stands before: these turns have no state.
   */
  readonly chain: readonly EntityName[];
  /** The caller's span as a W3C traceparent; "" for a call without a trace. */
  readonly trace: string;
  /** The encoded `Value`; empty when there is no input. */
  readonly input: Uint8Array;
}

/** How a call says "all owners". */
export const allOwnersAcks = 255;

/** How a call says how many copies it wants; 0: as its function says. */
export function acksNumber(acks: Acks | undefined): number {
  if (acks === undefined) return 0;
  return acks === "all" ? allOwnersAcks : acks;
}

export const callFlags = {
  /** The caller agreed to degraded service. */
  degradedAllowed: 1,
  /** Override of the function's `whenSplit`. */
  splitServe: 2,
  splitRefuse: 4,
  strictAcks: 8,
  /** Sent by an outbox: `caller` names the sending entity and writer; the answer carries no value. */
  outbox: 16,
  /** The same call was sent before: its first attempt may have run. */
  retry: 32,
  /** Made in a session: never served degraded, and the reply tells what it has seen. */
  session: 64,
  /** A query that any owner may answer. */
  readAny: 128,
  /** A query whose answer a majority has to confirm. */
  readLinearizable: 256,
  /**
   * Times 1 … 7, in three bits: a query of so many owners, the newest of whose answers counts. With 1 it
   * is of the one that is asked, whose answer is being compared; with `seen` it is no query: the owner
   * is told what others have.
   */
  readCount: 512,
  /** The first of a chain of calls: `input` is a map of its `input`, and the stages to come. */
  piped: 4096,
} as const;

/** How many owners a query is to compare, 1 for one whose answer is compared; 0 for others. */
export function readCountOf(flags: number): number {
  return (flags >>> 9) & 7;
}

/** Where a query may run, as flags of its call. */
export function readFlags(readFrom: ReadFrom | undefined): number {
  if (typeof readFrom === "number") return readFrom * callFlags.readCount;
  if (readFrom === "any") return callFlags.readAny;
  return readFrom === "linearizable" ? callFlags.readLinearizable : 0;
}

export interface ReplyMessage {
  readonly type: "reply";
  readonly id: number;
  /** Bits, see `replyFlags`. */
  readonly flags: number;
  readonly copies: number;
  /** Network legs the call took. */
  readonly hops: number;
  /** Node that ran it. */
  readonly node: NodeId;
  /** Of a call in a session: what it was shown, by partition; with the flag `seen`. */
  readonly seen: readonly SeenPartition[] | undefined;
  /** The encoded result; empty means `undefined`. */
  readonly value: Uint8Array;
}

export interface SeenPartition {
  readonly partition: PartitionId;
  readonly mark: Mark;
}

export const replyFlags = { degraded: 1, fromDedupe: 2, seen: 4 } as const;

/** `degraded_offered`: nothing happened; resend with `degradedAllowed` to be served without a majority. */
export type FailureCode = ErrorCode | "degraded_offered";

export interface FailureMessage {
  readonly type: "failure";
  readonly id: number;
  readonly code: FailureCode;
  readonly message: string;
  readonly indeterminate: boolean;
  readonly retryAfterMs: number;
  readonly node: NodeId;
  /** With `not_owner` and `unavailable`: the primary as far as the sender knows, or "". */
  readonly primary: NodeId;
  /** The id of the call in log lines, or "" for one that none was made for. */
  readonly call: string;
  /** Encoded `data` of `ctx.fail`; empty when there is none. */
  readonly data: Uint8Array;
}

export interface CancelMessage {
  readonly type: "cancel";
  readonly id: number;
}

/**
 * The routing table, from a node to a client (whole on connect, then only what changed). Owners are
 * indexes into `members`, the actual primary first as far as the sender knows.
 */
export interface TableMessage {
  readonly type: "table";
  /** Rises with every table this node sends; deltas apply to the one before. */
  readonly version: number;
  readonly tableId: number;
  readonly partitionCount: number;
  readonly members: readonly {
    readonly id: NodeId;
    readonly address: string;
    readonly boot: BootId;
  }[];
  /** All partitions (full table) or those that changed. */
  readonly full: boolean;
  readonly owners: readonly {
    readonly partition: PartitionId;
    readonly members: readonly number[];
  }[];
  /** Present in full tables. */
  readonly functions?: readonly CatalogueEntry[];
}

/**
 * Partitions whose primary the sender has become (or, on a new link, is). It is a hint for routing
 * and never authority: a higher term number replaces a lower one.
 */
export interface PrimariesMessage {
  readonly type: "primaries";
  readonly entries: readonly { readonly partition: PartitionId; readonly term: number }[];
}

/** What a caller needs to know of a function it only has the name of. */
export interface CatalogueEntry {
  readonly name: string;
  readonly handlers: readonly string[];
  readonly queries: readonly string[];
  readonly whenSplit: "serve" | "refuse";
  /** 0: no protection needed (`acks: 1`); the number of copies, 255 for all. */
  readonly acks: number;
  readonly deadlineMs: number;
  /** It keeps nothing: any node runs its calls, and no protection stands behind them. */
  readonly stateless: boolean;
}

export interface WatchMessage {
  readonly type: "watch";
  readonly id: number;
  readonly partition: PartitionId;
  readonly functionName: string;
  readonly key: string;
  /** "" for the whole state, else a field; with `query` a query name. */
  readonly field: string;
  readonly query: boolean;
  readonly input: Uint8Array;
  /** Version last seen, "" for none. */
  readonly resume: string;
}

export interface UnwatchMessage {
  readonly type: "unwatch";
  readonly id: number;
}

export interface SnapshotMessage {
  readonly type: "snapshot";
  readonly id: number;
  /** Opaque. */
  readonly version: string;
  readonly degraded: boolean;
  /** Encoded plain value. */
  readonly value: Uint8Array;
}

export interface ChangeMessage {
  readonly type: "change";
  readonly id: number;
  readonly base: string;
  readonly version: string;
  readonly degraded: boolean;
  /** Encoded difference of `live/difference.ts`. */
  readonly difference: Uint8Array;
}

export interface WatchEndMessage {
  readonly type: "watch-end";
  readonly id: number;
  readonly code: ErrorCode;
  readonly message: string;
  readonly primary: NodeId;
}
