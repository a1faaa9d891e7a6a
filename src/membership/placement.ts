/**
 * The placement set: the members that partitions are spread over. It is not the set of the living.
 * Suspects stay, and the dead stay for a while, because a pause or a quick restart must not move
 * data; those who announced that they leave are out at once. Calls skip dead owners anyway.
 */
import type { Member } from "./member.ts";
import { isLive } from "./member.ts";

/** Sorted by id, in the order of UTF-16 code units, on every node alike. */
export function placementOf(
  members: Iterable<Member>,
  now: number,
  reassignDelayMs: number,
): readonly Member[] {
  const placed: Member[] = [];
  for (const member of members) {
    const recentlyDead = member.status === "dead" && now < member.statusAt + reassignDelayMs;
    if (!member.leaving && (isLive(member) || recentlyDead)) placed.push(member);
  }
  return placed.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
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
