/**
 * One turn's changes of one entity. The handler works on `live` and sees its own changes; the
 * entity stays as it is. If the turn succeeds, `finish` makes one commit of it all, calls that were
 * sent and results that were recorded included; if it fails, the draft is dropped and nothing has
 * happened. `revoke` ends the use of everything that the handler may have kept.
 */
import type { Live, Shape, View } from "../definition/kinds.ts";
import type { WriterId } from "../model/ids.ts";
import type { HybridTime } from "../model/time.ts";
import { StateCommit } from "./commit.ts";
import type { Entity } from "./entity.ts";
import { EnvelopeDraft, forgetOperation } from "./envelope-draft.ts";
import { recordedTwice, recordOperation } from "./recorded-call.ts";
import { expiryField } from "./field-tag.ts";
import type { EndedCall } from "./call-record.ts";
import type { RecordOperation } from "./operation.ts";
import { OperationList } from "./operation-list.ts";
import { retireAtDefault, retirementBy } from "./retirement.ts";
import { scalarBytesMax, Scope, tooLarge } from "./scope.ts";
import { seenInCell } from "./cell-entry.ts";
import { requestOf } from "./send.ts";
import type { SendId, SendRequest } from "./send.ts";
import { asCell } from "./dict-node.ts";
import { FieldDrafts, stateShape } from "./state-shape.ts";
import type { StateShape } from "./state-shape.ts";
import { TimersDraft } from "./timers-draft.ts";

export interface DraftOptions<S extends Shape> {
  /** The newest state of the entity. */
  readonly entity: Entity;
  readonly shape: S;
  /** Numbers the commit. */
  readonly writer: WriterId;
  /** Up to here its numbers may have been used on one of the same name that was reaped. @default 0 */
  readonly usedUp?: number;
  /** Stamp of the turn: later than all that this writer has seen. */
  readonly hybridTime: HybridTime;
}

const expiryPath = [expiryField];
/** Of the draft that is being finished: one at a time, and none runs code of others meanwhile. */
const gathered = new OperationList();

export class Draft<S extends Shape = Shape> {
  readonly #scope: Scope;
  readonly #hybridTime: HybridTime;
  readonly #mark: number;
  readonly #usedUp: number;
  readonly #shape: StateShape;
  #fields: FieldDrafts | undefined;
  #live: Live<S> | undefined;
  #view: View<S> | undefined;
  #envelope: EnvelopeDraft | undefined;
  #record: RecordOperation | undefined;
  #expireAt: HybridTime | undefined;
  #timers: TimersDraft | undefined;

  constructor(options: DraftOptions<S>) {
    this.#scope = new Scope(options.entity, options.writer);
    this.#hybridTime = options.hybridTime;
    this.#mark = options.entity.mark;
    this.#usedUp = options.usedUp ?? 0;
    this.#shape = stateShape(options.shape);
  }

  /** What handlers hold. */
  get live(): Live<S> {
    this.#live ??= this.#shape.stateOf(this.#open(), true) as Live<S>;
    return this.#live;
  }

  /** The same, for reading only: writing throws `failed_precondition`. */
  get view(): View<S> {
    this.#view ??= this.#shape.stateOf(this.#open(), false) as unknown as View<S>;
    return this.#view;
  }

  /** When the entity expires, this turn's wish included; `undefined`: never. */
  get expireAt(): HybridTime | undefined {
    this.#scope.checkReadable();
    const time = this.#expireAt;
    if (time !== undefined) return time === 0 ? undefined : time;
    return this.#scope.isDeleted ? undefined : this.#scope.entity.expireAt;
  }

  set expireAt(time: HybridTime | undefined) {
    this.#scope.checkReadable();
    this.#expireAt = time ?? 0;
  }

  /** The entity's timers, this turn's changes included. */
  get timers(): TimersDraft {
    this.#scope.checkReadable();
    this.#timers ??= new TimersDraft(this.#scope);
    return this.#timers;
  }

