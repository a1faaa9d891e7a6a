/**
 * Numbers a caller's calls and knows below which number it has all its answers; together they keep
 * a protected call from taking effect twice (RIFL, Lee et al., SOSP 2015).
 */
export class CallNumbers {
  /** Numbers without an answer, rising: a Set keeps the order of insertion. */
  readonly #open = new Set<number>();
  #last = 0;

  next(): number {
    this.#last += 1;
    this.#open.add(this.#last);
    return this.#last;
  }

  settled(number: number): void {
    this.#open.delete(number);
  }

  /** All calls below it have been answered. */
  get received(): number {
    for (const number of this.#open) return number;
    return this.#last + 1;
  }
}
