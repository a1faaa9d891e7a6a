/**
 * The dedupe table of an entity: which calls have run, and with what outcome, so that a retry gets
 * the first result instead of running again (RIFL: Lee et al., SOSP 2015). It is replicated with
 * the state that it guards, and only commits change it.
 *
 * A record carries the dot of the commit that made it, so the table merges like any dot store.
 * `received` (the caller has all answers below it) is not kept apart: a caller's highest `received`
 * always stands in a record that is still there, because only a higher one can drop that record.
 * Calls from another entity's outbox give `received` = `number`: then one record stays, the highest.
 */
import { LatticeError } from "../model/error.ts";
import type { WriterId } from "../model/ids.ts";
import type { HybridTime } from "../model/time.ts";
import { hybridTicksPerMs } from "../model/time.ts";
import { recordOf } from "./call-record.ts";
import type { CallRecord, EndedCall, RecordingCommit } from "./call-record.ts";
import type { CausalVector } from "./causal-vector.ts";
import { LoneRecord } from "./lone-record.ts";
import { outcomeBytes } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import { isSeen, nothingSeen } from "./seen.ts";
import type { Removal, Seen } from "./seen.ts";

/** Results kept for one caller: as many as it may have in flight on one entity. */
export const resultsPerCallerMax = 256;
export const callersMax = 1_024;
export const dedupeBytesMax = 64 * 1024;
/** After this much silence a caller is forgotten. */
export const callerSilenceMs = 10 * 60 * 1_000;

export type DedupeLookup =
  /** It has run: answer this, if `digest` is that of the retry. */
  | { readonly type: "hit"; readonly outcome: Outcome; readonly digest: number }
  /** A late duplicate of a call whose answer its caller has: it must not run. */
  | { readonly type: "forgotten" }
  | { readonly type: "new" };

const isNew: DedupeLookup = { type: "new" };
const isForgotten: DedupeLookup = { type: "forgotten" };
/** Estimated encoded bytes of a record without caller and outcome. */
const recordBytes = 32;

export class DedupeTable {
  /**
   * The only record there is: of most entities only one caller's last call is known. It is this
   * table's own and overwritten by the next, so that calls leave no garbage behind. When there are
   * more, or when others are to hold it, it moves to the groups.
   */
  #only: LoneRecord | undefined;
  /** Grouped by caller in order of first sight; immutable groups, so that clones may share them. */
  #groups: readonly (readonly CallRecord[])[] = noGroups;
  #index: Map<string, number> | undefined;
  #bytes = 0;

  /** Makes a table of records in any order. */
  static of(records: readonly CallRecord[]): DedupeTable {
    const groups = new Map<string, CallRecord[]>();
    const table = new DedupeTable();
    for (const record of records) {
      const group = groups.get(record.caller);
      if (group === undefined) groups.set(record.caller, [record]);
      else group.push(record);
      table.#bytes += sum([record]);
    }
    table.#groups = [...groups.values()];
    return table;
  }

