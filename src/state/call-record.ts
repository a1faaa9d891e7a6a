/** What the dedupe table remembers of a call: how it ended, and which commit told so. */
import type { WriterId } from "../model/ids.ts";
import type { HybridTime } from "../model/time.ts";
import type { Outcome } from "./outcome.ts";

/** A call and how it ended. */
export interface EndedCall {
  readonly caller: string;
  readonly number: number;
  readonly received: number;
  readonly digest: number;
  readonly outcome: Outcome;
}

/** The commit that tells of it. */
export interface RecordingCommit {
  readonly hybridTime: HybridTime;
  readonly writer: WriterId;
  readonly sequence: number;
}

/** One recorded call. */
export interface CallRecord extends EndedCall, RecordingCommit {}

/** One object of both. */
export function recordOf(call: EndedCall, commit: RecordingCommit): CallRecord {
  const { caller, number, received, digest, outcome } = call;
  const { hybridTime, writer, sequence } = commit;
  return { caller, number, received, digest, outcome, hybridTime, writer, sequence };
}
