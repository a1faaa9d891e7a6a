/**
 * One number for all that a table says about living members. Equal digests end a push/pull after one
 * message. The dead and left are not in it: each node forgets them at its own time, and must not be
 * reminded of them by those who have not forgotten yet.
 *
 * A sum of FNV-1a hashes (Fowler, Noll, Vo), so it needs no order, and the table keeps it up to date
 * record by record: at 1,000 members each link that opens asks for it. 32 bits. A collision hides a
 * difference until the next change of either table.
 */
import type { Member } from "./member.ts";
import { isLive } from "./member.ts";

const fnvOffset = 0x811c9dc5;
const fnvPrime = 0x01000193;

/** 32 bits, well mixed. */
export function hashText(text: string): number {
  let state = fnvOffset;
  for (let index = 0; index < text.length; index++) {
    state = Math.imul(state ^ text.charCodeAt(index), fnvPrime);
  }
  // Sums of plain FNV hashes of similar texts are not independent; murmur3's finalizer mixes them.
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
}

/** What one record adds to the digest of a table: nothing when it is dead or has left. */
export function digestPart(member: Member): number {
  if (!isLive(member)) return 0;
  const { id, boot, refutations, status, leaving, restarts, resting } = member;
  return hashText([id, boot, refutations, status, leaving, restarts, resting].join("\0"));
}
