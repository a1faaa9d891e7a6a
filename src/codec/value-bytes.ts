/**
 * `Value` ⇄ bytes, as MessagePack. msgpackr writes; reading is our own, because the bytes come from
 * anybody and msgpackr's reader, even with records off, builds dates, sets, regular expressions and
 * errors from extension types, compiles record definitions, renames `__proto__` keys without a word and
 * loses a leading U+FEFF of long strings. This reader knows only what a `Value` can be; it checks
 * depth, names, counts and finiteness in the one pass that it needs anyway.
 */
import { Packr } from "msgpackr";
import { LatticeError } from "../model/error.ts";
import { limits } from "../model/limits.ts";
import { isPrototypeName } from "../model/names.ts";
import { maxValueDepth } from "../model/value.ts";
import type { Value } from "../model/value.ts";
import { ByteReader } from "./byte-reader.ts";
import { KeyCache } from "./key-cache.ts";
import { MalformedBytes } from "./malformed.ts";

const keys = new KeyCache();
const packr = new Packr({ useRecords: false, variableMapSize: true });

/** Integers below it, which counters and indexes mostly are, are encoded once for all: 0.6 MB at most. */
const sharedIntegers = 4_096;
const integers = new Array<Uint8Array | undefined>(sharedIntegers).fill(undefined);
const nullBytes = Uint8Array.of(0xc0);
const falseBytes = Uint8Array.of(0xc2);
const trueBytes = Uint8Array.of(0xc3);

/**
 * The encoded form of a value that `checkValue` has passed. Never write to the result: it may be
 * shared. It is a view into a larger chunk; whoever keeps a few for long should copy them.
 */
export function encodeValue(value: Value): Uint8Array {
  if (typeof value === "number" && (value & 0xffff) === value) return encodeShort(value);
  if (value === null) return nullBytes;
  if (value === true) return trueBytes;
  if (value === false) return falseBytes;
  const packed = packr.pack(value);
  return new Uint8Array(packed.buffer, packed.byteOffset, packed.length);
}

/** An integer of 0 … 65,535, as msgpackr writes it: what counters answer, at a quarter of its time. */
function encodeShort(value: number): Uint8Array {
  if (value >= sharedIntegers) return Uint8Array.of(0xcd, value >> 8, value);
  let bytes = integers[value];
  if (bytes === undefined) {
    if (value < 0x80) bytes = Uint8Array.of(value);
    else if (value < 0x100) bytes = Uint8Array.of(0xcc, value);
    else bytes = Uint8Array.of(0xcd, value >> 8, value);
    integers[value] = bytes;
  }
  return bytes;
}

/** The shared encoding of an integer of 0 … 127, whose only byte is `byte`; `undefined` for others. */
export function sharedEncoding(byte: number): Uint8Array | undefined {
  return byte < 0x80 ? encodeShort(byte) : undefined;
}

/**
 * The value that `bytes` encode; it shares no memory with them. 64-bit integers become numbers, also
 * where that rounds them.
 *
 * @throws LatticeError `invalid_argument` when they are not exactly one `Value`
 */
export function decodeValue(bytes: Uint8Array): Value {
  const short = decodeShort(bytes);
  if (short >= 0) return short;
  const reading: Reading = { bytes: new ByteReader(bytes), depth: 0, nodes: 0 };
  try {
    const value = readValue(reading);
    reading.bytes.finish();
    return value;
  } catch (error) {
    if (!(error instanceof MalformedBytes)) throw error;
    const at = String(reading.bytes.position);
    const message = `an encoded value ${error.message} (byte ${at} of ${String(bytes.length)})`;
    throw new LatticeError("invalid_argument", message);
  }
}

/** What `encodeShort` wrote; -1 for anything else. */
function decodeShort(bytes: Uint8Array): number {
  const first = bytes[0];
  switch (bytes.length) {
    case 1:
      return first! < 0x80 ? first! : -1;
    case 2:
      return first === 0xcc ? bytes[1]! : -1;
    case 3:
      return first === 0xcd ? bytes[1]! * 256 + bytes[2]! : -1;
    default:
      return -1;
  }
}

interface Reading {
  readonly bytes: ByteReader;
  depth: number;
  nodes: number;
}

