/**
 * Whom a node keeps links to in a cluster that is too large for a full mesh: those that it looks
 * after, and some at random, who are kept until they are gone. Links to others are opened when there is
 * something to say, and closed when they have been idle.
 */
import { watchedBy } from "../../../src/membership/watched.ts";
import { randomBelow, type Random } from "../../../src/model/random.ts";

/** Up to so many members everybody is linked to everybody. */
export const fullMeshMax = 100;
const randomCount = 32;
const watchedCount = 3;

export class SparseLinks {
  readonly #random: Random;
  readonly #drawn = new Set<string>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** @param others ids of the living but this node */
  wanted(self: string, others: readonly string[]): ReadonlySet<string> {
    if (others.length < fullMeshMax) return new Set(others);
    const living = new Set(others);
    for (const id of this.#drawn) if (!living.has(id)) this.#drawn.delete(id);
    while (this.#drawn.size < randomCount) {
      this.#drawn.add(others[randomBelow(this.#random, others.length)]!);
    }
    return new Set([...this.#drawn, ...watchedBy(self, others, watchedCount)]);
  }
}
