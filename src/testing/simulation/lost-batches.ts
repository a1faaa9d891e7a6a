/**
 * Loses some of what replicas tell each other although no link breaks: what anti-entropy and the
 * watch over acknowledgements are there for.
 */
import type { Random } from "../../model/random.ts";
import { seededRandom } from "../../platform/seeded-random.ts";

export class LostBatches {
  count = 0;
  readonly #share: number;
  readonly #random: Random;
  #isOn = false;

  /** @param share of all batches, 0 … 1 */
  constructor(seed: number, share: number) {
    this.#share = share;
    this.#random = seededRandom(seed, "lost batches");
  }

  /** Whether the next one is lost. */
  next(): boolean {
    if (!this.#isOn || this.#share === 0 || this.#random() >= this.#share) return false;
    this.count += 1;
    return true;
  }

  /** Until then all arrive. */
  begin(): void {
    this.#isOn = true;
  }

  /** From now on all arrive. */
  end(): void {
    this.#isOn = false;
  }
}
