/** Partitions that this node leads and that have fewer copies than they should. */
import type { Member } from "../membership/member.ts";
import type { NodeId, PartitionId } from "../model/ids.ts";
import type { Routes } from "./cluster/routes.ts";
import type { Partitions } from "./partitions/partitions.ts";

/** With fewer owners than there should be, or one that lags or is away, at this moment. */
export function* underReplicated(parts: {
  readonly partitions: Partitions;
  readonly routes: Routes;
  readonly cluster: { readonly members: ReadonlyMap<NodeId, Member> };
  readonly settings: { readonly replicas: number };
}): IterableIterator<PartitionId> {
  const { partitions, routes, settings, cluster } = parts;
  let staying = 0;
  for (const { status, leaving } of cluster.members.values()) {
    if (status === "alive" && !leaving) staying += 1;
  }
  for (const [partition, replica] of partitions.held()) {
    if (replica.role !== "primary") continue;
    // A node that has just come is in no table yet, and whoever waits for its copies would go on.
    const possible = Math.max(staying, routes.ownersOf(partition).length);
    const wanted = Math.min(settings.replicas, possible);
    if (!replica.isReplicated(wanted)) yield partition;
  }
}
