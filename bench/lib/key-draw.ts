/** Draws keys uniformly; cheap (xorshift32), and the same sequence in every run. */
import { keyCount, workloadKeys } from "./load.ts";

export class KeyDraw {
  readonly #keys = workloadKeys();
  #state = 0x9e3779b9;

  next(): string {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return this.#keys[(state >>> 0) % keyCount]!;
  }
}
