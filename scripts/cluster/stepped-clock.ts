/**
 * The wall clock of this process as an operator, or a time service gone wrong, might set it. It stands
 * in for the machine's: `Date.now` of the whole process shows another time, its log included. (Dates
 * made by `new Date()` do not, which no node reads.)
 */
import type { NodeEvent } from "latticework/node";
import type { LatticeNode } from "../../src/node/lattice-node.ts";

export type ClockSkew = Extract<NodeEvent, { readonly type: "clock.skew" }>;

export class SteppedClock {
  readonly #node: LatticeNode;
  readonly #trueNow = Date.now;
  readonly skews: ClockSkew[] = [];
  #offMs = 0;
  #isListening = false;

  constructor(node: LatticeNode) {
    this.#node = node;
  }

  /** @returns what was told so far */
  step(byMs: number): readonly ClockSkew[] {
    this.#offMs += byMs;
    Date.now = () => this.#trueNow() + this.#offMs;
    if (!this.#isListening) void this.#listen();
    return this.skews;
  }

  async #listen(): Promise<void> {
    this.#isListening = true;
    for await (const event of this.#node.events()) {
      if (event.type === "clock.skew") this.skews.push(event);
    }
  }
}
