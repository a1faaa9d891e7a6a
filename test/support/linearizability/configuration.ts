/**
 * How far a search has come: which steps have their place, in which order, and the state after them.
 * Steps are taken and given back like from a stack.
 */
import { apply } from "./model.ts";
import type { State } from "./operation.ts";
import type { Step, Steps } from "./step.ts";

/** The steps that can come next, as far as time goes. */
export interface Candidates {
  readonly known: readonly Step[];
  /** The first of each row. */
  readonly unknown: readonly Step[];
}

const bitsPerCharacter = 16;

export class Configuration {
  state: State;
  readonly #steps: Steps;
  readonly #isTaken: Uint8Array;
  /** How many of each row are taken: of twins the first ones. */
  readonly #takenOfRow: Uint16Array;
  /** Known steps before it are taken. */
  #first = 0;
  readonly #order: Step[] = [];
  /** What `state` and `#least` were before each of them. */
  readonly #before: { readonly state: State; readonly least: number }[] = [];
  /** Known steps without a place, by the state that they require. */
  readonly #wanted = new Map<State, number>();
  /** Steps without a place, by the state that they set. */
  readonly #setters = new Map<State, number>();
  /** Additions of both signs: any state may come back. */
  readonly #mayReturn: boolean;
  /** Where additions only rise, the states that known steps require, ascending. */
  readonly #ascending: readonly State[];
  /** Those before it are wanted no more. */
  #least = 0;

  constructor(steps: Steps, initial: State) {
    this.#steps = steps;
    this.state = initial;
    this.#isTaken = new Uint8Array(steps.known.length);
    this.#takenOfRow = new Uint16Array(steps.unknown.length);
    const all = [...steps.known, ...steps.unknown.flat()];
    for (const step of all) this.#count(step, 1);
    const additions = all.flatMap(({ effect }) => (effect.type === "add" ? [effect.by] : []));
    const rises = additions.some((by) => by > 0);
    const falls = additions.some((by) => by < 0);
    this.#mayReturn = rises && falls;
    const required = rises && !falls ? [...this.#wanted.keys()] : [];
    this.#ascending = required.sort((a, b) => Number(a) - Number(b));
  }

  /** The steps that have a place, in order. */
  get order(): readonly Step[] {
    return this.#order;
  }

  /** Every known step has a place. */
  get isComplete(): boolean {
    return this.#first === this.#steps.known.length;
  }

  take(step: Step): void {
    this.#order.push(step);
    this.#before.push({ state: this.state, least: this.#least });
    this.state = apply(this.state, step.effect);
    this.#count(step, -1);
    while (this.#least < this.#ascending.length && !this.isWanted(this.#ascending[this.#least]!)) {
      this.#least += 1;
    }
    if (step.returnedAt === Infinity) {
      this.#takenOfRow[step.index]! += 1;
      return;
    }
    this.#isTaken[step.index] = 1;
    while (this.#isTaken[this.#first] === 1) this.#first += 1;
  }

  /** Gives back the last ones, so that so many keep their place. */
  giveBack(length: number): void {
    while (this.#order.length > length) {
      const step = this.#order.pop()!;
      const before = this.#before.pop()!;
      this.state = before.state;
      this.#least = before.least;
      this.#count(step, 1);
      if (step.returnedAt === Infinity) {
        this.#takenOfRow[step.index]! -= 1;
      } else {
        this.#isTaken[step.index] = 0;
        this.#first = Math.min(this.#first, step.index);
      }
    }
  }

  /** Nobody has returned without a place before one of these was invoked. */
  candidates(): Candidates {
    const known: Step[] = [];
    let deadline = Infinity;
    for (let index = this.#first; index < this.#steps.known.length; index++) {
      const step = this.#steps.known[index]!;
      if (step.invokedAt > deadline) break;
      if (this.#isTaken[index] === 1) continue;
      known.push(step);
      deadline = Math.min(deadline, step.returnedAt);
    }
    const heads = this.#steps.unknown.map((row, index) => row[this.#takenOfRow[index]!]);
    const unknown = heads.filter((step) => step !== undefined && step.invokedAt <= deadline);
    return { known, unknown: unknown as Step[] };
  }

  /** Some known step without a place requires this state. */
  isWanted(state: State): boolean {
    return (this.#wanted.get(state) ?? 0) > 0;
  }

  /** After a change from this state, somebody still wants what nothing that is left leads to. */
  isPast(before: State): boolean {
    if (this.state === before || this.#mayReturn) return false;
    const least = this.#ascending[this.#least];
    if (least !== undefined) return Number(least) < Number(this.state);
    return this.isWanted(before) && (this.#setters.get(before) ?? 0) === 0;
  }

  /** Equal for equal sets of taken steps and equal states, and for no others. */
  key(): string {
    const known: number[] = [];
    let bits = 0;
    let last = 0;
    // Those that are taken were invoked before whatever is not had returned.
    for (let index = this.#first, deadline = Infinity; index < this.#isTaken.length; index++) {
      const step = this.#steps.known[index]!;
      if (step.invokedAt > deadline) break;
      const place = index - this.#first;
      if (place > 0 && place % bitsPerCharacter === 0) {
        known.push(bits);
        bits = 0;
      }
      if (this.#isTaken[index] === 1) {
        bits |= 1 << (place % bitsPerCharacter);
        last = known.length + 1;
      } else {
        deadline = Math.min(deadline, step.returnedAt);
      }
    }
    known.push(bits);
    const set = String.fromCharCode(...known.slice(0, last), ...this.#takenOfRow);
    // The one part that may hold anything comes last.
    return `${String(this.#first)} ${String(set.length)} ${set} ${typeof this.state} ${String(this.state)}`;
  }

  #count({ requires, effect, returnedAt }: Step, by: 1 | -1): void {
    if (requires !== undefined && returnedAt < Infinity) add(this.#wanted, requires, by);
    if (effect.type === "set") add(this.#setters, effect.to, by);
  }
}

function add(counts: Map<State, number>, state: State, by: number): void {
  counts.set(state, (counts.get(state) ?? 0) + by);
}
