/**
 * Appends bytes to a growing chunk and gives away what was written without copying it. `take()`
 * returns a view of everything since the last one and these bytes are never written to again, so a
 * connection may hold on to them; the writer goes on behind them in the same chunk. When the chunk is
 * full, what was not yet taken moves to a new one, sized by what was taken lately, so that an idle
 * connection does not sit on the chunk of a busy one.
 *
 *     chunk  [ taken, in use by others | written, not yet taken | free ]
 *                                      #start                   #end
 */
import { assert } from "../model/assert.ts";
import { textEncoder, utf8Length } from "./utf8.ts";

const chunkBytesMin = 1024;
const chunkBytesMax = 128 * 1024;
/** A new chunk has room for this many pieces like the largest taken from the last one. */
const piecesPerChunk = 16;
/** Up to here bytes are moved by hand: `set` is a call into the engine. */
const fewBytes = 8;
/** Up to here a string is tried as ASCII first. */
const shortLength = 64;

export class ByteWriter {
  #chunk: Uint8Array;
  #view: DataView;
  #start = 0;
  #end = 0;
  #largestTake = 0;

  constructor(firstChunkBytes = chunkBytesMin) {
    this.#chunk = new Uint8Array(firstChunkBytes);
    this.#view = new DataView(this.#chunk.buffer);
  }

  /** Bytes written since the last `take`. */
  get length(): number {
    return this.#end - this.#start;
  }

  /** Everything written since the last `take`, or an empty view. */
  take(): Uint8Array {
    const taken = this.#chunk.subarray(this.#start, this.#end);
    if (taken.length > this.#largestTake) this.#largestTake = taken.length;
    this.#start = this.#end;
    return taken;
  }

  /** Drops everything after `length` bytes since the last `take`. */
  truncate(length: number): void {
    this.#end = this.#start + length;
  }

  u8(value: number): void {
    if (this.#end === this.#chunk.length) this.#grow(1);
    this.#chunk[this.#end] = value;
    this.#end += 1;
  }

  /** 4 bytes, little end first. */
  u32(value: number): void {
    if (this.#end + 4 > this.#chunk.length) this.#grow(4);
    this.#view.setUint32(this.#end, value, true);
    this.#end += 4;
  }

  /** 8 bytes, little end first: any number, also NaN. */
  f64(value: number): void {
    if (this.#end + 8 > this.#chunk.length) this.#grow(8);
    this.#view.setFloat64(this.#end, value, true);
    this.#end += 8;
  }

  /** An integer of 0 … 2^53 − 1 in 1 to 8 bytes: 7 bits each, low ones first (LEB128). */
  varint(value: number): void {
    if (this.#end + 8 > this.#chunk.length) this.#grow(8);
    const chunk = this.#chunk;
    const at = this.#end;
    if ((value & 0x7f) === value) {
      chunk[at] = value;
      this.#end = at + 1;
    } else if ((value & 0x3fff) === value) {
      chunk[at] = (value & 0x7f) | 0x80;
      chunk[at + 1] = value >> 7;
      this.#end = at + 2;
    } else {
      this.#longVarint(value);
    }
  }

  #longVarint(value: number): void {
    // Not one line: the text would be made for every number.
    if (!Number.isSafeInteger(value) || value < 0) assert(false, `not a varint: ${String(value)}`);
    const chunk = this.#chunk;
    let at = this.#end;
    let rest = value;
    while (rest > 0x7fffffff) {
      chunk[at] = (rest % 128) | 0x80;
      at += 1;
      rest = Math.floor(rest / 128);
    }
    while (rest > 0x7f) {
      chunk[at] = (rest & 0x7f) | 0x80;
      at += 1;
      rest >>>= 7;
    }
    chunk[at] = rest;
    this.#end = at + 1;
  }

  /** The bytes alone; the reader must know how many. */
  raw(bytes: Uint8Array): void {
    const { length } = bytes;
    if (this.#end + length > this.#chunk.length) this.#grow(length);
    if (length > fewBytes) {
      this.#chunk.set(bytes, this.#end);
      this.#end += length;
      return;
    }
    const chunk = this.#chunk;
    let at = this.#end;
    for (let index = 0; index < length; index += 1) {
      chunk[at] = bytes[index]!;
      at += 1;
    }
    this.#end = at;
  }

  /** A varint length and the bytes. */
  bytes(bytes: Uint8Array): void {
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /** A varint length in bytes and the UTF-8 form; unpaired surrogates become U+FFFD. */
  string(text: string): void {
    const length = text.length;
    if (length > shortLength) {
      this.#longString(text);
      return;
    }
    if (this.#end + length + 1 > this.#chunk.length) this.#grow(length + 1);
    const chunk = this.#chunk;
    let at = this.#end + 1;
    for (let index = 0; index < length; index += 1) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) {
        this.#longString(text);
        return;
      }
      chunk[at] = code;
      at += 1;
    }
    chunk[this.#end] = length;
    this.#end = at;
  }

  #longString(text: string): void {
    const length = utf8Length(text);
    this.varint(length);
    if (this.#end + length > this.#chunk.length) this.#grow(length);
    textEncoder.encodeInto(text, this.#chunk.subarray(this.#end, this.#end + length));
    this.#end += length;
  }

  /** Starts a block that will be prefixed by its length as a varint; pass the result to `closeBlock`. */
  openBlock(): number {
    this.u8(0);
    return this.#end - this.#start;
  }

  /** Writes the length in front of what was written since `openBlock`, moving it if 1 byte is too few. */
  closeBlock(opened: number): void {
    const from = this.#start + opened;
    const length = this.#end - from;
    if (length < 0x80) {
      this.#chunk[from - 1] = length;
      return;
    }
    const prefix = varintBytes(length);
    if (this.#end + 8 > this.#chunk.length) this.#grow(8);
    const at = this.#start + opened;
    this.#chunk.copyWithin(at + prefix - 1, at, at + length);
    this.#end = at - 1;
    this.#longVarint(length);
    this.#end = at - 1 + prefix + length;
  }

  /** Moves what is not yet taken to a chunk with room for `more` bytes. */
  #grow(more: number): void {
    const pending = this.#end - this.#start;
    const usual = Math.max(chunkBytesMin, this.#largestTake * piecesPerChunk);
    const needed = (pending + more) * 2;
    const grown = new Uint8Array(Math.max(needed, Math.min(usual, chunkBytesMax)));
    grown.set(this.#chunk.subarray(this.#start, this.#end));
    this.#chunk = grown;
    this.#view = new DataView(grown.buffer);
    this.#start = 0;
    this.#end = pending;
    this.#largestTake = 0;
  }
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) bytes += 1;
  return bytes;
}
