/**
 * What the replicas of this process have to say to the others. The messages of one turn of the event
 * loop leave together, in pieces that no link refuses and only as fast as the receiver reads: a node
 * that joins is sent all its partitions at once, and pushing them all into its connection would
 * break that for reading too slowly.
 *
 * Within a partition the order is kept. Between them large messages wait for small ones, or commits
 * of all partitions would stand behind the copies of a few, and lose their majority. A copy leaves in
 * pieces (`image-pieces.ts`); a newer one takes the place of what of its partition has not left yet.
 * What waits for a process whose link breaks is dropped: replicas send it again, or something newer,
 * when the link is back.
 */
import type { LatticeError } from "../../model/error.ts";
import type { PartitionId, ProcessId } from "../../model/ids.ts";
import type { Timers } from "../../platform/platform.ts";
import type {
  Commit,
  ImageMessage,
  PartitionMessage,
  ReplicationMessage,
} from "../../wire/replication-messages.ts";
import { cutImage, imageBytes, imagePieceBytes, isImage } from "./image-pieces.ts";

/** One message is ended when its entries have about so many bytes. */
export const messageBytes = 64 * 1024;
/** A message longer than this is passed by shorter ones of other partitions. */
const bulkBytes = 16 * 1024;
/** What an entry costs beside the bytes of its state. */
const entryBytes = 128;

export interface OutgoingOptions {
  readonly timers: Timers;
  /** Copies are cut into pieces of so many bytes. @default `imagePieceBytes` */
  readonly imagePieceBytes?: number | undefined;
  /** Whether the link to this process takes more now. When it is full, `flush` is called later. */
  roomFor(to: ProcessId): LinkRoom;
  /** Why the message cannot be sent, if so. */
  send(to: ProcessId, message: ReplicationMessage): LatticeError | undefined;
  /** This message will never fit. */
  refused(to: ProcessId, entry: OutgoingEntry, error: LatticeError): void;
}

/** `gone`: there is no link. */
export type LinkRoom = "room" | "full" | "gone";

export type OutgoingEntry = ReplicationMessage["entries"][number];

/** What waits for one process. */
interface Line {
  urgent: OutgoingEntry[];
  /** Large messages, and what belongs behind them. */
  bulk: OutgoingEntry[];
  /** How many entries of a partition stand in `bulk`. */
  readonly held: Map<PartitionId, number>;
  /** Its link took no more when it was last asked. */
  isFull: boolean;
}

export class Outgoing {
  readonly #options: OutgoingOptions;
  readonly #lines = new Map<ProcessId, Line>();
  #flushDue = false;
  #isClosed = false;
  #imageCount = 0;
  #cutCount = 0;

  constructor(options: OutgoingOptions) {
    this.#options = options;
  }

  /** Copies that were too large for one message. */
  get cutCount(): number {
    return this.#cutCount;
  }

  /** Entries that wait for room on a link, or for the end of this turn. */
  countFor(to: ProcessId): number {
    const line = this.#lines.get(to);
    return line === undefined ? 0 : line.urgent.length + line.bulk.length;
  }

  /** The link to this process is full, or a copy of this partition has not wholly left for it. */
  isSending(to: ProcessId, partition: PartitionId): boolean {
    const line = this.#lines.get(to);
    return line !== undefined && (line.isFull || line.held.has(partition));
  }

  push(to: ProcessId, partition: PartitionId, message: PartitionMessage): void {
    const line = this.#lineTo(to);
    if (isImage(message)) this.#pushImage(line, partition, message);
    else pushOne(line, { partition, message }, bytesOf(message) > bulkBytes);
    if (this.#flushDue) return;
    this.#flushDue = true;
    this.#options.timers.defer(() => {
      this.#flushDue = false;
      for (const process of this.#lines.keys()) this.flush(process);
    });
  }

