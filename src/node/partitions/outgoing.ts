/**
 * What the replicas of this process have to say to the others. The messages of one turn of the event
 * loop leave together, in pieces that no link refuses and only as fast as the receiver reads: a node
 * that joins is sent all its partitions at once, and pushing them all into its connection would
 * break that for reading too slowly.
 *
 * The order of what one process sends to another is kept. What waits for a process whose link breaks
 * is dropped: replicas send it again, or something newer, when the link is back.
 */
import type { LatticeError } from "../../model/error.ts";
import type { PartitionId, ProcessId } from "../../model/ids.ts";
import type { Timers } from "../../platform/platform.ts";
import type {
  CopyImage,
  Commit,
  PartitionMessage,
  ReplicationMessage,
} from "../../wire/replication-messages.ts";

/** One message is ended when its entries have about so many bytes. */
export const pieceBytes = 256 * 1024;
/** What an entry costs beside the bytes of its state. */
const entryBytes = 128;

export interface OutgoingOptions {
  readonly timers: Timers;
  /** Whether the link to this process takes more now. When it is full, `flush` is called later. */
  roomFor(to: ProcessId): LinkRoom;
  /** Why the message cannot be sent, if so. */
  send(to: ProcessId, message: ReplicationMessage): LatticeError | undefined;
  /** This message will never fit. */
  refused(to: ProcessId, entry: OutgoingEntry, error: LatticeError): void;
}

/** `gone`: there is no link. */
export type LinkRoom = "room" | "full" | "gone";

export interface OutgoingEntry {
  readonly partition: PartitionId;
  readonly message: PartitionMessage;
}

export class Outgoing {
  readonly #options: OutgoingOptions;
  readonly #waiting = new Map<ProcessId, OutgoingEntry[]>();
  #flushDue = false;
  #isClosed = false;

  constructor(options: OutgoingOptions) {
    this.#options = options;
  }

  /** Entries that wait for room on a link, or for the end of this turn. */
  countFor(to: ProcessId): number {
    return this.#waiting.get(to)?.length ?? 0;
  }

  push(to: ProcessId, partition: PartitionId, message: PartitionMessage): void {
    const entries = this.#waiting.get(to);
    if (entries === undefined) this.#waiting.set(to, [{ partition, message }]);
    else entries.push({ partition, message });
    if (this.#flushDue) return;
    this.#flushDue = true;
    this.#options.timers.defer(() => {
      this.#flushDue = false;
      for (const process of this.#waiting.keys()) this.flush(process);
    });
  }

  /** Sends what waits for this process, as much as its link takes. */
  flush(to: ProcessId): void {
    const entries = this.#waiting.get(to);
    if (entries === undefined || this.#isClosed) return;
    let from = 0;
    let room = this.#options.roomFor(to);
    while (from < entries.length && room === "room") {
      const end = pieceEnd(entries, from);
      this.#send(to, from === 0 && end === entries.length ? entries : entries.slice(from, end));
      from = end;
      room = this.#options.roomFor(to);
    }
    if (from === entries.length || room === "gone") this.#waiting.delete(to);
    else if (from > 0) this.#waiting.set(to, entries.slice(from));
  }

  /** The link to this process is gone. */
  drop(to: ProcessId): void {
    this.#waiting.delete(to);
  }

  close(): void {
    this.#isClosed = true;
    this.#waiting.clear();
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

function pieceEnd(entries: readonly OutgoingEntry[], from: number): number {
  let bytes = 0;
  let end = from;
  while (end < entries.length && bytes < pieceBytes) {
    bytes += bytesOf(entries[end]!.message);
    end += 1;
  }
  return end;
}

/** About how long a message is: the state that it carries counts, the rest is small. */
function bytesOf(message: PartitionMessage): number {
  switch (message.type) {
    case "delta":
      return entryBytes + (message.commit?.delta.byteLength ?? 0);
    case "base":
    case "copy":
      return entryBytes + imageBytes(message.copy);
    case "forked":
      return entryBytes + commitBytes(message.commits);
    default:
      return entryBytes;
  }
}

function imageBytes({ entities, tail }: CopyImage): number {
  let bytes = 0;
  for (const { name, image } of entities) bytes += name.length + image.byteLength;
  for (const { commit } of tail) bytes += commit.entity.length + commit.delta.byteLength;
  return bytes;
}

function commitBytes(commits: readonly Commit[]): number {
  let bytes = 0;
  for (const { entity, delta } of commits) bytes += entity.length + delta.byteLength;
  return bytes;
}
