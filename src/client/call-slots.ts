/**
 * The calls in flight by their id on the wire. An id is a slot and, above it, how often that slot was
 * given up while its call might still be answered: a late answer then finds nobody. Slots whose call
 * was answered are used again under the same id, so that ids stay one or two bytes long.
 */
import type { PendingCall } from "./pending-call.ts";

/** Calls that a client may have in flight; more are refused with `overloaded`. */
export const maxPendingCalls = 65_536;
const slotMask = maxPendingCalls - 1;
const generationCount = 2 ** 15;

export class CallSlots {
  readonly #calls: (PendingCall | undefined)[] = [];
  readonly #generations: number[] = [];
  readonly #free: number[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Gives the call an id; false when all slots are taken. */
  add(call: PendingCall): boolean {
    if (this.#count === maxPendingCalls) return false;
    const slot = this.#free.pop() ?? this.#calls.length;
    this.#calls[slot] = call;
    this.#generations[slot] ??= 0;
    call.id = this.#idOf(slot);
    this.#count += 1;
    return true;
  }

  /** The call that an answer is for, or `undefined` when nobody waits for it any more. */
  find(id: number): PendingCall | undefined {
    const call = this.#calls[id & slotMask];
    return call?.id === id ? call : undefined;
  }

  /** Gives the call another id: an answer to the attempt before is then not taken for this one's. */
  renew(call: PendingCall): void {
    const slot = call.id & slotMask;
    this.#giveUp(slot);
    call.id = this.#idOf(slot);
  }

  /** @param answered no further answer can come under its id */
  remove(call: PendingCall, answered: boolean): void {
    const slot = call.id & slotMask;
    if (!answered) this.#giveUp(slot);
    this.#calls[slot] = undefined;
    this.#free.push(slot);
    this.#count -= 1;
  }

  /** The calls that `wanted` picks, in the order in which they were made. */
  select(wanted: (call: PendingCall) => boolean): PendingCall[] {
    const calls: PendingCall[] = [];
    for (const call of this.#calls) if (call !== undefined && wanted(call)) calls.push(call);
    return calls.sort((a, b) => a.sequence - b.sequence);
  }

  #giveUp(slot: number): void {
    this.#generations[slot] = ((this.#generations[slot] ?? 0) + 1) % generationCount;
  }

  #idOf(slot: number): number {
    return (this.#generations[slot] ?? 0) * maxPendingCalls + slot;
  }
}
