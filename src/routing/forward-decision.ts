/**
 * What a node does with a call that arrived: run it here, pass it on, or name the owners. A call
 * takes at most three legs, and never goes straight back to where it came from: two nodes that hold
 * each other for the primary would otherwise play ping-pong until the deadline.
 */
import type { NodeId } from "../model/ids.ts";

/** Network legs of a call, the first one included (`cluster.md` §4). */
export const maxHops = 3;

export interface ArrivedCall {
  /** Legs taken so far, the one to this node included: 1 … 3. */
  readonly hop: number;
  /** The node it came from, "" for a client. */
  readonly from: NodeId;
  readonly self: NodeId;
  /** What this node is for the partition. */
  readonly role: "primary" | "owner" | "stranger";
  /** The primary as far as this node knows, or "". */
  readonly primary: NodeId;
  /** An owner that is known to reach a living primary which this node does not, or "". */
  readonly way: NodeId;
  /** Owners in table order. */
  readonly owners: readonly NodeId[];
  /** Whether a live link to a node exists. */
  readonly isLinked: (node: NodeId) => boolean;
}

export type ForwardDecision =
  /** Run it, or let replication say why not (degraded service, no copy yet, takeover under way). */
  | { readonly type: "local" }
  | { readonly type: "forward"; readonly to: NodeId }
  /** Answer `not_owner` with what is known. */
  | { readonly type: "not_owner"; readonly primary: NodeId };

const local: ForwardDecision = { type: "local" };

export function decideForward(call: ArrivedCall): ForwardDecision {
  if (call.role === "primary") return local;
  const to = nextLeg(call);
  if (to !== undefined) return { type: "forward", to };
  // An owner never runs a call "because it could": replication decides that (rules 6, 15, 16).
  if (call.role === "owner") {
    const primaryElsewhere = call.primary !== "" && call.primary !== call.self;
    // Out of legs though the primary is alive: the caller reaches it in one.
    return primaryElsewhere && call.hop >= maxHops && call.isLinked(call.primary)
      ? { type: "not_owner", primary: call.primary }
      : local;
  }
  return { type: "not_owner", primary: call.primary };
}

/** The primary, or who may reach it where this node does not: the path between two may be broken. */
function nextLeg(call: ArrivedCall): NodeId | undefined {
  if (call.hop >= maxHops) return undefined;
  const passable = (node: NodeId): boolean =>
    node !== "" && node !== call.self && node !== call.from && call.isLinked(node);
  if (passable(call.primary)) return call.primary;
  if (call.role === "owner") return passable(call.way) ? call.way : undefined;
  return call.owners.find(passable);
}
