/** The last round trips of probes, for the adaptive timeout. A ring, so it never grows. */
export class RoundTrips {
  readonly #capacity: number;
  readonly #samples: number[] = [];
  #next = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  add(durationMs: number): void {
    this.#samples[this.#next] = durationMs;
    this.#next = (this.#next + 1) % this.#capacity;
  }

  /**
   * Nearest rank below: of 100 samples the second largest, so that one outlier in a hundred changes
   * nothing. 0 without samples.
   */
  get p99Ms(): number {
    const sorted = this.#samples.toSorted((a, b) => a - b);
    return sorted[Math.max(0, Math.floor(0.99 * sorted.length) - 1)] ?? 0;
  }
}
