/**
 * What a vector knows of writers that have left it (`README.md`, "Retirement"). Immutable, and absent
 * from most vectors.
 *
 * Those that left last are known by name. A copy that was made before they left may still come, and
 * so may a commit of theirs that was applied before: both are recognised as what is in already.
 */
import type { WriterId } from "../model/ids.ts";
import { entityDigest } from "./digest.ts";

export interface PastWriters {
  /** Those that have left last, ascending; never empty once one has left. */
  readonly left: readonly WriterId[];
  /** Of all commits of all writers that have left: a copy that lacked one stays different. */
  readonly digest: number;
  /** Further copies of another birth may name any of the writers, so none leaves any more. */
  readonly stays: boolean;
}

/** With as many as this the ones before the last to leave are forgotten. */
const leftMax = 64;

export const noPast: PastWriters = { left: [], digest: 0, stays: false };

/** @param pairs flat (writer, sequence) pairs of those that leave now, ascending; at least one */
export function pastAfter(past: PastWriters, pairs: readonly number[]): PastWriters {
  const leaving = pairs.filter((_, index) => index % 2 === 0);
  const isLong = past.left.length + leaving.length > leftMax;
  const left = isLong ? leaving : [...past.left, ...leaving].sort(compareNumbers);
  return { left, digest: entityDigest(String(past.digest), 0, pairs), stays: past.stays };
}

/** Of two copies: of their digests one, so that joining the same again changes nothing. */
export function joinedPast(a: PastWriters, b: PastWriters): PastWriters {
  return {
    left: [...new Set([...a.left, ...b.left])].sort(compareNumbers),
    digest: Math.max(a.digest, b.digest),
    stays: a.stays || b.stays,
  };
}

function compareNumbers(a: number, b: number): number {
  return a - b;
}