function readValue(reading: Reading): Value {
  const token = reading.bytes.u8();
  if (token < 0x80) return token;
  if (token < 0x90) return readRecord(reading, token & 0x0f);
  if (token < 0xa0) return readArray(reading, token & 0x0f);
  if (token < 0xc0) return reading.bytes.text(token & 0x1f);
  if (token >= 0xe0) return token - 0x100;
  return readLong(reading, token);
}

function readLong(reading: Reading, token: number): Value {
  const { bytes } = reading;
  switch (token) {
    case 0xc0:
      return null;
    case 0xc2:
      return false;
    case 0xc3:
      return true;
    case 0xc4:
    case 0xc5:
    case 0xc6:
      return bytes.raw(bigEndian(bytes, 1 << (token - 0xc4))).slice();
    case 0xd9:
    case 0xda:
    case 0xdb:
      return bytes.text(bigEndian(bytes, 1 << (token - 0xd9)));
    case 0xdc:
    case 0xdd:
      return readArray(reading, bigEndian(bytes, token === 0xdc ? 2 : 4));
    case 0xde:
    case 0xdf:
      return readRecord(reading, bigEndian(bytes, token === 0xde ? 2 : 4));
    default:
      return readNumber(bytes, token);
  }
}

function readNumber(bytes: ByteReader, token: number): number {
  switch (token) {
    case 0xca:
    case 0xcb:
      return readFloat(bytes, token === 0xca ? 4 : 8);
    case 0xcc:
    case 0xcd:
    case 0xce:
      return bigEndian(bytes, 1 << (token - 0xcc));
    case 0xcf:
      return bigEndian(bytes, 4) * 2 ** 32 + bigEndian(bytes, 4);
    case 0xd0:
      return (bytes.u8() << 24) >> 24;
    case 0xd1:
      return (bigEndian(bytes, 2) << 16) >> 16;
    case 0xd2:
      return bigEndian(bytes, 4) | 0;
    case 0xd3:
      return (bigEndian(bytes, 4) | 0) * 2 ** 32 + bigEndian(bytes, 4);
    default:
      throw new MalformedBytes(`has the unknown or extension token 0x${token.toString(16)}`);
  }
}

/** An unsigned integer of 1, 2 or 4 bytes, big end first. */
function bigEndian(bytes: ByteReader, size: number): number {
  let value = 0;
  for (let left = size; left > 0; left -= 1) value = value * 256 + bytes.u8();
  return value;
}

function readFloat(bytes: ByteReader, size: 4 | 8): number {
  const raw = bytes.raw(size);
  const view = new DataView(raw.buffer, raw.byteOffset, size);
  const value = size === 4 ? view.getFloat32(0) : view.getFloat64(0);
  if (!Number.isFinite(value)) throw new MalformedBytes(`holds ${String(value)}`);
  return value === 0 ? 0 : value;
}

function readArray(reading: Reading, count: number): Value {
  enter(reading, count, 1);
  const array: Value[] = [];
  for (let index = 0; index < count; index += 1) array.push(readValue(reading));
  reading.depth -= 1;
  return array;
}

function readRecord(reading: Reading, count: number): Value {
  enter(reading, count, 2);
  const record: Record<string, Value> = {};
  for (let index = 0; index < count; index += 1) {
    const key = readKey(reading.bytes);
    record[key] = readValue(reading);
  }
  reading.depth -= 1;
  return record;
}

function readKey(bytes: ByteReader): string {
  const token = bytes.u8();
  let length = token & 0x1f;
  if (token >= 0xd9 && token <= 0xdb) length = bigEndian(bytes, 1 << (token - 0xd9));
  else if (token < 0xa0 || token >= 0xc0) throw new MalformedBytes("has a key that is no string");
  const key = bytes.cachedText(length, keys);
  if (isPrototypeName(key)) throw new MalformedBytes(`has the reserved key ${key}`);
  return key;
}

function enter(reading: Reading, count: number, itemBytesMin: number): void {
  reading.depth += 1;
  reading.nodes += count;
  if (reading.depth > maxValueDepth) {
    throw new MalformedBytes(`is nested deeper than ${String(maxValueDepth)} levels`);
  }
  if (reading.nodes > limits.valueNodesMax) throw new MalformedBytes("has too many parts");
  if (count * itemBytesMin > reading.bytes.remaining) throw new MalformedBytes("ends too early");
}
