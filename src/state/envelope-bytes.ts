/**
 * The parts of an entity's image that are not contents: dedupe table, outbox, document, postponed.
 *
 * In an image with traces every call of the outbox is followed by a byte that says whether it has
 * one, and by that.
 */
import type { ByteReader } from "../codec/byte-reader.ts";
import type { ByteWriter } from "../codec/byte-writer.ts";
import { readTraceparent, writeTraceparent } from "../codec/traceparent-bytes.ts";
import { StateCommit } from "./commit.ts";
import { malformed } from "./damage.ts";
import { DedupeTable } from "./dedupe.ts";
import type { CallRecord } from "./call-record.ts";
import {
  codeOf,
  readOperation,
  readTarget,
  readTimedSend,
  writeOperation,
  writeTarget,
  writeTimedSend,
} from "./delta-bytes.ts";
import { DocumentSection } from "./document-section.ts";
import type { StoredParts } from "./entity-parts.ts";
import { FailedSends, failedSendsMax } from "./failed-sends.ts";
import { Outbox } from "./outbox.ts";
import type { OutboxEntry } from "./outbox.ts";
import { Postponed } from "./postponed.ts";
import type { DeferredOperation } from "./postponed.ts";
import * as scalars from "./scalar-bytes.ts";
import type { SendRequest } from "./send.ts";

type EnvelopeParts = Pick<
  StoredParts,
  "dedupeIfAny" | "outboxIfAny" | "documentsIfAny" | "postponed"
>;

/** Whether a call of the outbox has a trace, one that was refused for good too. */
export function hasTraces({ outboxIfAny }: EnvelopeParts): boolean {
  if (outboxIfAny === undefined) return false;
  const isTraced = ({ trace }: SendRequest): boolean => trace !== undefined;
  return outboxIfAny.entries.some(isTraced) || outboxIfAny.failures.kept.some(isTraced);
}

export function writeEnvelope(writer: ByteWriter, parts: EnvelopeParts, canonical: boolean): void {
  const { dedupeIfAny: dedupe, outboxIfAny: outbox, documentsIfAny, postponed } = parts;
  writeList(writer, dedupe?.records(), writeRecord);
  const write = hasTraces(parts) ? writeTracedSend : writeSend;
  writeList(writer, outbox?.entries, write);
  writeList(writer, outbox?.failures.kept, (to, failed) => {
    write(to, failed);
    to.string(failed.code);
    to.string(failed.message);
  });
  writeList(writer, outbox?.failures.dropped, writeTimedSend);
  const updates = canonical ? undefined : documentsIfAny?.updates;
  writeList(writer, updates, (to, update) => to.bytes(update));
  writeList(writer, postponed?.held, writeHeld);
  writeList(writer, postponed?.deferred, (to, deferred) => {
    to.varint(deferred.writer);
    to.varint(deferred.sequence);
    to.varint(deferred.index);
    to.u8(codeOf(deferred.operation));
    writeOperation(to, deferred.operation, deferred.sequence);
  });
}

/** @param traced whether it is of an image with traces */
export function readEnvelope(reader: ByteReader, name: string, traced: boolean): EnvelopeParts {
  const dedupeIfAny = readDedupe(reader);
  const outboxIfAny = readOutbox(reader, traced);
  const updates = readList(reader, scalars.lengthMax, () => scalars.readBytes(reader));
  const held = readList(reader, scalars.lengthMax, () => readHeld(reader, name));
  const deferred = readList(reader, scalars.lengthMax, () => readDeferred(reader));
  const isComplete = held.length + deferred.length === 0;
  return {
    dedupeIfAny,
    outboxIfAny,
    documentsIfAny: updates.length === 0 ? undefined : DocumentSection.of(name, updates),
    postponed: isComplete ? undefined : Postponed.of(held, deferred),
  };
}

function writeRecord(writer: ByteWriter, record: CallRecord): void {
  writer.string(record.caller);
  writer.varint(record.number);
  writer.varint(record.received);
  writer.varint(record.digest);
  writer.varint(record.hybridTime);
  writer.varint(record.writer);
  writer.varint(record.sequence);
  scalars.writeOutcome(writer, record.outcome);
}

function readDedupe(reader: ByteReader): DedupeTable | undefined {
  const records = readList(reader, scalars.lengthMax, () => ({
    caller: scalars.readString(reader),
    number: reader.varint(),
    received: reader.varint(),
    digest: reader.varint(),
    hybridTime: reader.varint(),
    writer: scalars.readPositive(reader),
    sequence: scalars.readPositive(reader),
    outcome: scalars.readOutcome(reader),
  }));
  return records.length === 0 ? undefined : DedupeTable.of(records);
}

function writeSend(writer: ByteWriter, entry: OutboxEntry): void {
  writeTimedSend(writer, entry);
  writeTarget(writer, entry);
}

function writeTracedSend(writer: ByteWriter, entry: OutboxEntry): void {
  writeSend(writer, entry);
  writer.u8(entry.trace === undefined ? 0 : 1);
  if (entry.trace !== undefined) writeTraceparent(writer, entry.trace);
}

function readSend(reader: ByteReader): OutboxEntry {
  return { ...readTimedSend(reader), ...readTarget(reader) };
}

function readTracedSend(reader: ByteReader): OutboxEntry {
  const entry = readSend(reader);
  const isTraced = reader.u8();
  if (isTraced > 1) malformed("has an unknown form of a sent call");
  return isTraced === 0 ? entry : { ...entry, trace: readTraceparent(reader) };
}

function readOutbox(reader: ByteReader, traced: boolean): Outbox | undefined {
  const read = traced ? readTracedSend : readSend;
  const entries = readList(reader, scalars.lengthMax, () => read(reader));
  const failed = readList(reader, failedSendsMax, () => ({
    ...read(reader),
    code: scalars.readString(reader),
    message: scalars.readString(reader),
  }));
  const dropped = readList(reader, failedSendsMax, () => readTimedSend(reader));
  if (entries.length + failed.length + dropped.length === 0) return undefined;
  return Outbox.of(entries, FailedSends.of(failed, dropped));
}

function writeHeld(writer: ByteWriter, commit: StateCommit): void {
  writer.varint(commit.writer);
  writer.varint(commit.sequence);
  writer.bytes(commit.delta);
}

function readHeld(reader: ByteReader, entity: string): StateCommit {
  const writer = scalars.readPositive(reader);
  const sequence = scalars.readPositive(reader);
  return StateCommit.decode({ entity, writer, sequence, delta: scalars.readBytes(reader) });
}

function readDeferred(reader: ByteReader): DeferredOperation {
  const writer = scalars.readPositive(reader);
  const sequence = scalars.readPositive(reader);
  const index = reader.varint();
  const operation = readOperation(reader, sequence);
  switch (operation.type) {
    case "remove":
    case "forget":
    case "confirm":
      return { writer, sequence, index, operation };
    default:
      return malformed("has deferred what cannot be deferred");
  }
}

function writeList<T>(
  writer: ByteWriter,
  items: readonly T[] | undefined,
  write: (writer: ByteWriter, item: T) => void,
): void {
  writer.varint(items?.length ?? 0);
  for (const item of items ?? []) write(writer, item);
}

/** Items take at least one byte each, so a false count ends with the bytes. */
function readList<T>(reader: ByteReader, countMax: number, read: () => T): T[] {
  const count = reader.count(countMax, 1);
  const items: T[] = [];
  for (let index = 0; index < count; index += 1) items.push(read());
  return items;
}
