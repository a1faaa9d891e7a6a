/**
 * The only record of a dedupe table, in place: the next call of its caller overwrites it, so that
 * calls leave no garbage behind. Nobody but its table may hold it.
 */
import type { WriterId } from "../model/ids.ts";
import type { HybridTime } from "../model/time.ts";
import { recordOf } from "./call-record.ts";
import type { CallRecord, EndedCall, RecordingCommit } from "./call-record.ts";
import type { Outcome } from "./outcome.ts";

export class LoneRecord implements CallRecord {
  caller: string;
  number: number;
  received: number;
  digest: number;
  outcome: Outcome;
  hybridTime: HybridTime;
  writer: WriterId;
  sequence: number;

  constructor(call: EndedCall, commit: RecordingCommit) {
    this.caller = call.caller;
    this.number = call.number;
    this.received = call.received;
    this.digest = call.digest;
    this.outcome = call.outcome;
    this.hybridTime = commit.hybridTime;
    this.writer = commit.writer;
    this.sequence = commit.sequence;
  }

  /** For others to hold. */
  copy(): CallRecord {
    return recordOf(this, this);
  }

  /** Its caller is the same. */
  become(call: EndedCall, commit: RecordingCommit): void {
    this.number = call.number;
    this.received = call.received;
    this.digest = call.digest;
    this.outcome = call.outcome;
    this.hybridTime = commit.hybridTime;
    // Mostly the same, and then a boxed number less.
    if (this.writer !== commit.writer) this.writer = commit.writer;
    this.sequence = commit.sequence;
  }
}
