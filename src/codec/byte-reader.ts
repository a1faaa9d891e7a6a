/**
 * Reads what a `ByteWriter` wrote, from bytes that nobody vouches for. Every read checks that the
 * bytes are there before it takes them, so a length from the wire can never make it read past the end
 * or allocate more than there are bytes; it throws `MalformedBytes` instead. One reader is reused for
 * all frames of a connection.
 */
import type { KeyCache } from "./key-cache.ts";
import { noSlot, type KeyTable } from "./key-table.ts";
import { MalformedBytes } from "./malformed.ts";
import { decodeUtf8 } from "./utf8.ts";

/** What empty byte strings decode to; shared so that the common case allocates nothing. */
export const emptyBytes: Uint8Array = new Uint8Array(0);

export class ByteReader {
  #bytes = emptyBytes;
  #view: DataView | undefined;
  #at = 0;
  #end = 0;

  constructor(bytes: Uint8Array = emptyBytes) {
    this.reset(bytes);
  }

  /** Starts over at the first of `bytes`. */
  reset(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#view = undefined;
    this.#at = 0;
    this.#end = bytes.length;
  }

  /** Bytes left before the end, or before the end of the narrowed block. */
  get remaining(): number {
    return this.#end - this.#at;
  }

  /** Where the next byte is taken from, counted from the first of `reset`. */
  get position(): number {
    return this.#at;
  }

  /** Hides everything after the next `length` bytes; returns what `widen` needs to undo it. */
  narrow(length: number): number {
    this.#need(length);
    const outer = this.#end;
    this.#end = this.#at + length;
    return outer;
  }

  widen(outer: number): void {
    this.#end = outer;
  }

  u8(): number {
    if (this.#at >= this.#end) fail("ends too early");
    const value = this.#bytes[this.#at]!;
    this.#at += 1;
    return value;
  }

  u32(): number {
    this.#need(4);
    const bytes = this.#bytes;
    const at = this.#at;
    this.#at = at + 4;
    const low = bytes[at]! | (bytes[at + 1]! << 8);
    return (low | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
  }

  f64(): number {
    this.#need(8);
    const bytes = this.#bytes;
    this.#view ??= new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const value = this.#view.getFloat64(this.#at, true);
    this.#at += 8;
    return value;
  }

  /** At most 2^53 − 1 in at most 8 bytes. */
  varint(): number {
    if (this.#at >= this.#end) fail("ends too early");
    const first = this.#bytes[this.#at]!;
    this.#at += 1;
    return first < 0x80 ? first : this.#longVarint(first & 0x7f);
  }

  #longVarint(first: number): number {
    let value = first;
    let shift = 7;
    let byte = 0x80;
    while (byte >= 0x80 && shift < 28) {
      byte = this.u8();
      value |= (byte & 0x7f) << shift;
      shift += 7;
    }
    let scale = 2 ** 28;
    while (byte >= 0x80) {
      if (scale > 2 ** 49) fail("a varint is longer than 8 bytes");
      byte = this.u8();
      value += (byte & 0x7f) * scale;
      scale *= 128;
    }
    if (value > Number.MAX_SAFE_INTEGER) fail("a varint is above 2^53 - 1");
    return value;
  }

  /** A view of the next `length` bytes: it shares memory with what is read. */
  raw(length: number): Uint8Array {
    if (length === 0) return emptyBytes;
    this.#need(length);
    const start = this.#at;
    this.#at = start + length;
    return this.#bytes.subarray(start, this.#at);
  }

  /** A view of as many bytes as the varint in front of them says. */
  bytes(): Uint8Array {
    return this.raw(this.varint());
  }

  /** @param bytesMax longer strings are malformed */
  string(bytesMax: number): string {
    const length = this.varint();
    if (length > bytesMax) fail(`a string is longer than ${String(bytesMax)} bytes`);
    return this.text(length);
  }

  /** The next `length` bytes as UTF-8. */
  text(length: number): string {
    if (length === 0) return "";
    this.#need(length);
    const start = this.#at;
    this.#at = start + length;
    return decodeUtf8(this.#bytes, start, this.#at);
  }

  /** The next `length` bytes as UTF-8, by way of a cache for strings that come again and again. */
  cachedText(length: number, cache: KeyCache): string {
    this.#need(length);
    const start = this.#at;
    this.#at = start + length;
    return cache.decode(this.#bytes, start, this.#at);
  }

  /** Where in `table` the next `length` bytes stand as a key of `owner`; they are still to be read. */
  slotOf(length: number, table: KeyTable<unknown>, owner: string): number {
    if (length > this.#end - this.#at) return noSlot;
    return table.find(owner, this.#bytes, this.#at, this.#at + length);
  }

  skip(length: number): void {
    this.#need(length);
    this.#at += length;
  }

  /** A varint count of items of at least `itemBytesMin` (≥ 1) bytes each that must still fit. */
  count(countMax: number, itemBytesMin: number): number {
    const count = this.varint();
    if (count > countMax) fail(`a list has more than ${String(countMax)} items`);
    if (count * itemBytesMin > this.remaining) fail("a list is longer than its bytes");
    return count;
  }

  /** @throws MalformedBytes unless everything was read */
  finish(): void {
    if (this.#at !== this.#end) fail("has bytes left over");
  }

  #need(length: number): void {
    if (length > this.#end - this.#at) fail("ends too early");
  }
}

function fail(problem: string): never {
  throw new MalformedBytes(problem);
}
