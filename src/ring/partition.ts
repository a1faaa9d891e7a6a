/**
 * Which partition a key is in: the first half of placement, and the only one that clients need. It is
 * a hash and nothing else, because every node and every client must agree on it for ever; a change
 * here is a change of the protocol.
 */
import { murmur3, murmur3Pair } from "../codec/murmur3.ts";
import { assert } from "../model/assert.ts";
import type { PartitionId } from "../model/ids.ts";

/** Q, fixed for the life of a cluster. */
export const defaultPartitionCount = 1024;

/** Whether a cluster can have so many partitions: a power of two. */
export function isPartitionCount(count: number): boolean {
  return Number.isInteger(count) && count >= 1 && Number.isInteger(Math.log2(count));
}

const seed = 0;

/**
 * @param partitionCount a power of two
 */
export function partitionOf(
  functionName: string,
  key: string,
  partitionCount: number,
): PartitionId {
  if (partitionCount <= 0 || (partitionCount & (partitionCount - 1)) !== 0) {
    assert(false, `${String(partitionCount)} partitions are not a power of two`);
  }
  // The hash of `routingKey`, which is not made where there is no tag: this runs for every call.
  const hash = key.includes("{")
    ? murmur3(routingKey(functionName, key), seed)
    : murmur3Pair(functionName, key, seed);
  return hash & (partitionCount - 1);
}

/**
 * What is hashed: the function and the key, or, when the key has a non-empty `{tag}`, the tag alone,
 * so that `cart/{alice}` and `orders/{alice}` have the same owners. The tag is between the first `{`
 * and the next `}`.
 */
export function routingKey(functionName: string, key: string): string {
  const open = key.indexOf("{");
  if (open >= 0) {
    const close = key.indexOf("}", open + 1);
    if (close > open + 1) return key.slice(open + 1, close);
  }
  // Function names have no control characters, so the boundary is unmistakable.
  return `${functionName}\0${key}`;
}