  /** Estimated encoded bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  get callerCount(): number {
    return this.#callers.length;
  }

  /** All records in groups; from now on others may hold them. */
  get #callers(): readonly (readonly CallRecord[])[] {
    if (this.#only !== undefined) {
      this.#groups = [[this.#only.copy()]];
      this.#only = undefined;
    }
    return this.#groups;
  }

  /**
   * What is known of the call (caller, number).
   *
   * @param received the caller has the answers of all its calls below it
   */
  lookup(caller: string, number: number, received: number): DedupeLookup {
    if (this.#only !== undefined) return lookUpIn(this.#only, caller, number, received);
    const records = this.#recordsOf(caller);
    let floor = received;
    let hit: CallRecord | undefined;
    for (const record of records) {
      if (record.received > floor) floor = record.received;
      if (record.number === number && (hit === undefined || isBefore(record, hit))) hit = record;
    }
    if (number < floor) return isForgotten;
    return hit === undefined ? isNew : { type: "hit", outcome: hit.outcome, digest: hit.digest };
  }

  /**
   * Whether a new call of `caller` fits, before it is run.
   *
   * @param now callers that are silent by then do not count
   */
  hasRoom(caller: string, received: number, now: HybridTime): boolean {
    return this.#problem(caller, received, { now, bytes: 0 }) === undefined;
  }

  /** @throws LatticeError `overloaded` when a result of `bytes` does not fit: it never forgets early. */
  checkRoom(caller: string, received: number, result: { now: HybridTime; bytes: number }): void {
    const problem = this.#problem(caller, received, result);
    if (problem === undefined) return;
    const advice = "wait for answers before sending more calls to this key";
    throw new LatticeError("overloaded", `the dedupe table is full: ${problem}; ${advice}`, {
      retryAfterMs: 1_000,
    });
  }

  /** Callers that have been silent for `callerSilenceMs`. */
  silentCallers(now: HybridTime): readonly string[] {
    if (this.#only !== undefined && !isRecordSilent(this.#only, now)) return noCallers;
    let silent: string[] | undefined;
    for (const records of this.#callers) {
      if (!isSilent(records, now)) continue;
      silent ??= [];
      silent.push(records[0]!.caller);
    }
    return silent ?? noCallers;
  }

  /** What a writer sees of a caller's records, its own apart. */
  seenOf(caller: string, writer: WriterId): Seen {
    if (this.#only?.writer === writer) return nothingSeen;
    let seen: number[] | undefined;
    for (const record of this.#recordsOf(caller)) {
      if (record.writer === writer) continue;
      seen ??= [];
      const at = seen.indexOf(record.writer);
      if (at < 0) seen.push(record.writer, record.sequence);
      else seen[at + 1] = Math.max(seen[at + 1]!, record.sequence);
    }
    return seen ?? nothingSeen;
  }

  /** Enters a record and drops those below its `received` that were seen. */
  record(call: EndedCall, commit: RecordingCommit, removal: Removal): void {
    if (this.#recordAlone(call, commit, removal)) return;
    const record = recordOf(call, commit);
    const old = this.#recordsOf(record.caller);
    const keptCount = countKept(old, record.received, removal);
    if (keptCount === 0) {
      this.#replace(record.caller, [record]);
      return;
    }
    const isKept = (known: CallRecord): boolean => staysRecorded(known, record.received, removal);
    // Not `push`: it would reserve room for seventeen.
    this.#replace(record.caller, [...old.filter(isKept), record]);
  }

  /** Drops the seen records of a caller below a number. */
  forget(caller: string, below: number, removal: Removal): void {
    const records = this.#recordsOf(caller);
    if (countKept(records, below, removal) === records.length) return;
    const isKept = (known: CallRecord): boolean => staysRecorded(known, below, removal);
    this.#replace(caller, records.filter(isKept));
  }

  /** Joins another copy: a record that one side has seen but does not hold was dropped there. */
  merge(vector: CausalVector, other: DedupeTable, otherVector: CausalVector): void {
    const mine = this.records();
    const theirs = other.records();
    const mineById = new Set(mine.map(recordId));
    const theirsById = new Set(theirs.map(recordId));
    const merged = [
      ...mine.filter(
        (record) =>
          theirsById.has(recordId(record)) || !otherVector.covers(record.writer, record.sequence),
      ),
      ...theirs.filter(
        (record) =>
          !mineById.has(recordId(record)) && !vector.covers(record.writer, record.sequence),
      ),
    ];
    const joined = DedupeTable.of(merged);
    this.#only = undefined;
    this.#groups = joined.#groups;
    this.#bytes = joined.#bytes;
    this.#index = undefined;
  }

  clone(): DedupeTable {
    const copy = new DedupeTable();
    copy.#groups = this.#callers;
    copy.#bytes = this.#bytes;
    return copy;
  }

  /** All records, ordered by caller, number and dot. */
  records(): CallRecord[] {
    return this.#callers.flat().sort(compareRecords);
  }

  /** Whether it is the only record now: of all there was before nothing stays. */
  #recordAlone(call: EndedCall, commit: RecordingCommit, removal: Removal): boolean {
    const only = this.#only;
    if (only === undefined) {
      if (this.#groups.length > 0) return false;
      this.#only = new LoneRecord(call, commit);
    } else {
      if (only.caller !== call.caller) return false;
      if (staysRecorded(only, call.received, removal)) return false;
      only.become(call, commit);
    }
    this.#bytes = bytesOf(call);
    return true;
  }

  /** A new record would be the only one again: there is room for any that is not huge itself. */
  #isReplacing(caller: string, received: number): boolean {
    const only = this.#only;
    return only?.caller === caller && only.number < received;
  }

  #problem(
    caller: string,
    received: number,
    result: { now: HybridTime; bytes: number },
  ): string | undefined {
    if (this.#isReplacing(caller, received) && result.bytes < dedupeBytesMax / 2) return undefined;
    const own = this.#recordsOf(caller);
    let waitingCount = 0;
    let bytes = this.#bytes + recordBytes + caller.length + result.bytes;
    for (const record of own) {
      if (record.number >= received) waitingCount += 1;
      else bytes -= bytesOf(record);
    }
    if (waitingCount >= resultsPerCallerMax) {
      return `${String(resultsPerCallerMax)} results of one caller wait to be received`;
    }
    const isFull = own.length === 0 && this.#callers.length >= callersMax;
    if (!isFull && bytes <= dedupeBytesMax) return undefined;
    const silent = this.#callers.filter((records) => isSilent(records, result.now));
    if (isFull && silent.length === 0) return `${String(callersMax)} callers`;
    const freed = silent.reduce((total, records) => total + sum(records), 0);
    return bytes - freed > dedupeBytesMax ? `${String(dedupeBytesMax)} bytes` : undefined;
  }

  #recordsOf(caller: string): readonly CallRecord[] {
    const at = this.#find(caller);
    return at < 0 ? noRecords : this.#callers[at]!;
  }

  #find(caller: string): number {
    const callers = this.#callers;
    if (callers.length <= scanMax) {
      for (let at = 0; at < callers.length; at += 1) {
        if (callers[at]![0]!.caller === caller) return at;
      }
      return -1;
    }
    this.#index ??= new Map(callers.map((records, at) => [records[0]!.caller, at]));
    return this.#index.get(caller) ?? -1;
  }

  #replace(caller: string, records: readonly CallRecord[]): void {
    const at = this.#find(caller);
    if (at >= 0) this.#bytes -= sum(this.#callers[at]!);
    this.#bytes += sum(records);
    if (records.length === 0) {
      this.#groups = this.#callers.toSpliced(at, 1);
      this.#index = undefined;
    } else if (at >= 0) {
      this.#groups = this.#callers.length === 1 ? [records] : this.#callers.with(at, records);
    } else {
      this.#index?.set(caller, this.#callers.length);
      this.#groups = this.#callers.length === 0 ? [records] : [...this.#callers, records];
    }
  }
}