  /**
   * Enters how the call ended into the dedupe table.
   *
   * @throws LatticeError `overloaded` when the table is full: then the turn must fail
   */
  recordResult(call: EndedCall): void {
    this.#scope.checkReadable();
    const { entity, writer } = this.#scope;
    if (this.#record !== undefined) throw recordedTwice(entity.name, call);
    this.#record = recordOperation(entity, writer, call, this.#hybridTime);
  }

  /** Drops what is kept of calls of which nothing may still be on its way: of those below a number. */
  forgetCaller(caller: string, below?: number): void {
    this.#openEnvelope().forget(caller, below);
  }

  /** Puts a call into the outbox. @throws LatticeError `overloaded` when it is full. */
  send(request: SendRequest): void {
    this.#openEnvelope().send(request);
  }

  /** Takes delivered calls out of the outbox. */
  confirmSent(ids: readonly SendId[]): void {
    this.#openEnvelope().confirm(ids);
  }

  /** Takes a finally refused call out of the outbox and keeps it for inspection. */
  failSent(id: SendId, error: { readonly code: string; readonly message: string }): void {
    this.#openEnvelope().fail(id, error);
  }

  /** What waited to be delivered, and what was refused, when the turn began. */
  get outbox(): Entity["outbox"] {
    this.#scope.checkReadable();
    return this.#scope.entity.outbox;
  }

  /** Drops a finally refused call that is kept for inspection; false when it is not. */
  discardFailed(id: SendId): boolean {
    return this.#openEnvelope().discard(id) !== undefined;
  }

  /** The same, and sends it anew. @throws LatticeError `overloaded` when the outbox is full. */
  resendFailed(id: SendId): boolean {
    const envelope = this.#openEnvelope();
    const failed = envelope.discard(id);
    if (failed === undefined) return false;
    envelope.send(requestOf(failed));
    return true;
  }

  /** Deletes the entity; what the turn writes afterwards begins its next generation. */
  delete(): void {
    this.#scope.checkReadable();
    this.#scope.isDeleted = true;
    this.#scope.document = undefined;
    this.#expireAt = undefined;
    this.#fields?.reset();
    this.#timers?.reset();
  }

  /**
   * Ends the draft: everything that the turn did as one commit, or `undefined` when it changed
   * nothing. It still has to be applied to the entity.
   *
   * @param retireAt so many ended terms are retired with it
   * @throws LatticeError `too_large` when the entity would grow beyond its bounds; `cancelled` when
   * the draft is revoked or finished
   */
  finish(retireAt = retireAtDefault): StateCommit | undefined {
    this.#scope.checkReadable();
    const { entity, writer } = this.#scope;
    const last = entity.sequenceOf(writer);
    const begins = last === 0 && this.#usedUp > 0;
    const sequence = (begins ? this.#usedUp : last) + 1;
    this.#collect(sequence);
    const mark = this.#markAfter(gathered.count);
    this.#scope.revoke();
    this.#envelope?.collect(gathered);
    if (this.#record !== undefined) this.#collectRecord(this.#record);
    if (gathered.count === 0 && mark === this.#mark) return undefined;
    if (entity.context.writerCount >= retireAt) this.#collectRetirement(retireAt);
    const operations = gathered.take();
    const id = { entity: entity.name, writer, sequence };
    const body = { mark, hybridTime: this.#hybridTime, operations, begins };
    const commit = new StateCommit(id, body, this.#scope.document?.working);
    this.#checkSize(commit);
    return commit;
  }

  /** Ends all use: from now on every handle throws `cancelled`. */
  revoke(): void {
    this.#scope.revoke();
  }

  #open(): FieldDrafts {
    this.#fields ??= new FieldDrafts(this.#scope, this.#shape);
    return this.#fields;
  }

  #openEnvelope(): EnvelopeDraft {
    this.#scope.checkReadable();
    this.#envelope ??= new EnvelopeDraft(this.#scope);
    return this.#envelope;
  }

  #collect(sequence: number): void {
    gathered.begin();
    this.#fields?.collect(gathered, sequence);
    const update = this.#scope.document?.finish();
    if (update !== undefined) gathered.push({ type: "text", update });
    this.#timers?.collect(gathered);
    if (this.#expireAt !== undefined) {
      const cell = asCell(this.#scope.committed(expiryField));
      const seen = seenInCell(cell, this.#scope.writer);
      gathered.push({ type: "write", path: expiryPath, seen, value: this.#expireAt });
    }
  }

  /**
   * Recording a result is when callers that have long been silent are dropped, and what others of its
   * family have received.
   */
  #collectRecord(record: RecordOperation): void {
    const { entity, writer } = this.#scope;
    const { caller, received } = record.call;
    for (const silent of entity.dedupe.silentCallers(this.#hybridTime, caller)) {
      gathered.push(forgetOperation(entity, writer, silent));
    }
    for (const other of entity.dedupe.settledBeside(caller, received)) {
      gathered.push(forgetOperation(entity, writer, other, received));
    }
    gathered.push(record);
  }

  /** The last operation: those before it still name the writers that it retires. */
  #collectRetirement(retireAt: number): void {
    const { entity, writer } = this.#scope;
    const retirement = retirementBy(writer, entity.context, retireAt);
    if (retirement !== undefined) gathered.push(retirement);
  }

  /** The generation that the commit belongs to. */
  #markAfter(contentChanges: number): number {
    const isDead = this.#mark % 2 === 1;
    if (contentChanges > 0 && (isDead || this.#scope.isDeleted))
      return this.#mark + (isDead ? 1 : 2);
    return this.#scope.isDeleted && !isDead ? this.#mark + 1 : this.#mark;
  }

  /** The sum of what was written is an upper bound; only beyond it the exact size is worth its cost. */
  #checkSize(commit: StateCommit): void {
    const { entity, growth } = this.#scope;
    if (growth === 0 || entity.contents.bytes + growth <= scalarBytesMax) return;
    const trial = entity.clone();
    trial.apply(commit);
    const { bytes } = trial.contents;
    if (bytes > scalarBytesMax) throw tooLarge(entity.name, bytes);
  }
}
