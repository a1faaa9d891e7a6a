/**
 * The consistent-hashing ring, and the cage around `hashring`, which nothing else may touch. The
 * library is sound for what is asked of it here (ketama: 4 points per virtual node from md5, sorted
 * points, binary search) and has traps for everything else, each of them with a test:
 *
 * 1. `get()` caches by key in a plain object: `get("__proto__")` pollutes `Object.prototype` of the
 *    whole process. Only `range()` is called, on names that are made here. Server names are kept in a
 *    plain object too: a node called `__proto__` would have no points. So every id gets a prefix.
 * 2. Servers without an explicit count of virtual nodes lose some to a rounding error at 7, 14, 28,
 *    49 … members. So each server gets its own count, never equal to the `vnode count` option.
 * 3. Equal points keep the order in which servers were given. So the ring is built from the sorted
 *    member list and never changed by `add` or `remove`.
 */
import HashRing from "hashring";
import { assert } from "../model/assert.ts";
import type { NodeId, PartitionId } from "../model/ids.ts";

/** Per unit of weight; each makes 4 points. */
const virtualNodesPerWeight = 40;
/** The option that trap 2 is about; no server may have as many. */
const forbiddenVirtualNodes = 1;
const idPrefix = "n:";

export interface RingMember {
  readonly id: NodeId;
  readonly weight: number;
}

/** For each partition, members in the order in which they should own it. */
export class Candidates {
  readonly #ring: HashRing;
  readonly #count: number;

  /**
   * @param members sorted by id, without duplicates
   * @param countMax how many candidates a partition gets, when there are as many members
   */
  constructor(members: readonly RingMember[], countMax: number) {
    this.#count = Math.min(members.length, countMax);
    const servers: Record<string, { readonly vnodes: number }> = {};
    for (const { id, weight } of members) servers[idPrefix + id] = { vnodes: virtualNodes(weight) };
    this.#ring = new HashRing(servers, "md5", {
      "vnode count": forbiddenVirtualNodes,
      "max cache size": 1,
    });
  }

  of(partition: PartitionId): readonly NodeId[] {
    if (this.#count === 0) return [];
    const names = this.#ring.range(`p:${String(partition)}`, this.#count);
    return names.map((name) => name.slice(idPrefix.length));
  }
}

function virtualNodes(weight: number): number {
  const count = Math.round(virtualNodesPerWeight * weight);
  assert(count > forbiddenVirtualNodes, `weight ${String(weight)} is too small for a ring`);
  return count;
}
