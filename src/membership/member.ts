/**
 * A node as one table records it. Records are never changed in place: whoever holds one may compare
 * it with the next.
 */
import type { BootId, NodeId } from "../model/ids.ts";
import type { MemberStatus, MemberUpdate } from "../wire/membership-messages.ts";

/** What a node says of itself; constant for one boot. */
export interface MemberIdentity {
  readonly id: NodeId;
  readonly boot: BootId;
  /** Where others can dial it. */
  readonly address: string;
  readonly zone: string;
  /** A multiple of 0.1, at least 0.1. */
  readonly weight: number;
}

export interface Member extends MemberIdentity {
  /** Times it refuted (or changed what it announces) within this boot; only it raises this. */
  readonly refutations: number;
  readonly status: MemberStatus;
  /** It announced that it takes no more partitions. */
  readonly leaving: boolean;
  /** Unplanned restarts lately, as it says itself, 0 … 15; see `rest.ts`. */
  readonly restarts: number;
  /** It announced that it takes no partitions for now. */
  readonly resting: boolean;
  /** When the status was learned here, in milliseconds of the injected clock. */
  readonly statusAt: number;
}

/** Whether the member may run: alive or suspect. */
export function isLive(member: { readonly status: MemberStatus }): boolean {
  return member.status === "alive" || member.status === "suspect";
}

/** Whether its boot is over for good, and not just believed to be. */
export function isFinal(status: MemberStatus): boolean {
  return status === "left" || status === "gone";
}

/** The member as a statement made by `from`. */
export function statementOf(member: Member, from: NodeId): MemberUpdate {
  return {
    node: member.id,
    boot: member.boot,
    refutations: member.refutations,
    status: member.status,
    leaving: member.leaving,
    restarts: member.restarts,
    resting: member.resting,
    address: member.address,
    zone: member.zone,
    weight: member.weight,
    // Only the member itself can say that it left; see `precedence.ts`.
    from: member.status === "left" ? member.id : from,
  };
}

export function memberOf(statement: MemberUpdate, statusAt: number): Member {
  return {
    id: statement.node,
    boot: statement.boot,
    refutations: statement.refutations,
    status: statement.status,
    leaving: statement.leaving,
    restarts: statement.restarts,
    resting: statement.resting,
    address: statement.address,
    zone: statement.zone,
    weight: statement.weight,
    statusAt,
  };
}

/** Whether users of the table would see a difference; a raised incarnation alone is none. */
export function looksDifferent(a: Member, b: Member): boolean {
  return (
    a.status !== b.status ||
    a.boot !== b.boot ||
    a.leaving !== b.leaving ||
    a.restarts !== b.restarts ||
    a.resting !== b.resting ||
    a.address !== b.address ||
    a.zone !== b.zone ||
    a.weight !== b.weight
  );
}
