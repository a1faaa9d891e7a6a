/**
 * What a node tells of itself; plain data, so that it can be printed, sent and compared. It is part
 * of the public types, so it names nothing of what a node is made of.
 */
import type { NodeId, PartitionId } from "../model/ids.ts";
import type { MemberStatus } from "../wire/membership-messages.ts";

export interface NodeStatus {
  readonly node: NodeId;
  readonly boot: number;
  readonly address: string;
  readonly cluster: string;
  /** The cluster exists, and so many nodes as wanted are alive. */
  readonly ready: boolean;
  readonly leaving: boolean;
  readonly members: readonly MemberState[];
  /** Partitions that this node leads, with their terms. */
  readonly primaries: readonly { readonly partition: PartitionId; readonly term: number }[];
  /** Partitions of which this node holds a copy. */
  readonly copies: number;
  /** Led by this node, with fewer owners than there should be or one that lags or is away. */
  readonly underReplicated: readonly PartitionId[];
  /** Partitions served without a majority. */
  readonly degraded: readonly PartitionId[];
  /** Degraded commits that wait to be merged. */
  readonly forkedCommits: number;
  /** Calls in the outboxes of the entities that this node leads. */
  readonly outboxDepth: number;
  /** Timers of the entities that this node leads. */
  readonly timers: number;
  /** Entities held, as owner or primary. */
  readonly entities: number;
  readonly clients: number;
  readonly watches: number;
  readonly callsInFlight: number;
  readonly counters: NodeCounters;
}

export interface MemberState {
  readonly id: NodeId;
  readonly address: string;
  readonly status: MemberStatus;
  readonly leaving: boolean;
  /** It was started too often lately, and takes no partitions for a while. */
  readonly resting: boolean;
  readonly linked: boolean;
}

/** Since the start of this process. */
export interface NodeCounters {
  /** Calls run here. */
  readonly served: number;
  /** Those among them that their caller had sent before. */
  readonly retried: number;
  /** Calls passed on to other nodes. */
  readonly forwarded: number;
  /** Times this process became primary of a partition after the birth of the cluster. */
  readonly takeovers: number;
  /** Answers from the dedupe table: a call that came twice took effect once. */
  readonly dedupeHits: number;
  /** Calls that an outbox delivered, and how often one had to be sent again. */
  readonly outboxDelivered: number;
  readonly outboxRedelivered: number;
  /** Timers that took effect, and those whose handler will never take them. */
  readonly timersFired: number;
  readonly timersFailed: number;
  /** Calls from inside turns that gave way to an older chain of calls. */
  readonly aborted: number;
  /** Calls answered without a majority. */
  readonly degradedReplies: number;
  readonly forksMerged: number;
}
