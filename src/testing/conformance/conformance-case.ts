/** One thing that every implementation of a seam must do. Runs in any test runner. */
export interface ConformanceCase {
  /** A sentence. */
  readonly name: string;
  /** Rejects with an `AssertionError` where the implementation does otherwise. */
  readonly run: () => Promise<void>;
}
