/**
 * Keeps a node's events until its parent asks for them. It begins with the first question: what only
 * readers of events want has its cost, and most parents never ask.
 */
import type { NodeEvent } from "latticework/node";
import type { LatticeNode } from "../../src/node/lattice-node.ts";

export class KeptEvents {
  readonly #node: LatticeNode;
  #kept: NodeEvent[] = [];
  #isReading = false;

  constructor(node: LatticeNode) {
    this.#node = node;
  }

  /** Those of these types since this was called last. Others are forgotten. */
  take(types: readonly NodeEvent["type"][]): readonly NodeEvent[] {
    if (!this.#isReading) {
      this.#isReading = true;
      void this.#read();
    }
    const taken = this.#kept.filter(({ type }) => types.includes(type));
    this.#kept = [];
    return taken;
  }

  async #read(): Promise<void> {
    for await (const event of this.#node.events()) this.#kept.push(event);
  }
}
