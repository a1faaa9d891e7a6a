/** Reads the use of a node's functions off its parts. */
import type { EntityName, PartitionId } from "../model/ids.ts";
import type { NodeParts } from "./node-parts.ts";
import { checkStatsOptions, type NodeStats, type StatsOptions } from "./stats.ts";

/** @throws LatticeError `invalid_argument`; `not_found` for a function that the node does not have */
export function statsOf(parts: NodeParts, options: StatsOptions): NodeStats {
  const { turns, registry, partitions } = parts;
  const { metering } = turns.meter;
  const { functionName, topCount } = checkStatsOptions(options);
  const names = functionName === undefined ? registry.names : [registry.find(functionName).name];
  return { since: metering.since, functions: metering.read(names, topCount, sizeOf) };

  function sizeOf(partition: PartitionId, name: EntityName): number {
    if (!partitions.isServing(partition)) return 0;
    return partitions.visible(partition, name).entity?.stateBytes ?? 0;
  }
}
