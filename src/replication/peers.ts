import type { NodeId, ProcessId } from "../model/ids.ts";

/**
 * What this node believes of other processes right now. The driver answers from links, membership
 * and operators; the answers may be wrong or late without harm (only `provenDead` must be true), and
 * `Replica.peersChanged` is called after any of them changed.
 */
export interface Peers {
  /** Linked in both directions and not suspected. */
  reachable(process: ProcessId): boolean;
  /**
   * Rule 6: its link is lost and a re-dial was refused or unanswered for 250 ms, or it is held dead or
   * leaving, or it is suspect, silent for 2 s and owes a pong. Also true of every earlier life.
   */
  lost(process: ProcessId): boolean;
  /** Rule 8: its node is linked with a newer boot, or an operator declared it gone. Never suspicion. */
  provenDead(process: ProcessId): boolean;
  /** The reachable process of a node, this node's own for itself. */
  presentOf(node: NodeId): ProcessId | undefined;
  /** The membership holds the node dead or gone. A belief, not a proof. */
  holdsDead(node: NodeId): boolean;
  /** The node has announced that it leaves. */
  isLeaving(node: NodeId): boolean;
}
