/**
 * The turns that wait for one entity, in order of arrival, behind the one that holds it; and who of
 * them must not wait. Two turns that ask each other would wait for ever, and no single chain of
 * calls can see that; so a nested call waits behind other waiting chains only if it is the older
 * one (wait–die, see `age.ts`). Waiting then always points from older to younger: never in a ring.
 */
import { isYounger } from "./age.ts";
import type { Turn } from "./turn.ts";

export class EntityQueue {
  readonly name: string;
  /** The turn that holds the entity. */
  running: Turn | undefined = undefined;
  #turns: Turn[] = [];
  #head = 0;
  #waitingCount = 0;
  #nestedCount = 0;

  constructor(name: string) {
    this.name = name;
  }

  get waitingCount(): number {
    return this.#waitingCount;
  }

  push(turn: Turn): void {
    this.#turns.push(turn);
    turn.isQueued = true;
    this.#waitingCount += 1;
    if (turn.isNested) this.#nestedCount += 1;
  }

  /** Takes the next turn that still waits. */
  shift(): Turn | undefined {
    while (this.#head < this.#turns.length) {
      const turn = this.#turns[this.#head]!;
      this.#head += 1;
      if (this.#head >= compactAt && this.#head * 2 >= this.#turns.length) this.#compact();
      if (!turn.isQueued) continue;
      this.#leave(turn);
      return turn;
    }
    return undefined;
  }

  /** Takes a turn out before its time comes. */
  drop(turn: Turn): void {
    if (!turn.isQueued) return;
    this.#leave(turn);
    // Its place stays in the list until it surfaces; a flood of cancels must not fill the list.
    const unusedCount = this.#turns.length - this.#head - this.#waitingCount;
    if (unusedCount > compactAt + this.#waitingCount) this.#compact();
  }

  /** Whether `turn`, about to wait here, must be refused instead. */
  mustNotWait(turn: Turn): boolean {
    if (!turn.isNested) return false;
    if (this.running?.isAsking === true && isYounger(turn, this.running)) return true;
    if (this.#nestedCount === 0) return false;
    for (let index = this.#head; index < this.#turns.length; index += 1) {
      const ahead = this.#turns[index]!;
      if (ahead.isQueued && ahead.isNested && isYounger(turn, ahead)) return true;
    }
    return false;
  }

  /** The waiting turns that must be refused because `asking`, which holds the entity, began to ask. */
  mustNotWaitBehind(asking: Turn): readonly Turn[] {
    if (this.#nestedCount === 0) return nobody;
    return this.#turns
      .slice(this.#head)
      .filter((turn) => turn.isQueued && turn.isNested && isYounger(turn, asking));
  }

  #leave(turn: Turn): void {
    turn.isQueued = false;
    this.#waitingCount -= 1;
    if (turn.isNested) this.#nestedCount -= 1;
  }

  #compact(): void {
    this.#turns = this.#turns.slice(this.#head).filter((turn) => turn.isQueued);
    this.#head = 0;
  }
}

const nobody: readonly Turn[] = [];
/** Below so many used-up places the list is left alone. */
const compactAt = 64;
