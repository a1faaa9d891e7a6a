/**
 * The dedupe table of an entity: which calls have run, and with what outcome, so that a retry gets
 * the first result instead of running again (RIFL: Lee et al., SOSP 2015). It is replicated with
 * the state that it guards, and only commits change it.
 *
 * A record carries the dot of the commit that made it, so the table merges like any dot store.
 * `received` (the caller has all answers below it) is not kept apart: a caller's highest `received`
 * always stands in a record that is still there, because only a higher one can drop that record.
 * Calls from another entity's outbox give `received` = `number`: then one record stays, the highest.
 *
 * Of most entities only one caller's last call is known. This *lone* record lies in the table itself
 * and is overwritten by the next one: such a table is one object, and calls leave no garbage behind.
 */
import { LatticeError } from "../model/error.ts";
import type { WriterId } from "../model/ids.ts";
import type { HybridTime } from "../model/time.ts";
import { areFamily } from "./caller-family.ts";
import { isSilent, recordBytes } from "./call-record.ts";
import type { CallRecord, EndedCall, RecordingCommit } from "./call-record.ts";
import type { CausalVector } from "./causal-vector.ts";
import { highHalf, joinHalves, lowHalf } from "./halves.ts";
import { outcomeBytes, ownOutcome } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import { dedupeBytesMax, RecordGroups } from "./record-groups.ts";
import { nothingSeen, seenUpTo } from "./seen.ts";
import type { Removal, Seen } from "./seen.ts";
import { bytesOfShort, shortBytesMax, shortHead, shortTail } from "./short-bytes.ts";

export { callerSilenceMs } from "./call-record.ts";
export { callersMax, dedupeBytesMax, resultsPerCallerMax } from "./record-groups.ts";

export type DedupeLookup =
  /** It has run: answer this, if `digest` is that of the retry. */
  | { readonly type: "hit"; readonly outcome: Outcome; readonly digest: number }
  /** A late duplicate of a call whose answer its caller has: it must not run. */
  | { readonly type: "forgotten" }
  | { readonly type: "new" };

const isNew: DedupeLookup = { type: "new" };
const isForgotten: DedupeLookup = { type: "forgotten" };

export class DedupeTable {
  /** All records, once there are several. */
  #groups: RecordGroups | undefined = undefined;
  /** The lone record; without a caller there is none. */
  #caller: string | undefined = undefined;
  #number = 0;
  #received = 0;
  #sequence = 0;
  #digestHigh = 0;
  #digestLow = 0;
  #timeHigh = 0;
  #timeLow = 0;
  #writerHigh = 0;
  #writerLow = 0;
  /** A result of few bytes; other outcomes are objects. */
  #shortHead = 0;
  #shortTail = 0;
  #outcome: Outcome | undefined = undefined;

  /** Makes a table of records in any order. */
  static of(records: readonly CallRecord[]): DedupeTable {
    const table = new DedupeTable();
    table.#keep(RecordGroups.of(records));
    return table;
  }

