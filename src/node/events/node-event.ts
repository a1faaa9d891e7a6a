/**
 * What a node tells while it happens. Plain data that can be printed, sent and compared; part of the
 * public types, so it names nothing of what a node is made of. Whatever can be asked at any time is
 * `status.ts`; an event says when it changed.
 */
import type { ErrorCode } from "../../model/error.ts";

/**
 * Something that happened, as one node saw it: another one may see it later, or never. Told apart by
 * `type`; a later version may add types, so a `switch` over them should let others pass. `at` is the
 * node's wall clock, in milliseconds since the epoch; it is there to be shown, not to order by.
 */
export type NodeEvent =
  /** Heard of for the first time, back after it left, or started anew (with a higher `boot`). */
  | {
      readonly type: "member.joined";
      readonly at: number;
      readonly node: string;
      readonly boot: number;
      readonly address: string;
    }
  /** It does not answer. Nothing moves for that alone. */
  | { readonly type: "member.suspected"; readonly at: number; readonly node: string }
  /** It was suspect, or even held dead, and says that it lives: the same life, not a restart. */
  | {
      readonly type: "member.refuted";
      readonly at: number;
      readonly node: string;
      readonly was: "suspect" | "dead";
    }
  | { readonly type: "member.dead"; readonly at: number; readonly node: string }
  /** It hands over what it leads and will go. Also of this node itself; one in a hurry only left. */
  | { readonly type: "member.leaving"; readonly at: number; readonly node: string }
  /**
   * It was started so many times in a row without having left in order, and takes no partitions for a
   * while, unless there are too few others for all copies. Also of this node itself.
   */
  | {
      readonly type: "member.resting";
      readonly at: number;
      readonly node: string;
      readonly restarts: number;
    }
  /** It has lived long enough, and takes its share. */
  | { readonly type: "member.rested"; readonly at: number; readonly node: string }
  | { readonly type: "member.left"; readonly at: number; readonly node: string }
  /** An operator has said that this life of it will not return. */
  | {
      readonly type: "member.forgotten";
      readonly at: number;
      readonly node: string;
      readonly boot: number;
    }
  /** Others held this node suspect or dead, and it said that it lives: it stalls, or a path is bad. */
  | { readonly type: "node.accused"; readonly at: number; readonly accuser: string }
  /** A second process came with the id of a node that is here, and was refused. */
  | {
      readonly type: "node.duplicate";
      readonly at: number;
      readonly node: string;
      /** Where the second one says that it can be reached. */
      readonly address: string;
      readonly message: string;
    }
  /** A new table of who should own what. */
  | {
      readonly type: "placement.changed";
      readonly at: number;
      readonly tableId: number;
      readonly memberCount: number;
      /** Partitions whose owners, or the preferred primary of them, differ from the table before. */
      readonly movedCount: number;
    }
  /** This process leads the partition, with authority. Term 1 is the birth of the cluster. */
  | {
      readonly type: "primary.began";
      readonly at: number;
      readonly partition: number;
      readonly term: number;
    }
  | {
      readonly type: "primary.ended";
      readonly at: number;
      readonly partition: number;
      readonly term: number;
    }
  /** A partition that this process leads has moved: it has other owners, processes `node#boot`. */
  | {
      readonly type: "owners.changed";
      readonly at: number;
      readonly partition: number;
      readonly owners: readonly string[];
      readonly added: readonly string[];
      readonly removed: readonly string[];
    }
  /**
   * So many partitions that this node leads have lacked a copy, or one that keeps up, for two
   * seconds; 0: all have what they should. Told when the number changes, twice a second at most.
   */
  | {
      readonly type: "underReplicated.changed";
      readonly at: number;
      readonly partitionCount: number;
    }
  /** This process serves the partition without a majority of its owners. */
  | { readonly type: "degraded.began"; readonly at: number; readonly partition: number }
  | { readonly type: "degraded.ended"; readonly at: number; readonly partition: number }
  /** What this process did without a majority is part of the partition's history now. */
  | {
      readonly type: "fork.merged";
      readonly at: number;
      readonly partition: number;
      readonly commitCount: number;
    }
  /**
   * `node` changed, without a majority, entities that had been deleted on the other side, so long ago
   * that they are forgotten: these changes are dropped. Told by the partition's primary.
   */
  | {
      readonly type: "fork.refused";
      readonly at: number;
      readonly partition: number;
      readonly node: string;
      /** `function/key` of each change, in order. */
      readonly entities: readonly string[];
    }
  /** A defect: the copy here differed from its primary's at one position, and is being replaced. */
  | {
      readonly type: "diverged";
      readonly at: number;
      readonly partition: number;
      readonly primary: string;
    }
  /** A call that a handler sent with `ctx.send` was refused for good, and is kept: see `redeliver`. */
  | {
      readonly type: "outbox.failed";
      readonly at: number;
      /** `function/key`, like `target`. */
      readonly sender: string;
      /** Names the call among those of its sender. */
      readonly id: string;
      readonly target: string;
      readonly operation: string;
      readonly code: ErrorCode;
      readonly message: string;
      /** The id of the call, in the log of the node that refused it too. */
      readonly call: string;
      /** Of the trace that it belongs to, if any. */
      readonly traceId?: string;
    }
  /** The handler of a timer refused for good. It is given up; one with a period until it is due next. */
  | {
      readonly type: "timer.failed";
      readonly at: number;
      /** `function/key`. */
      readonly entity: string;
      readonly id: string;
      readonly operation: string;
      readonly code: ErrorCode;
      readonly message: string;
    }
  /**
   * Two clocks are more than five seconds apart. `wall`: the wall clock of this node is off the time of
   * the cluster; it enters no stamp, and has to be mended. Repeated every minute; once more, with at
   * most 5,000, when it is right again. `cluster`: this node's clock was off the time of the members,
   * and shows theirs now. `stamp`: a write came from `node` with a stamp from the future; it was
   * applied, but this node's clock does not follow it.
   */
  | {
      readonly type: "clock.skew";
      readonly at: number;
      readonly source: "wall" | "cluster" | "stamp";
      readonly node: string;
      /** Milliseconds; negative: behind. */
      readonly aheadMs: number;
    }
  /** This reader was too slow: so many events before the next one are gone. */
  | { readonly type: "events.dropped"; readonly at: number; readonly count: number };
