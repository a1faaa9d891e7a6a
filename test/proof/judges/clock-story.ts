/** What the parent of the `clock-step` proof writes down for its judge, besides the calls. */

/** A time in which the wall clock of a node was off, in the milliseconds of `monotonicMs`. */
export interface StepTime {
  readonly node: string;
  readonly byMs: number;
  readonly from: number;
  readonly until: number;
}

/** One register: written on both sides of a stop, the later time only after the earlier was answered. */
export interface RaceStory {
  readonly key: string;
  readonly earlier: string;
  readonly later: string;
  /** The later write was answered. */
  readonly isDecided: boolean;
  /** What each owner holds, by node id; `null`: nothing. */
  readonly held: Readonly<Record<string, string | null>>;
}

export interface ClockStory {
  readonly addresses: readonly string[];
  /** Of the parent, whose wall clock nobody steps: it minus `monotonicMs`. */
  readonly wallOffsetMs: number;
  readonly steps: readonly StepTime[];
  readonly races: readonly RaceStory[];
}

/** The newest stamp of one entity, by owner. */
export interface StampLine {
  readonly functionName: string;
  readonly key: string;
  readonly stamps: Readonly<Record<string, number>>;
  /** By when they were read, of `monotonicMs`: a key may have changed since its last call. */
  readonly readAt: number;
}

/** Raw counts, and what is wrong; all of the latter must be zero. */
export interface ClockJudgement {
  readonly counts: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
}
