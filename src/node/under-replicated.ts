/** Partitions that this node leads and that have fewer copies than they should. */
import type { PartitionId } from "../model/ids.ts";
import type { Routes } from "./cluster/routes.ts";
import type { Partitions } from "./partitions/partitions.ts";

/** With fewer owners than there should be, or one that lags or is away, at this moment. */
export function* underReplicated(parts: {
  readonly partitions: Partitions;
  readonly routes: Routes;
  readonly settings: { readonly replicas: number };
}): IterableIterator<PartitionId> {
  const { partitions, routes, settings } = parts;
  for (const [partition, replica] of partitions.held()) {
    if (replica.role !== "primary") continue;
    const wanted = Math.min(settings.replicas, routes.ownersOf(partition).length);
    if (!replica.isReplicated(wanted)) yield partition;
  }
}
