/**
 * A few bytes as two small numbers. Most results of calls are a number, a flag or nothing; kept like
 * this they need no object, and a table that is overwritten with every call leaves no garbage.
 */
export const shortBytesMax = 7;

/** The length and the first three bytes. */
export function shortHead(bytes: Uint8Array): number {
  return (bytes.length << 24) | packed(bytes, 0, 3);
}

/** The last four bytes. */
export function shortTail(bytes: Uint8Array): number {
  return packed(bytes, 3, shortBytesMax);
}

export function bytesOfShort(head: number, tail: number): Uint8Array {
  const bytes = new Uint8Array(head >>> 24);
  for (let at = 0; at < bytes.length; at += 1) {
    bytes[at] = at < 3 ? head >>> (16 - 8 * at) : tail >>> (24 - 8 * (at - 3));
  }
  return bytes;
}

function packed(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at += 1)
    value = (value << 8) | (at < bytes.length ? bytes[at]! : 0);
  return value;
}
