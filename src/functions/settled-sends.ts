/**
 * Which senders a target may forget. A target keeps the highest number of each sender for ten minutes of
 * silence, and of 1,024 senders at most: where many send to one, as carts do to their shop, it is full
 * long before. What is kept of a sender is of no more use when nothing of it can arrive any more:
 *
 * - each attempt of the call was answered by a node that knew what became of it, and
 * - a majority holds the sender's outbox without it, so that whoever leads the sender next, with a
 *   majority, does not send it again, even before that is committed anew. (Without one nobody sends
 *   what an earlier primary has left.)
 *
 * A caller of an outbox is one writer's (`outbox-caller.ts`), and a writer is one reign's, so that
 * whoever settles a call of its own has made every attempt of that caller.
 *
 * Targets are told only when it is worth a commit: of many senders at once, or when one is full.
 */
import type { EntityName } from "../model/ids.ts";
import { callerSilenceMs } from "../state/dedupe.ts";
import type { DoneCaller } from "./caller-operation.ts";

/** Senders that a target is told of at once, where nothing presses. */
export const settledMin = 32;
/** Senders that are noted for all targets together; the first of them are left to their silence. */
const notedMax = 16_384;
/** Callers that are not to be forgotten by anybody; above that nobody is, for as long. */
const straysMax = 4_096;

export class SettledSends {
  readonly #settledMin: number;
  readonly #forget: (target: EntityName, callers: readonly DoneCaller[]) => void;
  readonly #noted = new Map<EntityName, Map<string, number>>();
  #notedCount = 0;
  /** Until when an attempt of a caller may still arrive, by `callerSilenceMs`; the oldest first. */
  readonly #strays = new Map<string, number>();
  #suspendedUntil = -Infinity;

  /** @param forget tells the target that it may drop what it keeps of these callers */
  constructor(
    forget: (target: EntityName, callers: readonly DoneCaller[]) => void,
    atOnce = settledMin,
  ) {
    this.#forget = forget;
    this.#settledMin = atOnce;
  }

  /** An attempt of `caller` has no answer, or none that is waited for: it may arrive however late. */
  noteStray(caller: string, now: number): void {
    this.#dropOldStrays(now);
    this.#strays.delete(caller);
    this.#strays.set(caller, now + callerSilenceMs);
    if (this.#strays.size <= straysMax) return;
    this.#strays.clear();
    this.#suspendedUntil = now + callerSilenceMs;
  }

  /** The call `number` of `caller` to `target` is over, and a majority holds that it is. */
  settled(target: EntityName, caller: string, number: number, now: number): void {
    if (now < this.#suspendedUntil || this.#isAstray(caller, now)) return;
    let callers = this.#noted.get(target);
    if (callers === undefined) {
      callers = new Map();
      this.#noted.set(target, callers);
    }
    const before = callers.get(caller);
    if (before === undefined) this.#notedCount += 1;
    callers.set(caller, Math.max(number, before ?? 0));
    if (callers.size >= this.#settledMin) this.press(target);
    if (this.#notedCount > notedMax) this.#dropOldest();
  }

  /** The target has no room: it is told of all who are done, however few. */
  press(target: EntityName): void {
    const callers = this.#take(target);
    if (callers === undefined) return;
    const done = [...callers].map(([caller, number]) => ({ caller, below: number + 1 }));
    this.#forget(target, done);
  }

  #isAstray(caller: string, now: number): boolean {
    const until = this.#strays.get(caller);
    return until !== undefined && until > now;
  }

  #dropOldStrays(now: number): void {
    for (const [caller, until] of this.#strays) {
      if (until > now) return;
      this.#strays.delete(caller);
    }
  }

  #dropOldest(): void {
    const [oldest] = this.#noted.keys();
    if (oldest !== undefined) this.#take(oldest);
  }

  #take(target: EntityName): ReadonlyMap<string, number> | undefined {
    const callers = this.#noted.get(target);
    if (callers === undefined) return undefined;
    this.#noted.delete(target);
    this.#notedCount -= callers.size;
    return callers;
  }
}
