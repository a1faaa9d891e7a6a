/**
 * Which of two statements about one member holds. SWIM's table (alive(i) beats anything with a
 * lower incarnation; suspect(i) beats alive(≤ i); dead(i) beats both(≤ i)) is the same as one total
 * order: by boot, then refutations, then status. That is why merging in any order, any number of
 * times, ends in the same view. `left` is a death that the member announced itself, and final for
 * that boot; so is `gone`, which an operator said of it, and which no refutation of it comes after.
 */
import type { BootId } from "../model/ids.ts";
import type { MemberStatus } from "../wire/membership-messages.ts";

/** Far above any honest count: a node that refutes every second reaches it after 34 years. */
export const refutationsMax = 2 ** 30;

interface Incarnation {
  readonly boot: BootId;
  readonly refutations: number;
}

export interface Claim extends Incarnation {
  readonly status: MemberStatus;
}

const rank: Readonly<Record<MemberStatus, number>> = {
  alive: 0,
  suspect: 1,
  dead: 2,
  left: 3,
  gone: 4,
};

/** Negative, zero or positive as `a` is an earlier, the same or a later incarnation than `b`. */
export function compareIncarnations(a: Incarnation, b: Incarnation): number {
  return a.boot !== b.boot ? a.boot - b.boot : a.refutations - b.refutations;
}

/** Positive when `a` beats `b`, zero when they say the same. */
export function comparePrecedence(a: Claim, b: Claim): number {
  return compareIncarnations(a, b) || rank[a.status] - rank[b.status];
}
