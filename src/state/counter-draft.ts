/** A counter in a turn: what was added so far, on top of the committed value. */
import type { Counter } from "../definition/kinds.ts";
import { LatticeError } from "../model/error.ts";
import type { Value } from "../model/value.ts";
import { counterValue, isCounterPresent, openRun } from "./counter-run.ts";
import type { CounterRun } from "./counter-run.ts";
import { asCounter } from "./dict-node.ts";
import type { DraftNode, Place } from "./draft-node.ts";
import type { OperationList } from "./operation-list.ts";

/** What a counter takes beside its key, in estimated bytes. */
const counterGrowth = 24;

export class CounterDraft implements DraftNode {
  readonly place: Place;
  #added = 0;
  /** Handlers as a rule read a counter and write it. */
  #handle: CounterHandle | undefined = undefined;

  constructor(place: Place) {
    this.place = place;
  }

  get isPresent(): boolean {
    if (this.#added !== 0) return true;
    const counter = this.#committed();
    return counter !== undefined && isCounterPresent(counter);
  }

  get value(): number {
    return counterValue(this.#committed()) + this.#added;
  }

  /** @throws LatticeError `invalid_argument` unless `by` and the new value are finite */
  add(by: number): void {
    const added = this.#added + by;
    if (!Number.isFinite(added) || !Number.isFinite(counterValue(this.#committed()) + added)) {
      const problem = `${this.place.label}: a counter cannot add ${String(by)}`;
      throw new LatticeError("invalid_argument", `${problem}; add finite numbers`);
    }
    if (this.#added === 0) {
      this.place.scope.grow(counterGrowth + this.place.path[this.place.path.length - 1]!.length);
    }
    this.#added = added;
  }

  reset(): void {
    this.#added = 0;
  }

  collect(operations: OperationList, sequence: number): void {
    if (this.#added === 0) return;
    const open = openRun(this.#committed(), this.place.scope.writer);
    const first = open === 0 ? sequence : open;
    operations.push({ type: "add", path: this.place.path, first, by: this.#added });
  }

  plain(): Value {
    return this.value;
  }

  handle(isWritable: boolean): Counter {
    if (!isWritable) return new CounterHandle(this, false);
    this.#handle ??= new CounterHandle(this, true);
    return this.#handle;
  }

  #committed(): CounterRun | undefined {
    return asCounter(this.place.committed());
  }
}

class CounterHandle implements Counter {
  readonly #draft: CounterDraft;
  readonly #isWritable: boolean;

  constructor(draft: CounterDraft, isWritable: boolean) {
    this.#draft = draft;
    this.#isWritable = isWritable;
  }

  get value(): number {
    this.#draft.place.scope.checkReadable();
    return this.#draft.value;
  }

  add(by: number): void {
    this.#draft.place.scope.checkWritable(this.#isWritable);
    if (typeof by !== "number") {
      const problem = `${this.#draft.place.label}: a counter cannot add a ${typeof by}`;
      throw new LatticeError("invalid_argument", `${problem}; add a finite number`);
    }
    this.#draft.add(by);
  }
}
