/**
 * MurmurHash3_x86_32 (Austin Appleby, public domain): where a key lives is decided by it, so its
 * result for any string is part of the protocol. Not for secrets: everybody can compute it.
 */
import { textEncoder } from "./utf8.ts";

/** The hash of the UTF-8 bytes of `text`, or of bytes, as an unsigned 32-bit integer. */
export function murmur3(input: string | Uint8Array, seed: number): number {
  if (typeof input !== "string") return hashBytes(input, seed);
  // ASCII text is its own UTF-8, so it can be hashed without a copy.
  for (let index = 0; index < input.length; index += 1) {
    if (input.charCodeAt(index) > 0x7f) return hashBytes(textEncoder.encode(input), seed);
  }
  return hashAscii(input, seed);
}

/** `murmur3` of `first`, a NUL and `second`, without making that string. */
export function murmur3Pair(first: string, second: string, seed: number): number {
  const split = first.length;
  const length = split + 1 + second.length;
  const blocks = length & ~3;
  let hash = seed | 0;
  let seen = 0;
  for (let at = 0; at < blocks; at += 4) {
    const a = unitAt(first, second, split, at);
    const b = unitAt(first, second, split, at + 1);
    const c = unitAt(first, second, split, at + 2);
    const d = unitAt(first, second, split, at + 3);
    seen |= a | b | c | d;
    hash = mix(hash, a | (b << 8) | (c << 16) | (d << 24));
  }
  let tail = 0;
  for (let at = length - 1; at >= blocks; at -= 1) {
    const unit = unitAt(first, second, split, at);
    seen |= unit;
    tail = (tail << 8) | unit;
  }
  // Above ASCII bytes are not characters.
  if (seen > 0x7f) return murmur3(`${first}\0${second}`, seed);
  if (length > blocks) hash ^= scramble(tail);
  return finish(hash, length);
}

function unitAt(first: string, second: string, split: number, at: number): number {
  if (at > split) return second.charCodeAt(at - split - 1);
  return at === split ? 0 : first.charCodeAt(at);
}

function hashAscii(text: string, seed: number): number {
  const length = text.length;
  const blocks = length & ~3;
  let hash = seed | 0;
  let at = 0;
  for (; at < blocks; at += 4) {
    const low = text.charCodeAt(at) | (text.charCodeAt(at + 1) << 8);
    hash = mix(hash, low | (text.charCodeAt(at + 2) << 16) | (text.charCodeAt(at + 3) << 24));
  }
  let tail = 0;
  if (length - at === 3) tail = text.charCodeAt(at + 2) << 16;
  if (length - at >= 2) tail |= text.charCodeAt(at + 1) << 8;
  if (length - at >= 1) hash ^= scramble(tail | text.charCodeAt(at));
  return finish(hash, length);
}

function hashBytes(bytes: Uint8Array, seed: number): number {
  const length = bytes.length;
  const blocks = length & ~3;
  let hash = seed | 0;
  let at = 0;
  for (; at < blocks; at += 4) {
    const low = bytes[at]! | (bytes[at + 1]! << 8);
    hash = mix(hash, low | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24));
  }
  let tail = 0;
  if (length - at === 3) tail = bytes[at + 2]! << 16;
  if (length - at >= 2) tail |= bytes[at + 1]! << 8;
  if (length - at >= 1) hash ^= scramble(tail | bytes[at]!);
  return finish(hash, length);
}

function scramble(block: number): number {
  const product = Math.imul(block, 0xcc9e2d51);
  return Math.imul((product << 15) | (product >>> 17), 0x1b873593);
}

function mix(hash: number, block: number): number {
  const mixed = hash ^ scramble(block);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

/** The finalizer (`fmix32`): every bit of its input changes half of its result. */
export function finish(hash: number, length: number): number {
  let mixed = hash ^ length;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
