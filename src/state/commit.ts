/**
 * One turn's change of one entity. The primary applies it as it is; it is encoded when the first
 * other process needs it, and only once. `delta` makes it what travels (`Commit` in `wire`).
 */
import type { EntityName, WriterId } from "../model/ids.ts";
import type { HybridTime } from "../model/time.ts";
import { readDelta, writeDelta } from "./delta-bytes.ts";
import type { WorkingDocument } from "./document-section.ts";
import type { CommitBody, CommitLike } from "./commit-like.ts";
import type { Operation } from "./operation.ts";

export class StateCommit implements CommitLike {
  readonly entity: EntityName;
  readonly writer: WriterId;
  readonly sequence: number;
  readonly mark: number;
  readonly hybridTime: HybridTime;
  readonly operations: readonly Operation[];
  readonly begins: boolean;
  /** The document that the turn has edited; stays in this process. */
  readonly working: WorkingDocument | undefined;
  #delta: Uint8Array | undefined;

  constructor(
    id: Omit<CommitLike, "delta">,
    body: CommitBody,
    working?: WorkingDocument,
    delta?: Uint8Array,
  ) {
    this.entity = id.entity;
    this.writer = id.writer;
    this.sequence = id.sequence;
    this.mark = body.mark;
    this.hybridTime = body.hybridTime;
    this.operations = body.operations;
    this.begins = body.begins;
    this.working = working;
    this.#delta = delta;
  }

  /** @throws LatticeError `incompatible` when `delta` is not a delta that this version knows. */
  static decode(commit: CommitLike): StateCommit {
    if (commit instanceof StateCommit) return commit;
    return new StateCommit(commit, readDelta(commit), undefined, commit.delta);
  }

  /** The encoded form; may be a view into a larger chunk. */
  get delta(): Uint8Array {
    this.#delta ??= writeDelta(this);
    return this.#delta;
  }
}