  /** Sends what waits for this process, as much as its link takes. */
  flush(to: ProcessId): void {
    const line = this.#lines.get(to);
    if (line === undefined || this.#isClosed) return;
    let room = this.#options.roomFor(to);
    while (room === "room" && line.urgent.length + line.bulk.length > 0) {
      this.#send(to, line.urgent.length > 0 ? takeUrgent(line) : takeBulk(line));
      room = this.#options.roomFor(to);
    }
    line.isFull = room === "full";
    if (room === "gone" || line.urgent.length + line.bulk.length === 0) this.#lines.delete(to);
  }

  /** The link to this process is gone. */
  drop(to: ProcessId): void {
    this.#lines.delete(to);
  }

  close(): void {
    this.#isClosed = true;
    this.#lines.clear();
  }

  #lineTo(to: ProcessId): Line {
    let line = this.#lines.get(to);
    if (line === undefined) {
      line = { urgent: [], bulk: [], held: new Map(), isFull: false };
      this.#lines.set(to, line);
    }
    return line;
  }

  #pushImage(line: Line, partition: PartitionId, message: ImageMessage): void {
    if (line.held.has(partition) && message.type === "base") dropStream(line, partition);
    const { imagePieceBytes: most = imagePieceBytes } = this.#options;
    const parts = cutImage(message, this.#imageCount++, most);
    if (parts.length > 1) this.#cutCount += 1;
    const isBulk = parts.length > 1 || bytesOf(message) > bulkBytes;
    for (const part of parts) pushOne(line, { partition, message: part }, isBulk);
  }

  #send(to: ProcessId, entries: readonly OutgoingEntry[]): void {
    const error = this.#options.send(to, { entries });
    if (error === undefined) return;
    for (const entry of entries) {
      const own = entries.length === 1 ? error : this.#options.send(to, { entries: [entry] });
      if (own !== undefined) this.#options.refused(to, entry, own);
    }
  }
}

function takeUrgent(line: Line): readonly OutgoingEntry[] {
  const { urgent } = line;
  const end = pieceEnd(urgent);
  line.urgent = end === urgent.length ? [] : urgent.slice(end);
  return end === urgent.length ? urgent : urgent.slice(0, end);
}

/** Behind what of its partition stands in `bulk`, if anything does. */
function pushOne(line: Line, entry: OutgoingEntry, isBulk: boolean): void {
  const held = line.held.get(entry.partition) ?? 0;
  if (held === 0 && !isBulk) {
    line.urgent.push(entry);
    return;
  }
  line.bulk.push(entry);
  line.held.set(entry.partition, held + 1);
}

/**
 * A base is about to be sent that holds all of this: what of the partition's stream waits here would
 * only be thrown away by its receiver.
 */
function dropStream(line: Line, partition: PartitionId): void {
  let left = 0;
  line.bulk = line.bulk.filter((entry) => {
    if (entry.partition !== partition) return true;
    const stays = !streamTypes.has(entry.message.type);
    if (stays) left += 1;
    return stays;
  });
  if (left === 0) line.held.delete(partition);
  else line.held.set(partition, left);
}

const streamTypes: ReadonlySet<OutgoingEntry["message"]["type"]> = new Set([
  "base",
  "copy",
  "piece",
  "delta",
  "committed",
]);

function takeBulk(line: Line): readonly OutgoingEntry[] {
  const piece = line.bulk.splice(0, pieceEnd(line.bulk));
  for (const { partition } of piece) {
    const held = (line.held.get(partition) ?? 1) - 1;
    if (held === 0) line.held.delete(partition);
    else line.held.set(partition, held);
  }
  return piece;
}

function pieceEnd(entries: readonly OutgoingEntry[]): number {
  let bytes = 0;
  let end = 0;
  while (end < entries.length && bytes < messageBytes) {
    bytes += bytesOf(entries[end]!.message);
    end += 1;
  }
  return end;
}

/** About how long a message is: the state that it carries counts, the rest is small. */
function bytesOf(message: OutgoingEntry["message"]): number {
  switch (message.type) {
    case "delta":
      return entryBytes + (message.commit?.delta.byteLength ?? 0);
    case "base":
    case "copy":
      return entryBytes + imageBytes(message.copy);
    case "piece":
      return entryBytes + imageBytes(message);
    case "forked":
      return entryBytes + commitBytes(message.commits);
    default:
      return entryBytes;
  }
}

function commitBytes(commits: readonly Commit[]): number {
  let bytes = 0;
  for (const { entity, delta } of commits) bytes += entity.length + delta.byteLength;
  return bytes;
}
