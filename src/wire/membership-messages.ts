/** What members tell each other on the control channel. SWIM (Das et al. 2002) and Lifeguard (Dadgar et al. 2018). */
import type { BootId, NodeId } from "../model/ids.ts";
import type { HybridTime } from "../model/time.ts";

/**
 * `dead`: a belief, which the member can refute. `left`: it said so itself. `gone`: an operator said
 * that this process will not return, and it may not.
 */
export type MemberStatus = "alive" | "suspect" | "dead" | "left" | "gone";

/** One statement about one member; the unit of gossip. */
export interface MemberUpdate {
  readonly node: NodeId;
  readonly boot: BootId;
  /** Refutations within this boot; with `boot` it is the incarnation. */
  readonly refutations: number;
  readonly status: MemberStatus;
  /** Announced by the member itself before it leaves: it takes no more partitions. */
  readonly leaving: boolean;
  /** How often it was started lately without having left in order, 0 … 15, as it says itself. */
  readonly restarts: number;
  /** Announced by the member itself after too many of those: it takes no partitions for now. */
  readonly resting: boolean;
  readonly address: string;
  readonly zone: string;
  /** A multiple of 0.1, at least 0.1. */
  readonly weight: number;
  /** Who says so: counts as confirmation of a suspicion. */
  readonly from: NodeId;
}

export type MembershipMessage =
  | {
      readonly type: "ping";
      readonly sequence: number;
      readonly target: NodeId;
      readonly updates: readonly MemberUpdate[];
    }
  | {
      readonly type: "ack";
      readonly sequence: number;
      /** The sender's clock when it answered; 0: it passes on the answer of another. */
      readonly clock: HybridTime;
      /** That clock shows the time of a cluster, and not just what a wall clock said at the start. */
      readonly clockSettled: boolean;
      readonly updates: readonly MemberUpdate[];
    }
  | {
      readonly type: "ping-request";
      readonly sequence: number;
      readonly target: NodeId;
      readonly updates: readonly MemberUpdate[];
    }
  | { readonly type: "nack"; readonly sequence: number }
  | { readonly type: "gossip"; readonly updates: readonly MemberUpdate[] }
  /** Push/pull, first step: a digest of the table. Equal digests end it. */
  | { readonly type: "digest"; readonly digest: number; readonly reply: boolean }
  /** Push/pull: all that the sender knows, at most 512 members a message. */
  | { readonly type: "state"; readonly members: readonly MemberUpdate[]; readonly reply: boolean }
  /** Hard evidence: the sender's link to `node` (this life of it) is lost and a re-dial was refused or answered by another. */
  | { readonly type: "link-lost"; readonly node: NodeId; readonly boot: BootId };
