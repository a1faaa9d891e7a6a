/**
 * Digests of entities: which commits an entity holds and in which generation, as one 53-bit number.
 * Two copies with equal digests hold the same commits, deletes included, and so the same state.
 */
import { hash53 } from "../codec/hash53.ts";

const low32 = 2 ** 32;

/**
 * @param pairs flat (writer, sequence) pairs, ascending by writer
 * @param past digest of those that have left the vector; 0 for none
 */
export function entityDigest(
  name: string,
  mark: number,
  pairs: readonly number[],
  past = 0,
): number {
  const seed = hash53(name);
  let high = Math.floor(seed / low32);
  let low = seed >>> 0;
  high = mix(high, mark);
  low = mix(low ^ 0x5bd1e995, mark);
  for (let index = 0; index < pairs.length; index += 1) {
    high = mix(high, pairs[index]!);
    low = mix(low ^ high, pairs[index]!);
  }
  if (past > 0) {
    high = mix(high, past);
    low = mix(low ^ high, past);
  }
  return (finish(high) & 0x1fffff) * low32 + finish(low);
}

/** One step of murmur3 for each half of a 53-bit number. */
function mix(hash: number, value: number): number {
  return step(step(hash, value >>> 0), Math.floor(value / low32));
}

function step(hash: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  const mixed = hash ^ k;
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function finish(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
