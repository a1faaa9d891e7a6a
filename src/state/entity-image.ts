/**
 * A whole entity as bytes:
 *
 *     version u8 · mark · hybrid time · vector · past · fields ·
 *       dedupe · outbox · failed · dropped · updates · postponed
 *
 * A node has no type of its own: the field's tag says what is at which depth. Writers are indexes
 * into the vector. The canonical form, for hashes only, is sorted and leaves the document out.
 * Version 3 is that of an entity whose sent calls have no traces, version 4 that of one with such.
 */
import { ByteReader } from "../codec/byte-reader.ts";
import { ByteWriter } from "../codec/byte-writer.ts";
import { isPrototypeName } from "../model/names.ts";
import { isTermWriter } from "../model/writer.ts";
import { CausalVector } from "./causal-vector.ts";
import { entriesOf, linkedCell } from "./cell-entry.ts";
import type { EntryFields } from "./cell-entry.ts";
import { Contents } from "./contents.ts";
import { linked, runsOf } from "./counter-run.ts";
import type { RunFields } from "./counter-run.ts";
import { decoding, malformed } from "./damage.ts";
import { DictNode } from "./dict-node.ts";
import type { StateNode } from "./dict-node.ts";
import { hasTraces, readEnvelope, writeEnvelope } from "./envelope-bytes.ts";
import type { StoredParts } from "./entity-parts.ts";
import { leafOf, pathLengthOf } from "./field-tag.ts";
import type { LeafType } from "./field-tag.ts";
import { LayeredMap } from "./layered-map.ts";
import { nobody } from "./owner.ts";
import { noPast } from "./past-writers.ts";
import type { PastWriters } from "./past-writers.ts";
import * as scalars from "./scalar-bytes.ts";
import { valueBytes } from "./stored-value.ts";

const untracedVersion = 3;
const tracedVersion = 4;
/** What of the past is there, as bits. */
const pastBits = { stays: 1, left: 2 } as const;

/** @param canonical whether it is for a hash: sorted and without documents. */
export function writeImage(parts: StoredParts, canonical: boolean): Uint8Array {
  const writer = new ByteWriter(Math.max(64, parts.contents.bytes + 128));
  const writing: Writing = { writer, pairs: parts.context.pairs, canonical };
  writer.u8(hasTraces(parts) ? tracedVersion : untracedVersion);
  writer.varint(parts.mark);
  writer.varint(parts.hybridTime);
  scalars.writePairs(writer, parts.context.pairs);
  writePast(writer, parts.context.past ?? noPast);
  writer.varint(parts.contents.fieldCount);
  for (const [field, node] of parts.contents.entries(canonical)) {
    writer.string(field);
    writeNode(writing, node);
  }
  writeEnvelope(writer, parts, canonical);
  return writer.take().slice();
}

/** @throws LatticeError `incompatible` */
export function readImage(name: string, image: Uint8Array): StoredParts {
  return decoding(`a copy of ${name}`, () => {
    const reader = new ByteReader(image);
    const version = reader.u8();
    const traced = version === tracedVersion;
    if (!traced && version !== untracedVersion) malformed("has an unknown version");
    const mark = reader.varint();
    const hybridTime = reader.varint();
    const context = readVector(reader);
    const reading: Reading = { reader, pairs: context.pairs };
    const contents = readContents(reading);
    const envelope = readEnvelope(reader, name, traced);
    reader.finish();
    return { mark, hybridTime, context, contents, ...envelope };
  });
}

interface Writing {
  readonly writer: ByteWriter;
  readonly pairs: readonly number[];
  readonly canonical: boolean;
}

interface Reading {
  readonly reader: ByteReader;
  readonly pairs: readonly number[];
}

function readVector(reader: ByteReader): CausalVector {
  const pairs = scalars.readPairs(reader);
  for (let index = 2; index < pairs.length; index += 2) {
    if (pairs[index]! <= pairs[index - 2]!) malformed("has writers out of order");
  }
  return new CausalVector(pairs, readPast(reader));
}

function writePast(writer: ByteWriter, { left, digest, stays }: PastWriters): void {
  const hasRetired = left.length > 0;
  writer.u8((stays ? pastBits.stays : 0) | (hasRetired ? pastBits.left : 0));
  if (!hasRetired) return;
  scalars.writeIds(writer, left);
  writer.varint(digest);
}

function readPast(reader: ByteReader): PastWriters | undefined {
  const bits = reader.u8();
  if (bits === 0) return undefined;
  if (bits > (pastBits.stays | pastBits.left)) malformed("has an unknown past");
  const stays = (bits & pastBits.stays) !== 0;
  if ((bits & pastBits.left) === 0) return { ...noPast, stays };
  const left = scalars.readIds(reader);
  if (left.length === 0 || !left.every(isTermWriter)) malformed("has retired no term");
  return { left, digest: reader.varint(), stays };
}

