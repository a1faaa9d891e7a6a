/**
 * What keeps a cluster from being at rest (P3 of `docs/replication.md`): all members known alike,
 * every partition led by one primary whose owner set is the table's, every owner at its position,
 * nothing waiting anywhere. Looks into the nodes, so it needs no messages and changes nothing.
 */
import { nodeOf } from "../model/ids.ts";
import type { PartitionId, ProcessId } from "../model/ids.ts";
import { sameTerm } from "../model/term.ts";
import type { LatticeNode } from "../node/lattice-node.ts";
import type { NodeParts } from "../node/node-parts.ts";
import type { Replica } from "../replication/replica.ts";
import type { Entity } from "../state/entity.ts";

/** The first reason why these nodes, which should be all that run, are not at rest. */
export function unrest(nodes: readonly LatticeNode[]): string | undefined {
  const parts = nodes.map((node) => node.parts);
  const first = parts[0];
  if (first === undefined) return "no node runs";
  return (
    nodeAlone(parts) ??
    viewsDiffer(parts) ??
    tablesDiffer(parts) ??
    partitionsAtWork(parts) ??
    callsUnderWay(parts)
  );
}

/** Timers that will fire later. A cluster is at rest with them, but more is to come of it. */
export function timersWaiting(nodes: readonly LatticeNode[]): string | undefined {
  const node = nodes.find(({ parts }) => parts.entityTimers.count > 0);
  return node && `${node.identity.id} has ${String(node.parts.entityTimers.count)} timers`;
}

function nodeAlone(parts: readonly NodeParts[]): string | undefined {
  const alone = parts.find(({ birth }) => !birth.exists);
  return alone && `${alone.self} has not found the cluster`;
}

/** Everybody holds exactly the running processes alive. */
export function viewsDiffer(parts: readonly NodeParts[]): string | undefined {
  const running = new Map(parts.map(({ foundation: { identity } }) => [identity.id, identity]));
  for (const { cluster, foundation } of parts) {
    const { id: observer } = foundation.identity;
    const { members } = cluster;
    for (const [id, { boot }] of running) {
      const seen = members.get(id);
      const isRight = seen?.status === "alive" && seen.boot === boot && !seen.leaving;
      if (!isRight) return `${observer} holds ${id} ${seen?.status ?? "unknown"}`;
    }
    const wrong = [...members.values()].find(
      ({ id, status }) => !running.has(id) && status !== "dead" && status !== "left",
    );
    if (wrong !== undefined) return `${observer} holds ${wrong.id} ${wrong.status}`;
  }
  return undefined;
}

function tablesDiffer(parts: readonly NodeParts[]): string | undefined {
  const first = parts[0]!;
  for (const { routes, foundation } of parts) {
    if (routes.tableId === first.routes.tableId) continue;
    return `${foundation.identity.id} and ${first.foundation.identity.id} have different tables`;
  }
  return undefined;
}

function partitionsAtWork(parts: readonly NodeParts[]): string | undefined {
  const byProcess = new Map(parts.map((part) => [part.self, part]));
  const { partitionCount } = parts[0]!.settings;
  for (let partition = 0; partition < partitionCount; partition++) {
    const why = atWork(partition, parts, byProcess);
    if (why !== undefined) return `partition ${String(partition)}: ${why}`;
  }
  return undefined;
}

function atWork(
  partition: PartitionId,
  parts: readonly NodeParts[],
  byProcess: ReadonlyMap<ProcessId, NodeParts>,
): string | undefined {
  let primary: Replica<Entity> | undefined;
  let leader: NodeParts | undefined;
  for (const part of parts) {
    const replica = part.partitions.replica(partition);
    if (replica === undefined) continue;
    if (replica.serving === "degraded") return `${part.self} serves degraded`;
    if (replica.forkCommits > 0) return `${part.self} has a fork`;
    if (replica.role === "candidate") return `${part.self} wants to lead`;
    if (replica.role !== "primary") continue;
    if (leader !== undefined) return `${leader.self} and ${part.self} both lead`;
    if (replica.isHandingOver) return `${part.self} hands over`;
    [primary, leader] = [replica, part];
  }
  if (primary === undefined || leader === undefined) return "nobody leads";
  return ownersAtWork(partition, primary, leader, byProcess);
}

function ownersAtWork(
  partition: PartitionId,
  primary: Replica<Entity>,
  leader: NodeParts,
  byProcess: ReadonlyMap<ProcessId, NodeParts>,
): string | undefined {
  const owners = primary.owners?.processes ?? [];
  const { term } = primary;
  const { position, committed } = primary.progress!;
  if (committed !== position + 1) return `position ${String(position)} is not committed`;
  const table = [...leader.routes.ownersOf(partition)].sort();
  const actual = owners.map(nodeOf).sort();
  if (actual.join() !== table.join()) {
    return `owned by ${actual.join(" ")} and not by ${table.join(" ")}`;
  }
  for (const process of owners) {
    const replica = byProcess.get(process)?.partitions.replica(partition);
    if (replica === undefined) return `owner ${process} does not run`;
    if (!sameTerm(replica.standing.synced, term)) return `${process} is in another term`;
    if (replica.progress?.position !== position) return `${process} lags`;
    if (replica.progress.committed !== committed) return `${process} does not know what stays`;
  }
  return undefined;
}

function callsUnderWay(parts: readonly NodeParts[]): string | undefined {
  for (const { turns, outbox, entityTimers, clusterClock, foundation, self } of parts) {
    if (turns.inFlightCount > 0) return `${self} has ${String(turns.inFlightCount)} turns`;
    if (outbox.depth > 0) return `${self} has ${String(outbox.depth)} calls in outboxes`;
    const dueCount = entityTimers.dueCount(clusterClock.read(foundation.platform.clock.now()));
    if (dueCount > 0) return `${self} has ${String(dueCount)} timers that are due`;
  }
  return undefined;
}
