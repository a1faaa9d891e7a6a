/**
 * What a session has seen, as text that can be passed on (base64url of bytes):
 *
 *     version u8 · partition count · processes (list of text) · marks (list of: partition, process, term, position)
 *
 * Partitions are given as the distance from the one before; about six bytes each.
 */
import { ByteReader } from "../codec/byte-reader.ts";
import { ByteWriter } from "../codec/byte-writer.ts";
import { LatticeError } from "../model/error.ts";
import { limits } from "../model/limits.ts";
import type { PartitionId, ProcessId } from "../model/ids.ts";
import type { Mark } from "../model/mark.ts";

export interface SessionToken {
  /** Of the cluster that it is of. */
  readonly partitionCount: number;
  readonly marks: ReadonlyMap<PartitionId, Mark>;
}

const tokenVersion = 1;
const processBytesMax = 512;
const itemsMax = 65_536;

export function writeToken({ partitionCount, marks }: SessionToken): string {
  const bytes = new ByteWriter();
  const processes = [...new Set([...marks.values()].map(({ term }) => term.process))];
  const places = new Map(processes.map((process, place) => [process, place]));
  bytes.u8(tokenVersion);
  bytes.varint(partitionCount);
  bytes.varint(processes.length);
  for (const process of processes) bytes.string(process);
  bytes.varint(marks.size);
  let before = 0;
  for (const [partition, { term, position }] of [...marks].sort(([a], [b]) => a - b)) {
    bytes.varint(partition - before);
    bytes.varint(places.get(term.process)!);
    bytes.varint(term.number);
    bytes.varint(position);
    before = partition;
  }
  return toText(bytes.take());
}

/** @throws LatticeError `invalid_argument` for what is no token of this version. */
export function readToken(text: unknown): SessionToken {
  try {
    if (typeof text !== "string" || text.length > limits.tokenLengthMax)
      throw new Error("it is no text");
    return decode(new ByteReader(toBytes(text)));
  } catch (error) {
    throw new LatticeError(
      "invalid_argument",
      "this is not the token of a session: give what client.token() returned, unchanged",
      { cause: error },
    );
  }
}

function decode(bytes: ByteReader): SessionToken {
  const version = bytes.u8();
  if (version !== tokenVersion) throw new Error(`its version is ${String(version)}`);
  const partitionCount = bytes.varint();
  const processes: ProcessId[] = [];
  const processCount = bytes.count(itemsMax, 1);
  for (let at = 0; at < processCount; at++) processes.push(bytes.string(processBytesMax));
  const marks = new Map<PartitionId, Mark>();
  let partition = 0;
  const markCount = bytes.count(itemsMax, 4);
  for (let at = 0; at < markCount; at++) {
    partition += bytes.varint();
    const process = processes[bytes.varint()];
    const number = bytes.varint();
    if (process === undefined || partition >= partitionCount) throw new Error("it is damaged");
    marks.set(partition, { term: { number, process }, position: bytes.varint() });
  }
  bytes.finish();
  return { partitionCount, marks };
}

/** `btoa` and `atob` are there in browsers and in Node.js alike. */
function toText(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function toBytes(text: string): Uint8Array {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
