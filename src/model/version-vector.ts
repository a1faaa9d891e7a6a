import type { WriterId } from "./ids.ts";

/**
 * Which commits an entity holds: the highest sequence number per writer. Commits of one writer are
 * applied in order, so one number stands for all before it.
 */
export type VersionVector = ReadonlyMap<WriterId, number>;

export function includesCommit(vector: VersionVector, writer: WriterId, sequence: number): boolean {
  return (vector.get(writer) ?? 0) >= sequence;
}
