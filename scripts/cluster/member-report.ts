/** What one process knows of the members of its cluster, as plain data, with their incarnations. */
import type { LatticeNode } from "../../src/node/lattice-node.ts";

export interface MemberReport {
  readonly id: string;
  /** "alive", "suspect", "dead" or "left". */
  readonly status: string;
  /** One for each life of the node; a later one is higher. */
  readonly boot: number;
  /** How often the member refuted, within this life, what others said of it. */
  readonly refutations: number;
}

export function memberReports(node: LatticeNode): MemberReport[] {
  return [...node.parts.cluster.members.values()].map(({ id, status, boot, refutations }) => ({
    id,
    status,
    boot,
    refutations,
  }));
}
