/** What one turn does to the envelope: its recorded result and the calls that it sends. */
import { LatticeError } from "../model/error.ts";
import type { HybridTime } from "../model/time.ts";
import type { Operation, RecordOperation } from "./operation.ts";
import { checkOutboxRoom, sendBytes } from "./outbox.ts";
import type { SendId, SendRequest } from "./outbox.ts";
import { outcomeBytes } from "./outcome.ts";
import type { Outcome } from "./outcome.ts";
import type { Scope } from "./scope.ts";

/** How a call ended, for the dedupe table. */
export interface CallResult {
  readonly caller: string;
  readonly number: number;
  /** The caller has the answers of all its calls below it; for calls from an outbox: `number`. */
  readonly received: number;
  /** `callDigest` of operation and input. */
  readonly digest: number;
  readonly outcome: Outcome;
}

export class EnvelopeDraft {
  readonly #scope: Scope;
  readonly #hybridTime: HybridTime;
  #operations: Operation[] | undefined = undefined;
  #result: RecordOperation | undefined;
  #sends = 0;
  #sendBytes = 0;

  constructor(scope: Scope, hybridTime: HybridTime) {
    this.#scope = scope;
    this.#hybridTime = hybridTime;
  }

  record(result: CallResult): void {
    const { entity, writer } = this.#scope;
    const { caller, number, received, digest, outcome } = result;
    if (this.#result !== undefined || received > number) {
      throw new LatticeError(
        "internal",
        `${entity.name}: call ${String(number)} of ${caller} twice`,
      );
    }
    const room = { now: this.#hybridTime, bytes: outcomeBytes(outcome) };
    entity.dedupe.checkRoom(caller, received, room);
    const seen = entity.dedupe.seenOf(caller, writer);
    this.#result = { type: "record", caller, number, received, digest, outcome, seen };
  }

  forget(caller: string): void {
    const seen = this.#scope.entity.dedupe.seenOf(caller, this.#scope.writer);
    this.#add({ type: "forget", caller, below: Number.MAX_SAFE_INTEGER, seen });
  }

  send(request: SendRequest): void {
    const { outbox } = this.#scope.entity;
    const bytes = this.#sendBytes + sendBytes(request);
    checkOutboxRoom(outbox.entries.length + this.#sends + 1, outbox.bytes + bytes);
    this.#add({ type: "send", index: this.#sends, ...request });
    this.#sends += 1;
    this.#sendBytes = bytes;
  }

  confirm(ids: readonly SendId[]): void {
    if (ids.length === 0) return;
    this.#add({
      type: "confirm",
      ids: ids.flatMap(({ writer, number }) => [writer, number]),
    });
  }

  fail(id: SendId, error: { readonly code: string; readonly message: string }): void {
    const entry = this.#scope.entity.outbox.get(id);
    if (entry === undefined) return;
    const { functionName, key, operation, input, writer, number } = entry;
    const { code, message } = error;
    const target = { functionName, key, operation, input };
    this.#add({ type: "fail", writer, number, ...target, code, message });
    this.confirm([id]);
  }

  /** Recording a result is when callers that have long been silent are dropped. */
  collect(operations: Operation[]): void {
    if (this.#operations !== undefined) operations.push(...this.#operations);
    if (this.#result === undefined) return;
    for (const caller of this.#scope.entity.dedupe.silentCallers(this.#hybridTime)) {
      if (caller !== this.#result.caller) this.forgetSilent(operations, caller);
    }
    operations.push(this.#result);
  }

  #add(operation: Operation): void {
    this.#operations ??= [];
    this.#operations.push(operation);
  }

  forgetSilent(operations: Operation[], caller: string): void {
    const seen = this.#scope.entity.dedupe.seenOf(caller, this.#scope.writer);
    operations.push({ type: "forget", caller, below: Number.MAX_SAFE_INTEGER, seen });
  }
}
