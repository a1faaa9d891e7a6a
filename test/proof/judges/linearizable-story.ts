/** What the parent of `linearizable` writes down for its judge besides the calls, and what it answers. */

export type DisturbanceType = "kill" | "stop" | "split" | "leave";

/** Something that was done to nodes. The times are those of `monotonicMs`. */
export interface HistoryDisturbance {
  readonly type: DisturbanceType;
  readonly nodes: readonly { readonly id: string; readonly address: string }[];
  readonly at: number;
  /** When others had taken over `lost`. */
  readonly takenAt: number;
  /** When the nodes went on, were among the others again or ran anew. */
  readonly backAt: number;
  /** Partitions that these nodes led when it began. */
  readonly led: readonly number[];
  /** Those of them that others led at `takenAt`, as they should. */
  readonly lost: readonly number[];
}

export interface HistoryStory {
  /** Of the cluster. */
  readonly partitions: number;
  readonly disturbances: readonly HistoryDisturbance[];
  /** Where the explanations of violations go. */
  readonly violationsFile: string;
}

export interface DisturbanceCounts {
  /** To what the nodes led, under way at some time before they were back. */
  readonly calls: number;
  /** Reads of `lost` by clients that stay with the nodes, sent after `takenAt` and before `backAt`. */
  readonly lateReads: number;
  /** Those of them that one of these nodes answered itself. */
  readonly answeredReads: number;
}

export interface HistoryJudgement {
  readonly counts: Readonly<Record<string, number>>;
  /** All must be zero. */
  readonly faults: Readonly<Record<string, number>>;
  readonly histories: number;
  readonly disturbances: readonly DisturbanceCounts[];
  /** The shortest one; "" where there is no violation. */
  readonly explanation: string;
}
