/**
 * The placement set: the members that partitions are spread over. It is not the set of the living.
 * Suspects stay, and the dead stay for a while, because a pause or a quick restart must not move
 * data; those who announced that they leave are out at once. Calls skip dead owners anyway.
 *
 * Those who rest after too many restarts are out as well, but only while there are enough others for
 * all copies: to move data once more is better than to have one copy less.
 */
import type { Member } from "./member.ts";
import { isLive } from "./member.ts";

export interface PlacementRules {
  /** The newly dead stay for so long. */
  readonly reassignDelayMs: number;
  /** Copies of every partition, the same on all nodes. */
  readonly replicas: number;
}

/** Sorted by id, in the order of UTF-16 code units, on every node alike. */
export function placementOf(
  members: Iterable<Member>,
  now: number,
  { reassignDelayMs, replicas }: PlacementRules,
): readonly Member[] {
  const placed: Member[] = [];
  const resting: Member[] = [];
  for (const member of members) {
    const recentlyDead = member.status === "dead" && now < member.statusAt + reassignDelayMs;
    if (member.leaving || !(isLive(member) || recentlyDead)) continue;
    (member.resting ? resting : placed).push(member);
  }
  resting.sort((a, b) => a.restarts - b.restarts || byId(a, b));
  placed.push(...resting.slice(0, Math.max(0, replicas - placed.length)));
  return placed.sort(byId);
}

function byId(a: Member, b: Member): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/** Whether both lead to the same table. */
export function samePlacement(a: readonly Member[], b: readonly Member[]): boolean {
  return (
    a.length === b.length &&
    a.every((member, index) => {
      const other = b[index];
      return (
        member.id === other?.id && member.zone === other.zone && member.weight === other.weight
      );
    })
  );
}

/** When a dead member of the set drops out by time; Infinity when none does. */
export function nextPlacementAt(placed: readonly Member[], reassignDelayMs: number): number {
  let next = Infinity;
  for (const { status, statusAt } of placed) {
    if (status === "dead") next = Math.min(next, statusAt + reassignDelayMs);
  }
  return next;
}
