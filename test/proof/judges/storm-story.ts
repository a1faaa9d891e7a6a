/** What the parent of `reconnect-storm` writes down for its judge, and what that finds. */

export interface Storm {
  readonly name: string;
  /** When all links broke, by `monotonicMs`. */
  readonly brokenAt: number;
}

export interface StormStory {
  readonly addresses: readonly string[];
  readonly clients: number;
  readonly storms: readonly Storm[];
}

export interface StormJudgement {
  readonly counts: Readonly<Record<string, number>>;
  /** All of them must be zero. */
  readonly faults: Readonly<Record<string, number>>;
  /** By storm: how long after it broke its links the median and the last client were served. */
  readonly servedMs: readonly { readonly median: number; readonly last: number }[];
}
