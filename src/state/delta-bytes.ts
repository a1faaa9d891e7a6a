/**
 * A commit's body as bytes:
 *
 *     version u8 · mark · hybrid time · count · operations
 *
 * Version 1 is that of a commit that follows on its writer's last one, version 2 that of one that
 * `begins`. Writer, sequence and entity travel beside it. Reading checks everything that applying
 * relies on, so that a delta is applied whole or not at all. A send with a trace, and its
 * refusal, have codes of their own, so that those without are what they always were.
 */
import { ByteReader } from "../codec/byte-reader.ts";
import { ByteWriter } from "../codec/byte-writer.ts";
import { readTraceparent, writeTraceparent } from "../codec/traceparent-bytes.ts";
import { unreachable } from "../model/assert.ts";
import { isPrototypeName } from "../model/names.ts";
import { isTermWriter } from "../model/writer.ts";
import type { EndedCall } from "./call-record.ts";
import { isUpdate } from "./document-section.ts";
import type { CommitBody, CommitLike } from "./commit-like.ts";
import { decoding, malformed } from "./damage.ts";
import { leafOf, pathLengthOf } from "./field-tag.ts";
import type { LeafType } from "./field-tag.ts";
import type { FailOperation, Floor, Operation, Path, SendOperation } from "./operation.ts";
import { sendsPerCommitMax } from "./outbox.ts";
import * as scalars from "./scalar-bytes.ts";
import type { SendRequest, TimedSend } from "./send.ts";

const followingVersion = 1;
const beginningVersion = 2;
const codes = {
  add: 1,
  write: 2,
  remove: 3,
  text: 4,
  record: 5,
  forget: 6,
  send: 7,
  confirm: 8,
  fail: 9,
  retire: 10,
  discard: 11,
} as const;
/** Of those that belong to a trace, which comes last. */
const tracedCodes = { send: 12, fail: 13 } as const;

/** What it gives away is never written again, so one for all is safe. */
const shared = new ByteWriter();

export function writeDelta(commit: CommitBody & { readonly sequence: number }): Uint8Array {
  const writer = shared;
  writer.truncate(0);
  writer.u8(commit.begins ? beginningVersion : followingVersion);
  writer.varint(commit.mark);
  writer.varint(commit.hybridTime);
  writer.varint(commit.operations.length);
  for (const operation of commit.operations) {
    writer.u8(codeOf(operation));
    writeOperation(writer, operation, commit.sequence);
  }
  return writer.take();
}

/** @throws LatticeError `incompatible` */
export function readDelta(commit: CommitLike): CommitBody {
  return decoding(`a change of ${commit.entity}`, () => {
    if (!isPositive(commit.writer) || !isPositive(commit.sequence)) malformed("has no number");
    const reader = new ByteReader(commit.delta);
    const version = reader.u8();
    const begins = version === beginningVersion;
    if (!begins && version !== followingVersion) malformed("has an unknown version");
    const mark = reader.varint();
    const hybridTime = reader.varint();
    const count = reader.count(scalars.lengthMax, 2);
    const operations: Operation[] = [];
    for (let index = 0; index < count; index += 1) {
      const operation = readOperation(reader, commit.sequence);
      const isOwn = operation.type === "retire" && operation.writers.includes(commit.writer);
      if (isOwn) malformed("retires its own writer");
      operations.push(operation);
    }
    reader.finish();
    return { mark, hybridTime, operations, begins };
  });
}

/** Without its code; `sequence` is that of the commit that it belongs to. */
export function writeOperation(writer: ByteWriter, operation: Operation, sequence: number): void {
  switch (operation.type) {
    case "add":
      writePath(writer, operation.path);
      writer.varint(sequence - operation.first);
      scalars.writeNumber(writer, operation.by);
      return;
    case "write":
      writePath(writer, operation.path);
      scalars.writePairs(writer, operation.seen);
      scalars.writeValue(writer, operation.value);
      return;
    case "remove":
      writePath(writer, operation.path);
      scalars.writePairs(writer, operation.seen);
      writeFloors(writer, operation.floors);
      return;
    case "text":
      writer.bytes(operation.update);
      return;
    default:
      writeEnvelopeOperation(writer, operation);
  }
}

type EnvelopeOperation = Exclude<Operation, { readonly type: "add" | "write" | "remove" | "text" }>;

function writeEnvelopeOperation(writer: ByteWriter, operation: EnvelopeOperation): void {
  switch (operation.type) {
    case "record":
      writeCall(writer, operation.call);
      scalars.writePairs(writer, operation.seen);
      return;
    case "forget":
      writer.string(operation.caller);
      writer.varint(operation.below);
      scalars.writePairs(writer, operation.seen);
      return;
    case "confirm":
      scalars.writePairs(writer, operation.ids);
      return;
    case "send":
      writer.varint(operation.index);
      writeTarget(writer, operation);
      writeTrace(writer, operation);
      return;
    case "fail":
      writer.varint(operation.writer);
      writer.varint(operation.number);
      writeTarget(writer, operation);
      writer.string(operation.code);
      writer.string(operation.message);
      writeTrace(writer, operation);
      return;
    case "retire":
      scalars.writeIds(writer, operation.writers);
      return;
    case "discard":
      writer.varint(operation.refusals.length);
      for (const refusal of operation.refusals) writeTimedSend(writer, refusal);
      return;
    default:
      unreachable(operation);
  }
}

