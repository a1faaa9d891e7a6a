/**
 * `call`, `reply` and `failure`, by hand: they are the messages of the hot path, and a closure or a
 * computed property per field would cost more than everything else that happens to them here. What
 * most calls do not have (an age, a chain, a trace) takes one bit of `parts`; the payload comes last
 * and without a length, because the message has one.
 */
import { emptyBytes, type ByteReader } from "../codec/byte-reader.ts";
import { KeyTable, noSlot } from "../codec/key-table.ts";
import { MalformedBytes } from "../codec/malformed.ts";
import { readTraceparent, writeTraceparent } from "../codec/traceparent-bytes.ts";
import { sharedEncoding } from "../codec/value-bytes.ts";
import { errorCodes, LatticeError } from "../model/error.ts";
import { limits } from "../model/limits.ts";
import type { Mark } from "../model/mark.ts";
import { list, milliseconds, oneOf, prose, struct, text, varint } from "./field.ts";
import type { CallKeys, Field, Incoming, Outgoing } from "./field.ts";
import { callFlags, replyFlags } from "./messages.ts";
import type {
  CallMessage,
  FailureCode,
  FailureMessage,
  ReplyMessage,
  SeenPartition,
} from "./messages.ts";

/**
 * Well above what `checkKey` allows, so that a key that is too long gets an answer that says so
 * instead of a closed connection.
 */
export const keyBytesMax = 4096;
/** `function/key`, with the same room. */
export const entityBytesMax = keyBytesMax + limits.nameLengthMax + 1;
const ageIdBytesMax = 256;

const key = text(keyBytesMax);
const ageId = text(ageIdBytesMax);
const chain: Field<readonly string[]> = list(text(entityBytesMax), limits.callDepthMax);
const noChain: readonly string[] = Object.freeze([]);
/** Where nobody looks for the keys of calls. */
const noKeys: CallKeys = /* @__PURE__ */ new KeyTable();

/** A term and a position; their process is one of the link's names. */
const mark: Field<Mark> = {
  bytesMin: 3,
  write(to, { term, position }) {
    to.bytes.varint(term.number);
    to.names.write(to.bytes, term.process);
    to.bytes.varint(position);
  },
  read(from) {
    const term = { number: from.bytes.varint(), process: from.names.read(from.bytes) };
    return { term, position: from.bytes.varint() };
  },
};
const seenPartitions: Field<readonly SeenPartition[]> = list(
  struct<SeenPartition>({ partition: varint, mark }),
  limits.seenMarksMax,
);

const nothingRare = Object.freeze({ chain: noChain, seen: undefined, trace: "" });

const parts = { protection: 1, acks: 2, age: 4, chain: 8, seen: 16, trace: 32 } as const;
const allParts = 63;

export function writeCall(to: Outgoing, call: CallMessage): void {
  const { bytes, names } = to;
  const present = partsOf(call);
  bytes.u8(present);
  bytes.varint(call.flags);
  bytes.varint(call.id);
  bytes.varint(call.partition);
  bytes.u32(call.tableId);
  bytes.u8(call.hop);
  names.write(bytes, call.functionName);
  key.write(to, call.key);
  names.write(bytes, call.operation);
  milliseconds.write(to, call.timeoutMs);
  if ((present & parts.protection) !== 0) {
    // An outbox is one of as many callers as there are entities: no slot for each of them.
    if ((call.flags & callFlags.outbox) !== 0) names.writeInline(bytes, call.caller);
    else names.write(bytes, call.caller);
    bytes.varint(call.number);
    bytes.varint(call.received);
  }
  if ((present & parts.acks) !== 0) bytes.u8(call.acks);
  if ((present & parts.age) !== 0) {
    bytes.varint(call.ageTime);
    ageId.write(to, call.ageId);
  }
  if ((present & parts.chain) !== 0) chain.write(to, call.chain);
  if (call.seen !== undefined) mark.write(to, call.seen);
  if (call.trace !== "") writeTraceparent(bytes, call.trace);
  bytes.raw(call.input);
}

function partsOf(call: CallMessage): number {
  let present = 0;
  if (call.number !== 0 || call.received !== 0 || call.caller !== "") present |= parts.protection;
  if (call.acks !== 0) present |= parts.acks;
  if (call.ageTime !== 0 || call.ageId !== "") present |= parts.age;
  if (call.chain.length > 0) present |= parts.chain;
  if (call.seen !== undefined) present |= parts.seen;
  if (call.trace !== "") present |= parts.trace;
  return present;
}

