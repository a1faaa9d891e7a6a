/**
 * The records of a dedupe table that has several: grouped by caller in order of first sight. Groups
 * are immutable, so that clones may share them.
 */
import type { WriterId } from "../model/ids.ts";
import type { HybridTime } from "../model/time.ts";
import { areFamily, hasFamily } from "./caller-family.ts";
import { bytesOfCall, isSilent, recordBytes, recordOf, staysRecorded } from "./call-record.ts";
import type { CallRecord, EndedCall, RecordingCommit } from "./call-record.ts";
import type { Removal, Seen } from "./seen.ts";
import { nothingSeen } from "./seen.ts";

/** Results kept for one caller: as many as it may have in flight on one entity. */
export const resultsPerCallerMax = 256;
export const callersMax = 1_024;
export const dedupeBytesMax = 64 * 1024;

type Group = readonly CallRecord[];

export class RecordGroups {
  #groups: readonly Group[] = [];
  #index: Map<string, number> | undefined = undefined;
  #bytes = 0;

  /** Groups records that come in any order. */
  static of(records: readonly CallRecord[]): RecordGroups {
    const byCaller = new Map<string, CallRecord[]>();
    for (const record of records) {
      const group = byCaller.get(record.caller);
      if (group === undefined) byCaller.set(record.caller, [record]);
      else group.push(record);
    }
    const groups = new RecordGroups();
    groups.#groups = [...byCaller.values()];
    groups.#bytes = sum(records);
    return groups;
  }

  /** Estimated encoded bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  get callerCount(): number {
    return this.#groups.length;
  }

  /** The only record that there is. */
  get only(): CallRecord | undefined {
    const [group] = this.#groups;
    return this.#groups.length === 1 && group!.length === 1 ? group![0] : undefined;
  }

  /** All records, caller by caller. */
  all(): CallRecord[] {
    return this.#groups.flat();
  }

  of(caller: string): Group {
    const at = this.#find(caller);
    return at < 0 ? noRecords : this.#groups[at]!;
  }

  /** Why a result of so many bytes does not fit; `undefined` when it does. */
  problem(
    caller: string,
    received: number,
    resultBytes: number,
    now: HybridTime,
  ): string | undefined {
    const own = this.of(caller);
    const settled = this.#settledBeside(caller, received);
    let waitingCount = 0;
    let bytes = this.#bytes + recordBytes + caller.length + resultBytes;
    for (const record of [...own, ...settled.flat()]) {
      if (record.number < received) bytes -= bytesOfCall(record);
      else if (record.caller === caller) waitingCount += 1;
    }
    if (waitingCount >= resultsPerCallerMax) {
      return `${String(resultsPerCallerMax)} results of one caller wait to be received`;
    }
    const goneCount = settled.filter((records) => records.every((r) => r.number < received)).length;
    const isFull = own.length === 0 && this.#groups.length - goneCount >= callersMax;
    if (!isFull && bytes <= dedupeBytesMax) return undefined;
    const silent = this.#groups.filter((records) => isGroupSilent(records, now));
    if (isFull && silent.length === 0) return `${String(callersMax)} callers`;
    const freed = silent.reduce((total, records) => total + sum(records), 0);
    return bytes - freed > dedupeBytesMax ? `${String(dedupeBytesMax)} bytes` : undefined;
  }

  /** What the family of a caller has received, from `received` on. */
  receivedBy(caller: string, received: number): number {
    let most = received;
    if (!hasFamily(caller)) return most;
    for (const records of this.#groups) {
      if (!areFamily(caller, records[0]!.caller)) continue;
      for (const record of records) if (record.received > most) most = record.received;
    }
    return most;
  }

  /** Other callers of its family, with records below `received`. */
  settledBeside(caller: string, received: number): readonly string[] {
    return this.#settledBeside(caller, received).map((records) => records[0]!.caller);
  }

  #settledBeside(caller: string, received: number): readonly Group[] {
    if (!hasFamily(caller)) return noGroups;
    return this.#groups.filter((records) => {
      const other = records[0]!.caller;
      return (
        other !== caller &&
        records.some(({ number }) => number < received) &&
        areFamily(caller, other)
      );
    });
  }

  /** Callers that have been silent for `callerSilenceMs`. */
  silentCallers(now: HybridTime): readonly string[] {
    let silent: string[] | undefined;
    for (const records of this.#groups) {
      if (!isGroupSilent(records, now)) continue;
      silent ??= [];
      silent.push(records[0]!.caller);
    }
    return silent ?? noCallers;
  }

  /** What a writer sees of a caller's records, its own apart. */
  seenOf(caller: string, writer: WriterId): Seen {
    let seen: number[] | undefined;
    for (const record of this.of(caller)) {
      if (record.writer === writer) continue;
      seen ??= [];
      const known = placeOf(seen, record.writer);
      if (known < 0) seen.push(record.writer, record.sequence);
      else seen[known + 1] = Math.max(seen[known + 1]!, record.sequence);
    }
    return seen ?? nothingSeen;
  }

  /** Enters a record and drops those below its `received` that were seen. */
  record(call: EndedCall, commit: RecordingCommit, removal: Removal): void {
    const record = recordOf(call, commit);
    const old = this.of(record.caller);
    const isKept = (known: CallRecord): boolean => staysRecorded(known, record.received, removal);
    const kept = old.filter(isKept);
    // Not `push`: it would reserve room for seventeen.
    this.#replace(record.caller, kept.length === 0 ? [record] : [...kept, record]);
  }

  /** Drops the seen records of a caller below a number. */
  forget(caller: string, below: number, removal: Removal): void {
    const old = this.of(caller);
    const kept = old.filter((known) => staysRecorded(known, below, removal));
    if (kept.length < old.length) this.#replace(caller, kept);
  }

  clone(): RecordGroups {
    const copy = new RecordGroups();
    copy.#groups = this.#groups;
    copy.#bytes = this.#bytes;
    return copy;
  }

  #find(caller: string): number {
    const groups = this.#groups;
    if (groups.length <= scanMax) {
      for (let at = 0; at < groups.length; at += 1) {
        if (groups[at]![0]!.caller === caller) return at;
      }
      return -1;
    }
    this.#index ??= new Map(groups.map((records, at) => [records[0]!.caller, at]));
    return this.#index.get(caller) ?? -1;
  }

  #replace(caller: string, records: Group): void {
    const at = this.#find(caller);
    if (at >= 0) this.#bytes -= sum(this.#groups[at]!);
    this.#bytes += sum(records);
    if (records.length === 0) {
      this.#groups = this.#groups.toSpliced(at, 1);
      this.#index = undefined;
    } else if (at >= 0) {
      this.#groups = this.#groups.length === 1 ? [records] : this.#groups.with(at, records);
    } else {
      this.#index?.set(caller, this.#groups.length);
      this.#groups = [...this.#groups, records];
    }
  }
}

const noRecords: Group = [];
const noGroups: readonly Group[] = [];
const noCallers: readonly string[] = [];
/** Up to here a scan is as fast as a map, and much smaller. */
const scanMax = 8;

function sum(records: Group): number {
  let bytes = 0;
  for (const record of records) bytes += bytesOfCall(record);
  return bytes;
}

function isGroupSilent(records: Group, now: HybridTime): boolean {
  for (const record of records) if (!isSilent(record, now)) return false;
  return true;
}

/** Where a writer stands among flat pairs, or −1: a sequence may equal the id of a writer. */
function placeOf(pairs: readonly number[], writer: WriterId): number {
  for (let index = 0; index < pairs.length; index += 2) if (pairs[index] === writer) return index;
  return -1;
}
