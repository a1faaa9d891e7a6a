/** The parts of an entity's image that are not contents: dedupe table, outbox, document, postponed. */
import type { ByteReader } from "../codec/byte-reader.ts";
import type { ByteWriter } from "../codec/byte-writer.ts";
import { StateCommit } from "./commit.ts";
import { malformed } from "./damage.ts";
import { DedupeTable } from "./dedupe.ts";
import type { CallRecord } from "./call-record.ts";
import {
  operationCode,
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
import type { FailedSend } from "./failed-sends.ts";
import { Outbox } from "./outbox.ts";
import type { OutboxEntry } from "./outbox.ts";
import { Postponed } from "./postponed.ts";
import type { DeferredOperation } from "./postponed.ts";
import * as scalars from "./scalar-bytes.ts";

type EnvelopeParts = Pick<
  StoredParts,
  "dedupeIfAny" | "outboxIfAny" | "documentsIfAny" | "postponed"
>;

export function writeEnvelope(writer: ByteWriter, parts: EnvelopeParts, canonical: boolean): void {
  const { dedupeIfAny: dedupe, outboxIfAny: outbox, documentsIfAny, postponed } = parts;
  writeList(writer, dedupe?.records(), writeRecord);
  writeList(writer, outbox?.entries, writeSend);
  writeList(writer, outbox?.failures.kept, writeFailed);
  writeList(writer, outbox?.failures.dropped, writeTimedSend);
  const updates = canonical ? undefined : documentsIfAny?.updates;
  writeList(writer, updates, (to, update) => to.bytes(update));
  writeList(writer, postponed?.held, writeHeld);
  writeList(writer, postponed?.deferred, (to, deferred) => {
    to.varint(deferred.writer);
    to.varint(deferred.sequence);
    to.varint(deferred.index);
    to.u8(operationCode(deferred.operation));
    writeOperation(to, deferred.operation, deferred.sequence);
  });
}

export function readEnvelope(reader: ByteReader, name: string): EnvelopeParts {
  const dedupeIfAny = readDedupe(reader);
  const outboxIfAny = readOutbox(reader);
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

function writeFailed(writer: ByteWriter, failed: FailedSend): void {
  writeSend(writer, failed);
  writer.string(failed.code);
  writer.string(failed.message);
}

function readOutbox(reader: ByteReader): Outbox | undefined {
  const readSend = (): OutboxEntry => ({ ...readTimedSend(reader), ...readTarget(reader) });
  const entries = readList(reader, scalars.lengthMax, readSend);
  const failed = readList(reader, failedSendsMax, () => ({
    ...readSend(),
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
