/** What one turn does to the envelope, apart from its recorded result: few turns do. */
import type { WriterId } from "../model/ids.ts";
import type { Entity } from "./entity.ts";
import type { ForgetOperation, Operation } from "./operation.ts";
import type { OperationList } from "./operation-list.ts";
import type { FailedSend } from "./failed-sends.ts";
import { checkOutboxRoom, sendBytes } from "./outbox.ts";
import type { Scope } from "./scope.ts";
import { isSameSend, requestOf } from "./send.ts";
import type { SendId, SendRequest } from "./send.ts";

export class EnvelopeDraft {
  readonly #scope: Scope;
  readonly #operations: Operation[] = [];
  #sends = 0;
  #sendBytes = 0;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  forget(caller: string, below?: number): void {
    if (!this.#scope.entity.dedupe.knows(caller)) return;
    this.#add(forgetOperation(this.#scope.entity, this.#scope.writer, caller, below));
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
    const { writer, number } = entry;
    const { code, message } = error;
    this.#add({ type: "fail", writer, number, ...requestOf(entry), code, message });
    this.confirm([id]);
  }

  /** Drops a finally refused call. Returns it, `undefined` when it is not kept. */
  discard(id: SendId): FailedSend | undefined {
    const { failed, failures } = this.#scope.entity.outbox;
    const send = failed.find((kept) => isSameSend(kept, id));
    if (send === undefined) return undefined;
    const refusals = failures.refusalsOf(send);
    const named = refusals.map(({ writer, number, hybridTime }) => ({
      writer,
      number,
      hybridTime,
    }));
    this.#add({ type: "discard", refusals: named });
    return send;
  }

  collect(operations: OperationList): void {
    for (const operation of this.#operations) operations.push(operation);
  }

  #add(operation: Operation): void {
    this.#operations.push(operation);
  }
}

/** Drops all that a writer sees of a caller, or what is below a number. */
export function forgetOperation(
  entity: Entity,
  writer: WriterId,
  caller: string,
  below = Number.MAX_SAFE_INTEGER,
): ForgetOperation {
  const seen = entity.dedupe.seenOf(caller, writer);
  return { type: "forget", caller, below, seen };
}