  /** Estimated encoded bytes. */
  get bytes(): number {
    if (this.#groups !== undefined) return this.#groups.bytes;
    if (this.#caller === undefined) return 0;
    const result =
      this.#outcome === undefined ? this.#shortHead >>> 24 : outcomeBytes(this.#outcome);
    return recordBytes + this.#caller.length + result;
  }

  /** See `Entity.fetch`: the first and the last of its fields. */
  fetch(): number {
    return this.#number + this.#shortTail;
  }

  get callerCount(): number {
    if (this.#groups !== undefined) return this.#groups.callerCount;
    return this.#caller === undefined ? 0 : 1;
  }

  /**
   * What is known of the call (caller, number).
   *
   * @param received the caller has the answers of all its calls below it
   */
  lookup(caller: string, number: number, received: number): DedupeLookup {
    if (this.#groups !== undefined) {
      const floor = this.#groups.receivedBy(caller, received);
      return lookUpIn(this.#groups.of(caller), number, floor);
    }
    if (caller !== this.#caller) {
      const isOfFamily = this.#caller !== undefined && areFamily(caller, this.#caller);
      const floor = isOfFamily ? Math.max(received, this.#received) : received;
      return number < floor ? isForgotten : isNew;
    }
    if (number < received || number < this.#received) return isForgotten;
    if (number !== this.#number) return isNew;
    const { outcome, digest } = this.#lone();
    return { type: "hit", outcome, digest };
  }

  /**
   * Whether a new call of `caller` fits, before it is run.
   *
   * @param now callers that are silent by then do not count
   */
  hasRoom(caller: string, received: number, now: HybridTime): boolean {
    if (this.#willBeLone(caller, received)) return true;
    return this.#spread().problem(caller, received, 0, now) === undefined;
  }

  /** @throws LatticeError `overloaded` when the result does not fit: it never forgets early. */
  checkRoom(call: EndedCall, now: HybridTime): void {
    const { caller, received } = call;
    const bytes = outcomeBytes(call.outcome);
    if (bytes < loneBytesMax && this.#willBeLone(caller, received)) return;
    const problem = this.#spread().problem(caller, received, bytes, now);
    if (problem === undefined) return;
    const advice = "wait for answers before sending more calls to this key";
    throw new LatticeError("overloaded", `the dedupe table is full: ${problem}; ${advice}`, {
      retryAfterMs: 1_000,
    });
  }

  /** Whether it keeps a result of a call of `caller`. */
  knows(caller: string): boolean {
    if (this.#groups !== undefined) return this.#groups.of(caller).length > 0;
    return this.#caller === caller;
  }

  /** Callers other than `caller` that have been silent for `callerSilenceMs`. */
  silentCallers(now: HybridTime, caller: string): readonly string[] {
    if (this.#groups !== undefined) {
      return this.#groups.silentCallers(now).filter((silent) => silent !== caller);
    }
    if (this.#caller === undefined || this.#caller === caller) return noCallers;
    return isSilent(this.#lone(), now) ? [this.#caller] : noCallers;
  }

  /** Other callers of its family that have records below `received`. */
  settledBeside(caller: string, received: number): readonly string[] {
    if (this.#groups !== undefined) return this.#groups.settledBeside(caller, received);
    if (this.#caller === undefined || this.#caller === caller) return noCallers;
    const isSettled = this.#number < received && areFamily(caller, this.#caller);
    return isSettled ? [this.#caller] : noCallers;
  }

  /** What a writer sees of a caller's records, its own apart. */
  seenOf(caller: string, writer: WriterId): Seen {
    if (this.#groups !== undefined) return this.#groups.seenOf(caller, writer);
    if (this.#caller !== caller || this.#isOf(writer)) return nothingSeen;
    return [this.#writer, this.#sequence];
  }

  /**
   * Enters a record and drops those below its `received` that were seen.
   *
   * @param seen what the commit has seen of other writers and is here
   */
  record(call: EndedCall, commit: RecordingCommit, seen: Seen): void {
    if (this.#isReplacedBy(call, commit, seen)) {
      this.#become(call, commit);
      return;
    }
    const { writer, sequence } = commit;
    const removal = { writer, sequence, seen, floors: undefined };
    const groups = this.#spread();
    groups.record(call, commit, removal);
    this.#keep(groups);
  }

  /** Drops the seen records of a caller below a number. */
  forget(caller: string, below: number, removal: Removal): void {
    const groups = this.#spread();
    groups.forget(caller, below, removal);
    this.#keep(groups);
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
    this.#keep(RecordGroups.of(merged));
  }

  clone(): DedupeTable {
    const copy = new DedupeTable();
    copy.#groups = this.#groups?.clone();
    copy.#caller = this.#caller;
    copy.#number = this.#number;
    copy.#received = this.#received;
    copy.#sequence = this.#sequence;
    copy.#digestHigh = this.#digestHigh;
    copy.#digestLow = this.#digestLow;
    copy.#timeHigh = this.#timeHigh;
    copy.#timeLow = this.#timeLow;
    copy.#writerHigh = this.#writerHigh;
    copy.#writerLow = this.#writerLow;
    copy.#shortHead = this.#shortHead;
    copy.#shortTail = this.#shortTail;
    copy.#outcome = this.#outcome;
    return copy;
  }

  /** All records, ordered by caller, number and dot. */
  records(): CallRecord[] {
    return this.#spread().all().sort(compareRecords);
  }

  /** Whether of all records none would stay beside a new one, whoever wrote them. */
  #willBeLone(caller: string, received: number): boolean {
    if (this.#groups !== undefined) return false;
    return this.#caller === undefined || (this.#caller === caller && this.#number < received);
  }

  /** Whether of all records none stays beside `call`: the lone one was seen by its commit. */
  #isReplacedBy(call: EndedCall, commit: RecordingCommit, seen: Seen): boolean {
    if (!this.#willBeLone(call.caller, call.received)) return false;
    if (this.#caller === undefined) return true;
    if (this.#isOf(commit.writer)) return this.#sequence < commit.sequence;
    return seenUpTo(seen, this.#writer) >= this.#sequence;
  }

  get #writer(): WriterId {
    return joinHalves(this.#writerHigh, this.#writerLow);
  }

  #isOf(writer: WriterId): boolean {
    return lowHalf(writer) === this.#writerLow && highHalf(writer) === this.#writerHigh;
  }

  /** The lone record as an object of its own. There is one. */
  #lone(): CallRecord {
    const short = (): Uint8Array => bytesOfShort(this.#shortHead, this.#shortTail);
    return {
      caller: this.#caller!,
      number: this.#number,
      received: this.#received,
      digest: joinHalves(this.#digestHigh, this.#digestLow),
      outcome: this.#outcome ?? { type: "ok", value: short() },
      hybridTime: joinHalves(this.#timeHigh, this.#timeLow),
      writer: this.#writer,
      sequence: this.#sequence,
    };
  }

  /** Makes a record the lone one. */
  #become(call: EndedCall, commit: RecordingCommit): void {
    const { digest, outcome } = call;
    const { hybridTime, writer } = commit;
    // Mostly an equal string, and the one that is here is not garbage to be.
    if (this.#caller !== call.caller) this.#caller = call.caller;
    this.#number = call.number;
    this.#received = call.received;
    this.#sequence = commit.sequence;
    this.#digestHigh = highHalf(digest);
    this.#digestLow = lowHalf(digest);
    this.#timeHigh = highHalf(hybridTime);
    this.#timeLow = lowHalf(hybridTime);
    this.#writerHigh = highHalf(writer);
    this.#writerLow = lowHalf(writer);
    if (outcome.type === "ok" && outcome.value.length <= shortBytesMax) {
      this.#shortHead = shortHead(outcome.value);
      this.#shortTail = shortTail(outcome.value);
      if (this.#outcome !== undefined) this.#outcome = undefined;
    } else {
      this.#outcome = ownOutcome(outcome);
    }
  }

  /** The records as groups; those of a lone record are made for the moment. */
  #spread(): RecordGroups {
    if (this.#groups !== undefined) return this.#groups;
    return RecordGroups.of(this.#caller === undefined ? [] : [this.#lone()]);
  }

  /** Keeps what is in `groups` in the smallest form. */
  #keep(groups: RecordGroups): void {
    const { only } = groups;
    this.#groups = only === undefined && groups.callerCount > 0 ? groups : undefined;
    this.#caller = undefined;
    this.#outcome = undefined;
    if (only !== undefined) this.#become(only, only);
  }
}

const noCallers: readonly string[] = [];
/** A lone result of less fits, whatever its caller is called. */
const loneBytesMax = dedupeBytesMax / 2;

function lookUpIn(records: readonly CallRecord[], number: number, received: number): DedupeLookup {
  let floor = received;
  let hit: CallRecord | undefined;
  for (const record of records) {
    if (record.received > floor) floor = record.received;
    if (record.number === number && (hit === undefined || isBefore(record, hit))) hit = record;
  }
  if (number < floor) return isForgotten;
  return hit === undefined ? isNew : { type: "hit", outcome: hit.outcome, digest: hit.digest };
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
