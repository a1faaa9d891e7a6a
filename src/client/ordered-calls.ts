/**
 * Calls made with `ordered`, by entity: the first one is under way, the others wait until it is
 * settled. Few calls are ordered, so nothing of this is part of a call that is not.
 */
import type { PendingCall } from "./pending-call.ts";

export class OrderedCalls {
  readonly #byEntity = new Map<string, PendingCall[]>();

  /** Lines a call up; true when it may be sent now. */
  queue(call: PendingCall): boolean {
    const calls = this.#byEntity.get(call.entityName);
    if (calls === undefined) this.#byEntity.set(call.entityName, [call]);
    else calls.push(call);
    return calls === undefined;
  }

  /** Takes a settled call out; returns the one that may be sent now, if any. */
  unqueue(call: PendingCall): PendingCall | undefined {
    const calls = this.#byEntity.get(call.entityName);
    const index = calls?.indexOf(call) ?? -1;
    if (calls === undefined || index < 0) return undefined;
    calls.splice(index, 1);
    if (calls.length === 0) this.#byEntity.delete(call.entityName);
    return index === 0 ? calls[0] : undefined;
  }
}
