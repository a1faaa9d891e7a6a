/**
 * One number for all that a table says about living members. Equal digests end a push/pull after one
 * message. The dead and left are not in it: each node forgets them at its own time, and must not be
 * reminded of them by those who have not forgotten yet.
 *
 * A sum of FNV-1a hashes (Fowler, Noll, Vo), so it needs no order; 32 bits. A collision hides a
 * difference until the next change of either table.
 */
import type { Member } from "./member.ts";
import { isLive } from "./member.ts";

const fnvOffset = 0x811c9dc5;
const fnvPrime = 0x01000193;

function hash(text: string): number {
  let state = fnvOffset;
  for (let index = 0; index < text.length; index++) {
    state = Math.imul(state ^ text.charCodeAt(index), fnvPrime);
  }
  // Sums of plain FNV hashes of similar texts are not independent; murmur3's finalizer mixes them.
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
  return (state ^ (state >>> 16)) >>> 0;
}

/** An unsigned 32-bit number. */
export function digestOf(members: Iterable<Member>): number {
  let sum = 0;
  for (const member of members) {
    if (!isLive(member)) continue;
    const { id, boot, refutations, status, leaving } = member;
    sum = (sum + hash(`${id}\0${boot}\0${refutations}\0${status}\0${leaving}`)) >>> 0;
  }
  return sum;
}
