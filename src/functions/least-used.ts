/**
 * Picks out of many the part that is used least, in one pass whatever the numbers are, where sorting
 * would take longer for more of them. Uses are told apart to 1 %: by the upper half of a 32-bit
 * float, which orders positive numbers as they are ordered.
 */
const bucketCount = 0x8000;

/**
 * @param count items are 0 … count − 1
 * @param wanted how many to pick; of those that are used alike the first
 * @param useOf a number ≥ 0
 */
export function leastUsed(
  count: number,
  wanted: number,
  useOf: (item: number) => number,
): readonly number[] {
  const buckets = new Uint16Array(count);
  const sizes = new Uint32Array(bucketCount);
  const float = new Float32Array(1);
  const bits = new Uint32Array(float.buffer);
  for (let item = 0; item < count; item += 1) {
    float[0] = useOf(item);
    const bucket = bits[0]! >>> 16;
    buckets[item] = bucket;
    sizes[bucket]! += 1;
  }
  let last = 0;
  let below = 0;
  while (below + sizes[last]! < wanted) {
    below += sizes[last]!;
    last += 1;
  }
  // So many of the last bucket still have room.
  let room = wanted - below;
  const picked: number[] = [];
  for (let item = 0; item < count; item += 1) {
    const bucket = buckets[item]!;
    if (bucket > last || (bucket === last && room === 0)) continue;
    if (bucket === last) room -= 1;
    picked.push(item);
  }
  return picked;
}
