/**
 * Visits its nodes in random order, each once a round. Unlike drawing at random, this bounds the
 * worst case: everybody is met within two rounds (SWIM, Das et al. 2002, §4.3). Newcomers enter at a
 * random place, so that nodes that join together are not visited together.
 */
import type { NodeId } from "../model/ids.ts";
import type { Random } from "../model/random.ts";
import { randomBelow } from "../model/random.ts";
import { shuffle } from "./shuffle.ts";

export class ShuffledCycle {
  readonly #random: Random;
  readonly #reshuffled: boolean;
  readonly #nodes: NodeId[] = [];
  #position = 0;

  /** With `reshuffled: false` every round has the same order, random as it is. */
  constructor(random: Random, { reshuffled = true }: { readonly reshuffled?: boolean } = {}) {
    this.#random = random;
    this.#reshuffled = reshuffled;
  }

  add(node: NodeId): void {
    if (this.#nodes.includes(node)) return;
    const at = randomBelow(this.#random, this.#nodes.length + 1);
    this.#nodes.splice(at, 0, node);
    if (at < this.#position) this.#position++;
  }

  remove(node: NodeId): void {
    const at = this.#nodes.indexOf(node);
    if (at < 0) return;
    this.#nodes.splice(at, 1);
    if (at < this.#position) this.#position--;
  }

  next(): NodeId | undefined {
    if (this.#position >= this.#nodes.length) {
      if (this.#reshuffled) shuffle(this.#nodes, this.#random);
      this.#position = 0;
    }
    return this.#nodes[this.#position++];
  }

  /** The next `count` of the order, no node twice. */
  take(count: number): readonly NodeId[] {
    const taken: NodeId[] = [];
    const available = Math.min(count, this.#nodes.length);
    // A round may end in the middle and the new one begin with a node already taken.
    for (let tries = 0; taken.length < available && tries < 2 * this.#nodes.length; tries++) {
      const node = this.next();
      if (node !== undefined && !taken.includes(node)) taken.push(node);
    }
    return taken;
  }
}