export function readCall(from: Incoming): CallMessage {
  const { bytes, names, keys = noKeys } = from;
  const present = readParts(bytes);
  const flags = bytes.varint();
  const id = bytes.varint();
  const partition = bytes.varint();
  const tableId = bytes.u32();
  const hop = bytes.u8();
  const functionName = names.read(bytes);
  const keyLength = bytes.varint();
  const keySlot = bytes.slotOf(keyLength, keys, functionName);
  const keyText = keySlot === noSlot ? readKey(bytes, keyLength) : keys.keyAt(keySlot);
  if (keySlot !== noSlot) bytes.skip(keyLength);
  const operation = names.read(bytes);
  const timeoutMs = bytes.varint();
  const isProtected = (present & parts.protection) !== 0;
  const caller = isProtected ? names.read(bytes) : "";
  const number = isProtected ? bytes.varint() : 0;
  const received = isProtected ? bytes.varint() : 0;
  const acks = (present & parts.acks) !== 0 ? bytes.u8() : 0;
  const hasAge = (present & parts.age) !== 0;
  const ageTime = hasAge ? bytes.varint() : 0;
  const ageText = hasAge ? bytes.string(ageIdBytesMax) : "";
  const rare = present < parts.chain ? nothingRare : readRare(from, present);
  return {
    type: "call",
    id,
    partition,
    tableId,
    hop,
    functionName,
    key: keyText,
    keySlot,
    operation,
    caller,
    number,
    received,
    timeoutMs,
    acks,
    flags,
    ageTime,
    ageId: ageText,
    chain: rare.chain,
    seen: rare.seen,
    trace: rare.trace,
    input: bytes.remaining === 0 ? emptyBytes : bytes.raw(bytes.remaining),
  };
}

function readParts(bytes: ByteReader): number {
  const present = bytes.u8();
  if (present > allParts) throw new MalformedBytes("has unknown parts");
  return present;
}

type RarePart = "chain" | "seen" | "trace";

function readRare(from: Incoming, present: number): Pick<CallMessage, RarePart> {
  return {
    chain: (present & parts.chain) === 0 ? noChain : chain.read(from),
    seen: (present & parts.seen) === 0 ? undefined : mark.read(from),
    trace: (present & parts.trace) === 0 ? "" : readTraceparent(from.bytes),
  };
}

function readKey(bytes: ByteReader, length: number): string {
  if (length > keyBytesMax) throw new MalformedBytes("has a key that is too long");
  return bytes.text(length);
}

/** Why a client's call may not be sent as it is, or `undefined`. Its size is the only thing checked. */
export function oversizedInput(call: {
  readonly functionName: string;
  readonly key: string;
  readonly input: Uint8Array;
}): LatticeError | undefined {
  const most = limits.clientPayloadBytesMax;
  if (call.input.length <= most) return undefined;
  const size = call.input.length.toLocaleString("en-US");
  const problem = `${call.functionName}/${call.key}: the input has ${size} bytes encoded`;
  return new LatticeError(
    "too_large",
    `${problem}, at most ${most.toLocaleString("en-US")} are sent`,
  );
}

export function writeReply(to: Outgoing, reply: ReplyMessage): void {
  const { bytes } = to;
  bytes.varint(reply.id);
  bytes.u8(reply.flags);
  bytes.u8(reply.copies);
  bytes.u8(reply.hops);
  to.names.write(bytes, reply.node);
  if ((reply.flags & replyFlags.seen) !== 0) seenPartitions.write(to, reply.seen ?? []);
  bytes.raw(reply.value);
}

export function readReply(from: Incoming): ReplyMessage {
  const { bytes } = from;
  const id = bytes.varint();
  const flags = bytes.u8();
  return {
    type: "reply",
    id,
    flags,
    copies: bytes.u8(),
    hops: bytes.u8(),
    node: from.names.read(bytes),
    seen: (flags & replyFlags.seen) === 0 ? undefined : seenPartitions.read(from),
    value: readPayload(bytes),
  };
}

/** The rest of the message. Small numbers, which many answers are, share their bytes. */
function readPayload(bytes: ByteReader): Uint8Array {
  if (bytes.remaining !== 1) return bytes.raw(bytes.remaining);
  const byte = bytes.u8();
  return sharedEncoding(byte) ?? Uint8Array.of(byte);
}

const failureCode: Field<FailureCode> = oneOf<FailureCode>([...errorCodes, "degraded_offered"]);

export function writeFailure(to: Outgoing, failure: FailureMessage): void {
  to.bytes.varint(failure.id);
  failureCode.write(to, failure.code);
  to.bytes.u8(failure.indeterminate ? 1 : 0);
  milliseconds.write(to, failure.retryAfterMs);
  to.names.write(to.bytes, failure.node);
  to.names.write(to.bytes, failure.primary);
  prose.write(to, failure.call);
  prose.write(to, failure.message);
  to.bytes.raw(failure.data);
}

export function readFailure(from: Incoming): FailureMessage {
  const { bytes } = from;
  const id = bytes.varint();
  const code = failureCode.read(from);
  const indeterminate = bytes.u8() !== 0;
  const retryAfterMs = bytes.varint();
  const node = from.names.read(bytes);
  const primary = from.names.read(bytes);
  const call = prose.read(from);
  const message = prose.read(from);
  return {
    type: "failure",
    id,
    code,
    message,
    indeterminate,
    retryAfterMs,
    node,
    primary,
    call,
    data: bytes.remaining === 0 ? emptyBytes : bytes.raw(bytes.remaining),
  };
}
