/** A register, flag or extreme in a turn: the last value written, or the committed one. */
import type { Extreme, Flag, Register } from "../definition/kinds.ts";
import { LatticeError } from "../model/error.ts";
import type { Value } from "../model/value.ts";
import { seenInCell } from "./cell-entry.ts";
import type { CellEntry } from "./cell-entry.ts";
import { asCell } from "./dict-node.ts";
import type { DraftNode, Place } from "./draft-node.ts";
import type { OperationList } from "./operation-list.ts";
import { plainOfCell } from "./plain-node.ts";
import { nothingSeen } from "./seen.ts";
import type { Seen } from "./seen.ts";
import { showValue, storeValue, valueBytes } from "./stored-value.ts";

/** What an entry takes beside key and value, in estimated bytes. */
export const entryGrowth = 16;

export class CellDraft implements DraftNode {
  readonly place: Place;
  #written: Value | undefined;
  #seen: Seen = nothingSeen;

  constructor(place: Place) {
    this.place = place;
  }

  get isPresent(): boolean {
    return this.#written !== undefined || this.#committed() !== undefined;
  }

  /** @param value belongs to the state from now on. */
  write(value: Value): void {
    const { scope, path } = this.place;
    scope.grow(entryGrowth + path[path.length - 1]!.length + valueBytes(value));
    this.#written = value;
    this.#seen = seenInCell(this.#committed(), scope.writer);
  }

  reset(): void {
    this.#written = undefined;
  }

  collect(operations: OperationList): void {
    const value = this.#written;
    if (value === undefined) return;
    operations.push({ type: "write", path: this.place.path, seen: this.#seen, value });
  }

  plain(): Value | undefined {
    if (this.#written !== undefined) return showValue(this.#written);
    return plainOfCell(this.place.kind, this.#committed());
  }

  handle(isWritable: boolean): Register<Value> | Flag | Extreme {
    const { kind } = this.place.kind;
    if (kind === "flag") return new FlagHandle(this, isWritable);
    if (kind === "register") return new RegisterHandle(this, isWritable);
    return new ExtremeHandle(this, isWritable);
  }

  #committed(): CellEntry | undefined {
    return asCell(this.place.committed());
  }
}

class RegisterHandle implements Register<Value> {
  readonly #draft: CellDraft;
  readonly #isWritable: boolean;

  constructor(draft: CellDraft, isWritable: boolean) {
    this.#draft = draft;
    this.#isWritable = isWritable;
  }

  get value(): Value {
    this.#draft.place.scope.checkReadable();
    return this.#draft.plain()!;
  }

  set(value: Value): void {
    this.#draft.place.scope.checkWritable(this.#isWritable);
    this.#draft.write(storeValue(value, this.#draft.place.label));
  }
}

class FlagHandle implements Flag {
  readonly #draft: CellDraft;
  readonly #isWritable: boolean;

  constructor(draft: CellDraft, isWritable: boolean) {
    this.#draft = draft;
    this.#isWritable = isWritable;
  }

  get value(): boolean {
    this.#draft.place.scope.checkReadable();
    return this.#draft.plain() === true;
  }

  enable(): void {
    this.#draft.place.scope.checkWritable(this.#isWritable);
    this.#draft.write(true);
  }

  disable(): void {
    this.#draft.place.scope.checkWritable(this.#isWritable);
    this.#draft.write(false);
  }
}

class ExtremeHandle implements Extreme {
  readonly #draft: CellDraft;
  readonly #isWritable: boolean;

  constructor(draft: CellDraft, isWritable: boolean) {
    this.#draft = draft;
    this.#isWritable = isWritable;
  }

  get value(): number | undefined {
    this.#draft.place.scope.checkReadable();
    return this.#draft.plain() as number | undefined;
  }

  /** What is not beyond the present extreme changes nothing. */
  observe(value: number): void {
    this.#draft.place.scope.checkWritable(this.#isWritable);
    if (!Number.isFinite(value)) {
      const problem = `${this.#draft.place.label}: cannot observe ${String(value)}`;
      throw new LatticeError("invalid_argument", `${problem}; observe finite numbers`);
    }
    const best = this.#draft.plain() as number | undefined;
    const isMax = this.#draft.place.kind.kind === "max";
    if (best === undefined || (isMax ? value > best : value < best)) this.#draft.write(value);
  }
}
