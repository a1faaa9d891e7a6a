/**
 * What a commit does, as data. Operations are complete in themselves: each says what it had seen,
 * so that it can be applied to any later, earlier or diverged state (`README.md`, "Laws").
 *
 * A path begins with the field's key (`field-tag.ts`) and goes on with map keys; what an operation
 * had seen of its own writer is implied (`seen.ts`).
 */
import type { WriterId } from "../model/ids.ts";
import type { Value } from "../model/value.ts";
import type { EndedCall } from "./call-record.ts";
import type { Seen } from "./seen.ts";
import type { SendId, SendRequest, TimedSend } from "./send.ts";

export type Path = readonly string[];

export type Operation =
  | AddOperation
  | WriteOperation
  | RemoveOperation
  | TextOperation
  | RecordOperation
  | ForgetOperation
  | SendOperation
  | ConfirmOperation
  | FailOperation
  | DiscardOperation
  | RetireOperation;

/** Adds to the writer's run of a counter. */
export interface AddOperation {
  readonly type: "add";
  readonly path: Path;
  /** The run's first sequence; the commit's own begins a run. */
  readonly first: number;
  readonly by: number;
}

/** Writes a cell and supersedes what was seen in it. */
export interface WriteOperation {
  readonly type: "write";
  readonly path: Path;
  readonly seen: Seen;
  readonly value: Value;
}

/** Removes what was seen at the path and below it. */
export interface RemoveOperation {
  readonly type: "remove";
  readonly path: Path;
  readonly seen: Seen;
  readonly floors: readonly Floor[];
}

/** The total of another writer's counter run as the remover saw it. */
export interface Floor {
  readonly path: Path;
  readonly writer: WriterId;
  readonly first: number;
  readonly total: number;
}

/** One V1 update of the Yjs document. */
export interface TextOperation {
  readonly type: "text";
  readonly update: Uint8Array;
}

/** Enters the outcome of a call, and drops seen results of this caller below `received`. */
export interface RecordOperation {
  readonly type: "record";
  readonly call: EndedCall;
  readonly seen: Seen;
}

/** Drops the seen results of a caller below a number. */
export interface ForgetOperation {
  readonly type: "forget";
  readonly caller: string;
  readonly below: number;
  readonly seen: Seen;
}

/** Puts a call into the outbox. Its number is the commit's sequence × `sendsPerCommitMax` + `index`. */
export interface SendOperation extends SendRequest {
  readonly type: "send";
  readonly index: number;
}

/** Takes calls out of the outbox: flat (writer, number) pairs. */
export interface ConfirmOperation {
  readonly type: "confirm";
  readonly ids: readonly number[];
}

/** Keeps a finally refused call for inspection. Its outbox entry goes by a `confirm`. */
export interface FailOperation extends SendId, SendRequest {
  readonly type: "fail";
  readonly code: string;
  readonly message: string;
}

/** Drops finally refused calls: refusals that its writer has seen, which need not be here yet. */
export interface DiscardOperation {
  readonly type: "discard";
  readonly refusals: readonly TimedSend[];
}

/** Takes writers out that write no more (`retirement.ts`): terms that have ended, ascending. */
export interface RetireOperation {
  readonly type: "retire";
  readonly writers: readonly WriterId[];
}
