/** What a node tells of itself; plain data, so that it can be printed, sent and compared. */
import type { NodeId, PartitionId } from "../model/ids.ts";
import type { MemberStatus } from "../wire/membership-messages.ts";
import type { NodeParts } from "./node-parts.ts";

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
  /** Calls answered without a majority. */
  readonly degradedReplies: number;
  readonly forksMerged: number;
}

export function statusOf(
  parts: NodeParts,
  life: { readonly ready: boolean; readonly leaving: boolean },
): NodeStatus {
  const { identity } = parts.foundation;
  return {
    node: identity.id,
    boot: identity.boot,
    address: identity.address,
    cluster: parts.settings.cluster,
    ready: life.ready,
    leaving: life.leaving,
    members: [...parts.cluster.members.values()].map((member) => ({
      id: member.id,
      address: member.address,
      status: member.status,
      leaving: member.leaving,
      linked: member.id === identity.id || parts.links.link(member.id) !== undefined,
    })),
    ...partitionStatus(parts),
    outboxDepth: parts.outbox.depth,
    clients: parts.clients.count,
    watches: parts.watches.count,
    callsInFlight: parts.turns.inFlightCount,
    counters: {
      served: parts.calls.servedCount,
      retried: parts.calls.retriedCount,
      forwarded: parts.calls.forwardCount,
      takeovers: parts.counts.takeovers,
      dedupeHits: parts.turns.dedupeHitCount,
      outboxDelivered: parts.outbox.deliveredCount,
      outboxRedelivered: parts.outbox.redeliveredCount,
      degradedReplies: parts.turns.degradedReplyCount,
      forksMerged: parts.counts.forksMerged,
    },
  };
}

function partitionStatus(
  parts: NodeParts,
): Pick<
  NodeStatus,
  "primaries" | "copies" | "underReplicated" | "degraded" | "forkedCommits" | "entities"
> {
  const primaries: { partition: PartitionId; term: number }[] = [];
  const underReplicated: PartitionId[] = [];
  const degraded: PartitionId[] = [];
  let copies = 0;
  let forkedCommits = 0;
  let entities = 0;
  for (const [partition, replica] of parts.partitions.held()) {
    if (replica.role !== "absent") copies += 1;
    forkedCommits += replica.forkCommits;
    for (const _ of replica.entityNames()) entities += 1;
    if (replica.serving === "degraded") degraded.push(partition);
    if (replica.role !== "primary" || replica.term === undefined) continue;
    primaries.push({ partition, term: replica.term.number });
    const wanted = Math.min(parts.settings.replicas, parts.routes.ownersOf(partition).length);
    if (!replica.isReplicated(wanted)) underReplicated.push(partition);
  }
  return { primaries, copies, underReplicated, degraded, forkedCommits, entities };
}