function lookUpIn(
  only: CallRecord,
  caller: string,
  number: number,
  received: number,
): DedupeLookup {
  const isOther = only.caller !== caller;
  if (number < (isOther ? received : Math.max(received, only.received))) return isForgotten;
  if (isOther || only.number !== number) return isNew;
  return { type: "hit", outcome: only.outcome, digest: only.digest };
}

const noGroups: readonly (readonly CallRecord[])[] = [];
const noRecords: readonly CallRecord[] = [];
const noCallers: readonly string[] = [];
/** Up to here a scan is as fast as a map, and much smaller. */
const scanMax = 8;

/** Whether a record outlives one that says: below `received` the caller has all answers. */
function staysRecorded(record: CallRecord, received: number, removal: Removal): boolean {
  return record.number >= received || !isSeen(removal, record.writer, record.sequence);
}

function countKept(records: readonly CallRecord[], received: number, removal: Removal): number {
  let count = 0;
  for (const record of records) if (staysRecorded(record, received, removal)) count += 1;
  return count;
}

function sum(records: readonly CallRecord[]): number {
  let bytes = 0;
  for (const record of records) bytes += bytesOf(record);
  return bytes;
}

function bytesOf(record: EndedCall): number {
  return recordBytes + record.caller.length + outcomeBytes(record.outcome);
}

function isSilent(records: readonly CallRecord[], now: HybridTime): boolean {
  for (const record of records) if (!isRecordSilent(record, now)) return false;
  return true;
}

function isRecordSilent(record: CallRecord, now: HybridTime): boolean {
  return record.hybridTime < now - callerSilenceMs * hybridTicksPerMs;
}

function isBefore(a: CallRecord, b: CallRecord): boolean {
  return a.hybridTime < b.hybridTime || (a.hybridTime === b.hybridTime && a.writer < b.writer);
}

function recordId(record: CallRecord): string {
  return `${String(record.writer)} ${String(record.sequence)} ${String(record.number)} ${record.caller}`;
}

function compareRecords(a: CallRecord, b: CallRecord): number {
  if (a.caller !== b.caller) return a.caller < b.caller ? -1 : 1;
  return a.number - b.number || a.writer - b.writer || a.sequence - b.sequence;
}
