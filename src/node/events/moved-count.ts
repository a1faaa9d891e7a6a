import type { Placement } from "../../ring/placement.ts";

/** Partitions whose owners, or the order of them, differ; all when there was no table before. */
export function movedCount(placement: Placement, before: Placement | undefined): number {
  let count = 0;
  for (let partition = 0; partition < placement.partitionCount; partition++) {
    const owners = placement.ownersOf(partition);
    const previous = before?.ownersOf(partition) ?? [];
    const isSame =
      owners.length === previous.length &&
      owners.every((owner, index) => owner === previous[index]);
    if (!isSame) count += 1;
  }
  return count;
}