function readContents(reading: Reading): Contents {
  const { reader } = reading;
  const contents = new Contents();
  const count = reader.count(scalars.lengthMax, 3);
  for (let index = 0; index < count; index += 1) {
    const field = scalars.readString(reader);
    const steps = pathLengthOf(field);
    if (steps === 0 || contents.get(field) !== undefined) malformed("has a field of no kind");
    contents.put(field, readNode(reading, steps - 1, leafOf(field)));
  }
  return contents;
}

function writeNode(writing: Writing, node: StateNode): void {
  const { writer } = writing;
  switch (node.type) {
    case "counter": {
      const runs = runsOf(node);
      writer.varint(runs.length);
      for (const run of runs) writeRun(writing, run);
      return;
    }
    case "cell": {
      const entries = entriesOf(node);
      writer.varint(entries.length);
      for (const entry of entries) {
        writeWriter(writing, entry.writer);
        writer.varint(entry.sequence);
        writer.varint(entry.hybridTime);
        scalars.writeValue(writer, entry.value);
      }
      return;
    }
    case "dict": {
      writer.varint(node.children.size);
      const children = [...node.children];
      if (writing.canonical) children.sort(([a], [b]) => (a < b ? -1 : 1));
      for (const [key, child] of children) {
        writer.string(key);
        writeNode(writing, child);
      }
    }
  }
}

/** @param depth how many dicts are above the leaf */
function readNode(reading: Reading, depth: number, leaf: LeafType): StateNode {
  const { reader } = reading;
  const count = reader.count(scalars.lengthMax, 2);
  if (count === 0) malformed("has a place that holds nothing");
  if (depth > 0) return readDict(reading, count, depth, leaf);
  if (leaf === "counter") {
    const runs: RunFields[] = [];
    for (let index = 0; index < count; index += 1) runs.push(readRun(reading));
    return linked(runs) ?? malformed("has an empty counter");
  }
  const entries: EntryFields[] = [];
  for (let index = 0; index < count; index += 1) entries.push(readEntry(reading));
  return linkedCell(entries) ?? malformed("has an empty cell");
}

function readDict(reading: Reading, count: number, depth: number, leaf: LeafType): DictNode {
  const children = new Map<string, StateNode>();
  for (let index = 0; index < count; index += 1) {
    const key = scalars.readString(reading.reader);
    if (isPrototypeName(key)) malformed("has a reserved key");
    children.set(key, readNode(reading, depth - 1, leaf));
  }
  if (children.size !== count) malformed("has a key twice");
  return new DictNode(nobody, new LayeredMap(children));
}

function writeRun(writing: Writing, run: RunFields): void {
  const { writer } = writing;
  writeWriter(writing, run.writer);
  writer.varint(run.first);
  writer.varint(run.last - run.first);
  scalars.writeNumber(writer, run.total);
  writer.varint(run.floor);
  if (run.floor > 0) scalars.writeNumber(writer, run.floorTotal);
}

function readRun(reading: Reading): RunFields {
  const { reader } = reading;
  const writer = readWriter(reading);
  const first = scalars.readPositive(reader);
  const last = first + reader.varint();
  const total = scalars.readNumber(reader);
  const floor = reader.varint();
  const floorTotal = floor > 0 ? scalars.readNumber(reader) : 0;
  return { writer, first, last, total, floor, floorTotal };
}

function readEntry(reading: Reading): EntryFields {
  const { reader } = reading;
  const writer = readWriter(reading);
  const sequence = scalars.readPositive(reader);
  const hybridTime = reader.varint();
  const value = scalars.readValue(reader);
  return { writer, sequence, hybridTime, value, bytes: valueBytes(value) };
}

function writeWriter(writing: Writing, id: number): void {
  const index = writing.pairs.indexOf(id);
  // Writers are at even places; a sequence number may equal a writer id.
  const at = index % 2 === 0 ? index / 2 : findWriter(writing.pairs, id);
  writing.writer.varint(at + 1);
  if (at < 0) writing.writer.varint(id);
}

function readWriter(reading: Reading): number {
  const at = reading.reader.varint();
  if (at === 0) return scalars.readPositive(reading.reader);
  return reading.pairs[(at - 1) * 2] ?? malformed("names a writer that it does not list");
}

function findWriter(pairs: readonly number[], id: number): number {
  for (let index = 0; index < pairs.length; index += 2) {
    if (pairs[index] === id) return index / 2;
  }
  return -1;
}
