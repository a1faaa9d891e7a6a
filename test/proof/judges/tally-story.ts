/** What the proofs under load write down for their judge besides the calls, and what it answers. */

/** A node that was killed, stopped or sent away. The times are those of `monotonicMs`. */
export interface Disturbance {
  readonly node: string;
  readonly pid: number;
  readonly signal: NodeJS.Signals;
  readonly at: number;
  /** When the node, or its next process, was running again. */
  readonly backAt: number;
  /** Partitions that it led when the signal was sent. */
  readonly led: readonly number[];
}

export interface TallyStory {
  readonly addresses: readonly string[];
  /** Of the cluster. */
  readonly partitions: number;
  readonly entities: number;
  readonly disturbances: readonly Disturbance[];
}

/** What the owners of an entity held in the end: one line of JSON each. */
export interface OwnersTotals {
  readonly functionName: string;
  readonly key: string;
  /** By node id; `null`: this owner holds no copy. */
  readonly totals: Readonly<Record<string, number | null>>;
  /** All owners have the same digest and the same contents. */
  readonly areEqual: boolean;
}

/** What the calls tell of one disturbance; only those count whose primary was the disturbed node. */
export interface DisturbanceJudgement {
  /** Answered after the signal, and made before the node was back. */
  readonly calls: number;
  /** Of those the ones that were under way when the signal was sent. */
  readonly inFlight: number;
  /** Unprotected calls under way when the signal was sent, and how many of them are indeterminate. */
  readonly careless: number;
  readonly carelessIndeterminate: number;
  /** Until a call in flight, or made later, was answered by another node; `null`: never. */
  readonly firstSuccessMs: number | null;
  /**
   * What the caller waited longest, from the signal or from when a call was due, of those made by the
   * clock until the node was back.
   */
  readonly longestWaitMs: number;
  /** Calls that the disturbed process answered after it was back, though they were made before. */
  readonly lateAnswers: number;
}

export interface TallyJudgement {
  readonly counts: Readonly<Record<string, number>>;
  /** All must be zero. */
  readonly faults: Readonly<Record<string, number>>;
  /** Of calls made by the clock, from when they were due; failed ones included. */
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
  /** Calls made by the clock that were not answered `ok`. */
  readonly failedCalls: number;
  /** Protected calls, by the clock, of lots or of bursts; and how many were not answered `ok`. */
  readonly protectedCalls: number;
  readonly protectedFailures: number;
  readonly disturbances: readonly DisturbanceJudgement[];
}
