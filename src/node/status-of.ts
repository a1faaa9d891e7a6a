/** Reads a node's status off its parts. */
import type { PartitionId } from "../model/ids.ts";
import type { NodeParts } from "./node-parts.ts";
import type { NodeStatus } from "./status.ts";
import { underReplicated } from "./under-replicated.ts";

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
      resting: member.resting,
      linked: member.id === identity.id || parts.links.link(member.id) !== undefined,
    })),
    ...partitionStatus(parts),
    outboxDepth: parts.outbox.depth,
    timers: parts.entityTimers.count,
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
      timersFired: parts.entityTimers.firedCount,
      timersFailed: parts.entityTimers.failedCount,
      aborted: parts.turns.abortedCount,
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
  }
  return {
    primaries,
    copies,
    underReplicated: [...underReplicated(parts)],
    degraded,
    forkedCommits,
    entities,
  };
}
