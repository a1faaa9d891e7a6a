/** The timers of an entity in a turn: which it sets, cancels, or takes out because they are due. */
import { crdt } from "../definition/kinds.ts";
import { Place } from "./draft-node.ts";
import { ElementsDraft } from "./elements-draft.ts";
import { timersField } from "./field-tag.ts";
import type { OperationList } from "./operation-list.ts";
import type { Scope } from "./scope.ts";
import {
  checkTimerRoom,
  compareTimers,
  isSameTimer,
  nextDueAt,
  readTimer,
  timerIn,
  timerValue,
} from "./timers.ts";
import type { EntityTimer, TimerSetting } from "./timers.ts";

const kind = crdt.map();
const path = [timersField];

export class TimersDraft {
  readonly #scope: Scope;
  readonly #elements: ElementsDraft;
  /** Of all that wait, once one was set. */
  #inputBytes: number | undefined = undefined;

  constructor(scope: Scope) {
    this.#scope = scope;
    this.#elements = new ElementsDraft(new Place(scope, kind, path, undefined));
  }

  /** All that wait, this turn's changes included, the next one first. */
  list(): TimerSetting[] {
    const timers: TimerSetting[] = [];
    for (const [id, value] of this.#elements.entries()) {
      const timer = readTimer(id, value);
      if (timer !== undefined) timers.push(timer);
    }
    return timers.sort(compareTimers);
  }

  /**
   * Sets a timer, in place of one of its id.
   * @param timer its input belongs to the state from now on
   * @throws LatticeError `overloaded` when there are too many; `too_large` for the turn
   */
  set(timer: TimerSetting): void {
    this.#scope.checkReadable();
    const before = this.#get(timer.id);
    const growth = timer.input.length - (before?.input.length ?? 0);
    const inputBytes = (this.#inputBytes ?? this.#sumOfInputs()) + growth;
    // Sides of a split may have set more than fit. Then what does not grow them further may go on.
    const count = before === undefined ? this.#elements.size + 1 : 0;
    checkTimerRoom(count, growth > 0 ? inputBytes : 0);
    this.#write(timer);
    this.#inputBytes = inputBytes;
  }

  /** @returns whether there was one */
  cancel(id: string): boolean {
    this.#scope.checkReadable();
    if (!this.#elements.has(id)) return false;
    this.#elements.remove(id);
    this.#inputBytes = undefined;
    return true;
  }

  /**
   * Takes out a timer that is due, or sets it to its next period. To be called before anything else is
   * changed here.
   * @param now milliseconds since the epoch
   * @returns false when it is not there any more: cancelled, replaced, or taken out
   */
  take(timer: EntityTimer, now: number): boolean {
    this.#scope.checkReadable();
    const present = timerIn(this.#scope.committed(timersField), timer.id);
    if (present === undefined || !isSameTimer(present, timer)) return false;
    const { at, every } = present;
    if (every === undefined) this.#elements.remove(timer.id);
    else this.#write({ ...present, at: nextDueAt(at, every, now) });
    return true;
  }

  /** Forgets this turn's changes: the entity is deleted. */
  reset(): void {
    this.#elements.reset();
    this.#inputBytes = undefined;
  }

  collect(operations: OperationList): void {
    this.#elements.collect(operations);
  }

  #write(timer: TimerSetting): void {
    this.#elements.write(timer.id, timerValue(timer));
  }

  #get(id: string): TimerSetting | undefined {
    const value = this.#elements.get(id);
    return value === undefined ? undefined : readTimer(id, value);
  }

  #sumOfInputs(): number {
    let bytes = 0;
    for (const { input } of this.list()) bytes += input.length;
    return bytes;
  }
}