/** Its code first. */
export function readOperation(reader: ByteReader, sequence: number): Operation {
  const code = reader.u8();
  switch (code) {
    case codes.add: {
      const path = readPath(reader, "counter");
      const first = sequence - reader.varint();
      if (first < 1) malformed("has a counter run before its writer's first commit");
      return { type: "add", path, first, by: scalars.readNumber(reader) };
    }
    case codes.write: {
      const path = readPath(reader, "cell");
      const seen = scalars.readPairs(reader);
      return { type: "write", path, seen, value: scalars.readValue(reader) };
    }
    case codes.remove: {
      const path = readPath(reader, undefined);
      const seen = scalars.readPairs(reader);
      return { type: "remove", path, seen, floors: readFloors(reader) };
    }
    case codes.text: {
      const update = scalars.readBytes(reader);
      if (!isUpdate(update)) malformed("has a change of a document that is not a Yjs update");
      return { type: "text", update };
    }
    default:
      return readEnvelopeOperation(reader, code);
  }
}

function readEnvelopeOperation(reader: ByteReader, code: number): Operation {
  switch (code) {
    case codes.record:
      return { type: "record", call: readCall(reader), seen: scalars.readPairs(reader) };
    case codes.forget: {
      const caller = scalars.readString(reader);
      return { type: "forget", caller, below: reader.varint(), seen: scalars.readPairs(reader) };
    }
    case codes.confirm:
      return { type: "confirm", ids: scalars.readPairs(reader) };
    case codes.send:
      return readSend(reader);
    case tracedCodes.send:
      return { ...readSend(reader), trace: readTraceparent(reader) };
    case codes.fail:
      return readFail(reader);
    case tracedCodes.fail:
      return { ...readFail(reader), trace: readTraceparent(reader) };
    case codes.retire: {
      const writers = scalars.readIds(reader);
      if (writers.length === 0 || !writers.every(isTermWriter)) malformed("retires no term");
      return { type: "retire", writers };
    }
    case codes.discard: {
      const refusals: TimedSend[] = [];
      const count = reader.count(scalars.lengthMax, 3);
      for (let index = 0; index < count; index += 1) refusals.push(readTimedSend(reader));
      return { type: "discard", refusals };
    }
    default:
      return malformed(`has an unknown operation ${String(code)}`);
  }
}

function readSend(reader: ByteReader): SendOperation {
  const index = reader.varint();
  if (index >= sendsPerCommitMax) malformed("sends too many calls");
  return { type: "send", index, ...readTarget(reader) };
}

function readFail(reader: ByteReader): FailOperation {
  const id = { writer: scalars.readPositive(reader), number: scalars.readPositive(reader) };
  const target = readTarget(reader);
  const end = { code: scalars.readString(reader), message: scalars.readString(reader) };
  return { type: "fail", ...id, ...target, ...end };
}

function writeTrace(writer: ByteWriter, { trace }: SendRequest): void {
  if (trace !== undefined) writeTraceparent(writer, trace);
}

function writeCall(writer: ByteWriter, call: EndedCall): void {
  writer.string(call.caller);
  writer.varint(call.number);
  writer.varint(call.received);
  writer.varint(call.digest);
  scalars.writeOutcome(writer, call.outcome);
}

function readCall(reader: ByteReader): EndedCall {
  return {
    caller: scalars.readString(reader),
    number: reader.varint(),
    received: reader.varint(),
    digest: reader.varint(),
    outcome: scalars.readOutcome(reader),
  };
}

/** What is written in front of an operation. */
export function codeOf(operation: Operation): number {
  const { type } = operation;
  const isTraced = (type === "send" || type === "fail") && operation.trace !== undefined;
  return isTraced ? tracedCodes[type] : codes[type];
}

export function writeTimedSend(writer: ByteWriter, send: TimedSend): void {
  writer.varint(send.writer);
  writer.varint(send.number);
  writer.varint(send.hybridTime);
}

export function readTimedSend(reader: ByteReader): TimedSend {
  return {
    writer: scalars.readPositive(reader),
    number: scalars.readPositive(reader),
    hybridTime: reader.varint(),
  };
}

export function writeTarget(writer: ByteWriter, target: SendRequest): void {
  writer.string(target.functionName);
  writer.string(target.key);
  writer.string(target.operation);
  writer.bytes(target.input);
}

export function readTarget(reader: ByteReader): SendRequest {
  return {
    functionName: scalars.readString(reader),
    key: scalars.readString(reader),
    operation: scalars.readString(reader),
    input: scalars.readBytes(reader),
  };
}

function writePath(writer: ByteWriter, path: Path): void {
  writer.varint(path.length);
  for (const step of path) writer.string(step);
}

/** @param leaf what must be at its end; `undefined`: the path may end anywhere. */
function readPath(reader: ByteReader, leaf: LeafType | undefined): Path {
  const length = reader.varint();
  const field = scalars.readString(reader);
  const full = pathLengthOf(field);
  const fits = leaf === undefined ? length <= full : length === full && leafOf(field) === leaf;
  if (!fits || length === 0) malformed(`has a path that does not fit its field`);
  const path = [field];
  for (let index = 1; index < length; index += 1) {
    const key = scalars.readString(reader);
    if (isPrototypeName(key)) malformed("has a reserved key");
    path.push(key);
  }
  return path;
}

function writeFloors(writer: ByteWriter, floors: readonly Floor[]): void {
  writer.varint(floors.length);
  for (const floor of floors) {
    writePath(writer, floor.path);
    writer.varint(floor.writer);
    writer.varint(floor.first);
    scalars.writeNumber(writer, floor.total);
  }
}

function readFloors(reader: ByteReader): Floor[] {
  const count = reader.count(scalars.lengthMax, 5);
  const floors: Floor[] = [];
  for (let index = 0; index < count; index += 1) {
    const path = readPath(reader, "counter");
    const writer = scalars.readPositive(reader);
    const first = scalars.readPositive(reader);
    floors.push({ path, writer, first, total: scalars.readNumber(reader) });
  }
  return floors;
}

function isPositive(value: number): boolean {
  return Number.isSafeInteger(value) && value > 0;
}
