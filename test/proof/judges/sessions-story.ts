/** What the parent of `sessions` writes down for its judge besides the calls, and what it answers. */

export type LagType = "lag" | "cut" | "stop" | "kill";

/** Something that was done to a node. The times are those of `monotonicMs`. */
export interface SessionDisturbance {
  readonly type: LagType;
  readonly node: string;
  readonly pid: number;
  /** Partitions that it led and had a copy of when it began. */
  readonly led: number;
  readonly copies: number;
  readonly at: number;
  /** When it heard everybody again, at once, or ran anew. */
  readonly backAt: number;
}

export interface SessionStory {
  readonly disturbances: readonly SessionDisturbance[];
}

export interface SessionJudgement {
  readonly counts: Readonly<Record<string, number>>;
  /** All must be zero. */
  readonly faults: Readonly<Record<string, number>>;
  /** Reads that were answered, of keys of which their chain knew something. */
  readonly judged: number;
  /** Those of them where nothing but the token said what the chain knew. */
  readonly judgedByToken: number;
  /** Reads from any owner that the owner which was asked passed on, since it was behind. */
  readonly passedOn: number;
  /** Judged reads under way during each disturbance. */
  readonly during: readonly number[];
  /** The first stale read; "" where there is none. */
  readonly explanation: string;
}
