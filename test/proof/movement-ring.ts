/**
 * How much of the table moves when one member comes or goes, against the share that it must hold. Of
 * many clusters whose ids are drawn by chance, because how much falls to a newcomer is chance too: each
 * of 1,024 partitions gives it a place with the probability 3 / n, however it is hashed. At 31 members
 * that is a deviation of 9.5 %, and 0.6 % of such draws are above 1.25 × the mean (binomial). For
 * comparison the same members are placed by rendezvous hashing, which moves what falls to the newcomer
 * and nothing else, and balances nothing.
 */
import { murmur3 } from "../../src/codec/murmur3.ts";
import type { Random } from "../../src/model/random.ts";
import { seededRandom } from "../../src/platform/seeded-random.ts";
import { defaultPartitionCount as partitionCount } from "../../src/ring/partition.ts";
import { placementOf, type Placement } from "../../src/ring/placement.ts";

const replicas = 3;

/** Of one size: for each cluster, places moved over the places that the member that came must hold. */
export interface RingMoves {
  /** Members before one came; the same when it goes. */
  readonly size: number;
  readonly joins: readonly number[];
  readonly leaves: readonly number[];
  readonly byRendezvous: readonly number[];
}

export function ringMoves(size: number, setCount: number): RingMoves {
  const random = seededRandom(size, "movement");
  const joins: number[] = [];
  const leaves: number[] = [];
  const byRendezvous: number[] = [];
  const ideal = (partitionCount * replicas) / (size + 1);
  for (let set = 0; set < setCount; set++) {
    const ids = drawIds(random, size + 1);
    const [few, many] = [placed(ids.slice(0, size)), placed(ids)];
    joins.push(newPlaces(few, many) / ideal);
    leaves.push(newPlaces(many, few) / ideal);
    byRendezvous.push(rendezvousPlaces(ids) / ideal);
  }
  return { size, joins, leaves, byRendezvous };
}

/** Different ones, as addresses are. */
function drawIds(random: Random, count: number): readonly string[] {
  const ids = new Set<string>();
  const part = (): number => Math.floor(random() * 256);
  while (ids.size < count) ids.add(`10.${part()}.${part()}.${part()}:7400`);
  return [...ids];
}

function placed(ids: readonly string[]): Placement {
  const members = ids.map((id) => ({ id, weight: 1, zone: "" }));
  return placementOf(members, { partitionCount, replicas });
}

/** Places in the second table that are not in the first: copies that have to be made. */
function newPlaces(before: Placement, after: Placement): number {
  let count = 0;
  for (let partition = 0; partition < partitionCount; partition++) {
    const old = before.ownersOf(partition);
    count += after.ownersOf(partition).filter((owner) => !old.includes(owner)).length;
  }
  return count;
}

/** Partitions in which the last id is among the owners by the highest hash of id and partition. */
function rendezvousPlaces(ids: readonly string[]): number {
  const last = ids.at(-1)!;
  let count = 0;
  for (let partition = 0; partition < partitionCount; partition++) {
    const own = murmur3(last, partition);
    const better = ids.filter((id) => murmur3(id, partition) > own).length;
    if (better < replicas) count += 1;
  }
  return count;
}
