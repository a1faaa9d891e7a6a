/** The small things that deltas and images are made of, as bytes. Integers are varints. */
import type { ByteReader } from "../codec/byte-reader.ts";
import type { ByteWriter } from "../codec/byte-writer.ts";
import { decodeValue, encodeValue } from "../codec/value-bytes.ts";
import { errorCodes } from "../model/error.ts";
import type { ErrorCode } from "../model/error.ts";
import { limits } from "../model/limits.ts";
import type { Value } from "../model/value.ts";
import { malformed } from "./damage.ts";
import type { Outcome } from "./outcome.ts";
import type { Seen } from "./seen.ts";

/** No string or list in state is longer: all of it fits one frame. */
export const lengthMax = limits.nodeFrameBytesMax;

/** Any finite number: small whole ones in few bytes, others in nine. */
export function writeNumber(writer: ByteWriter, value: number): void {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
    writer.u8(value < 0 ? 1 : 0);
    writer.varint(Math.abs(value));
  } else {
    writer.u8(2);
    writer.f64(value);
  }
}

export function readNumber(reader: ByteReader): number {
  const sign = reader.u8();
  if (sign === 0) return reader.varint();
  if (sign === 1) return -reader.varint();
  if (sign !== 2) malformed("has an unknown number");
  const value = reader.f64();
  if (!Number.isFinite(value)) malformed("has a number that is not finite");
  return value;
}

export function writeValue(writer: ByteWriter, value: Value): void {
  writer.bytes(encodeValue(value));
}

export function readValue(reader: ByteReader): Value {
  return decodeValue(reader.bytes());
}

/** Ids, sequences and the like: at least 1. */
export function readPositive(reader: ByteReader): number {
  const value = reader.varint();
  if (value === 0) malformed("has a zero where there is none");
  return value;
}

export function readString(reader: ByteReader): string {
  return reader.string(lengthMax);
}

/** A copy: what is kept must not hold on to a whole frame. */
export function readBytes(reader: ByteReader): Uint8Array {
  return reader.bytes().slice();
}

export function writePairs(writer: ByteWriter, pairs: Seen): void {
  writer.varint(pairs.length / 2);
  for (const number of pairs) writer.varint(number);
}

export function readPairs(reader: ByteReader): number[] {
  const count = reader.count(lengthMax, 2);
  const pairs: number[] = [];
  for (let index = 0; index < count * 2; index += 1) pairs.push(readPositive(reader));
  return pairs;
}

/** Ids, ascending and each once. */
export function writeIds(writer: ByteWriter, ids: readonly number[]): void {
  writer.varint(ids.length);
  for (const id of ids) writer.varint(id);
}

export function readIds(reader: ByteReader): number[] {
  const count = reader.count(lengthMax, 1);
  const ids: number[] = [];
  for (let index = 0; index < count; index += 1) {
    const id = readPositive(reader);
    if (index > 0 && id <= ids[index - 1]!) malformed("has ids out of order");
    ids.push(id);
  }
  return ids;
}

export function writeOutcome(writer: ByteWriter, outcome: Outcome): void {
  if (outcome.type === "ok") {
    writer.u8(0);
    writer.bytes(outcome.value);
    return;
  }
  writer.u8(1);
  writer.string(outcome.code);
  writer.string(outcome.message);
  writer.bytes(outcome.data);
}

export function readOutcome(reader: ByteReader): Outcome {
  const type = reader.u8();
  if (type === 0) return { type: "ok", value: readBytes(reader) };
  if (type !== 1) malformed("has an unknown outcome");
  const code = readString(reader);
  if (!isErrorCode(code)) malformed(`has an unknown error code '${code.slice(0, 32)}'`);
  return { type: "failed", code, message: readString(reader), data: readBytes(reader) };
}

function isErrorCode(code: string): code is ErrorCode {
  return (errorCodes as readonly string[]).includes(code);
}
