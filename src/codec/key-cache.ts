/**
 * Object keys of values repeat from call to call, and a string that is found costs a third of one
 * that is built and hashed anew. A fixed number of slots, each holding the last key that fell into
 * it: hostile keys can make it useless, never large. Only ASCII keys of moderate length are kept.
 */
import { decodeUtf8 } from "./utf8.ts";

const slotCount = 512;
const keyBytesMax = 32;

export class KeyCache {
  readonly #keys: string[] = Array.from({ length: slotCount }, () => "");

  /** The string in `bytes[start, end)`, which must lie inside `bytes`. */
  decode(bytes: Uint8Array, start: number, end: number): string {
    const length = end - start;
    if (length === 0 || length > keyBytesMax) return decodeUtf8(bytes, start, end);
    const first = bytes[start]!;
    const last = bytes[end - 1]!;
    const slot = (first * 31 + last * 7 + length * 67 + bytes[start + (length >> 1)]!) % slotCount;
    const known = this.#keys[slot]!;
    if (known.length === length && sameAscii(known, bytes, start)) return known;
    const key = decodeUtf8(bytes, start, end);
    // As many characters as bytes: ASCII, the only text for which the comparison above is right.
    if (key.length === length) this.#keys[slot] = key;
    return key;
  }
}

function sameAscii(text: string, bytes: Uint8Array, start: number): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if (text.charCodeAt(index) !== bytes[start + index]) return false;
  }
  return true;
}
