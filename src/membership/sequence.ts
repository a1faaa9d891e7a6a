/** Numbers pings, so that an ack finds its probe or relay. Starts at 1: 0 asks for no bookkeeping. */
export class Sequence {
  #last = 0;

  next(): number {
    // A wrap after 2^31 pings cannot meet a ping that is still waiting.
    this.#last = this.#last >= 0x7fffffff ? 1 : this.#last + 1;
    return this.#last;
  }
}
