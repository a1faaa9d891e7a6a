/** What the dedupe table remembers of a call: how it ended, and which commit told so. */
import type { WriterId } from "../model/ids.ts";
import type { HybridTime } from "../model/time.ts";
import { hybridTicksPerMs } from "../model/time.ts";
import { outcomeBytes, ownOutcome } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import { isSeen } from "./seen.ts";
import type { Removal } from "./seen.ts";

/** After this much silence a caller is forgotten. */
export const callerSilenceMs = 10 * 60 * 1_000;

/** A call and how it ended. */
export interface EndedCall {
  readonly caller: string;
  readonly number: number;
  /** The caller has the answers of all its calls below it; for calls from an outbox: `number`. */
  readonly received: number;
  /** `callDigest` of operation and input. */
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

/** One object of both, to be kept. */
export function recordOf(call: EndedCall, commit: RecordingCommit): CallRecord {
  const { caller, number, received, digest } = call;
  const outcome = ownOutcome(call.outcome);
  const { hybridTime, writer, sequence } = commit;
  return { caller, number, received, digest, outcome, hybridTime, writer, sequence };
}

/** Estimated encoded bytes of a record without caller and outcome. */
export const recordBytes = 32;

/** Estimated encoded bytes. */
export function bytesOfCall(call: EndedCall): number {
  return recordBytes + call.caller.length + outcomeBytes(call.outcome);
}

/** Whether a record outlives one that says: below `received` the caller has all answers. */
export function staysRecorded(
  record: Pick<CallRecord, "number" | "writer" | "sequence">,
  received: number,
  removal: Removal,
): boolean {
  return record.number >= received || !isSeen(removal, record.writer, record.sequence);
}

export function isSilent(record: { readonly hybridTime: HybridTime }, now: HybridTime): boolean {
  return record.hybridTime < now - callerSilenceMs * hybridTicksPerMs;
}
