import { murmur3 } from "./murmur3.ts";

const highSeed = 0x9747b28c;
const lowSeed = 0;

/**
 * A 53-bit hash for digests and table ids: as wide as a number is exact, from two runs of murmur3
 * with different seeds. Two tables or states that differ look alike once in 9 · 10^15; it does not
 * stand up to somebody who searches for collisions.
 */
export function hash53(input: string | Uint8Array): number {
  return (murmur3(input, highSeed) & 0x1fffff) * 2 ** 32 + murmur3(input, lowSeed);
}
