/**
 * Ids of those who number commits. They tell what they number, because state treats the two
 * differently ("Retirement" in `state/README.md`): a term of a primary is even, a fork is odd.
 * Otherwise they are uniform in 1 … 2^53 − 1, so that no two lives ever share one.
 */
import type { WriterId } from "./ids.ts";
import { randomBelow, type Random } from "./random.ts";

const halfRange = 2 ** 52;

export function termWriter(random: Random): WriterId {
  return 2 * (1 + randomBelow(random, halfRange - 1));
}

export function forkWriter(random: Random): WriterId {
  return 1 + 2 * randomBelow(random, halfRange);
}

/** Whether it numbers the commits of a term: these are all in the stream, one term after the other. */
export function isTermWriter(writer: WriterId): boolean {
  return writer % 2 === 0;
}
