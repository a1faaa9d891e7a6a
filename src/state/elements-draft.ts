/** A set or value map in a turn: which elements were written or removed, on top of the committed. */
import type { SetOf, ValueMap } from "../definition/kinds.ts";
import { checkKey } from "../model/names.ts";
import type { Value } from "../model/value.ts";
import { canonicalKey } from "./canonical-key.ts";
import { entryGrowth } from "./cell-draft.ts";
import { seenInCell, winner } from "./cell-entry.ts";
import { asCell, asDict } from "./dict-node.ts";
import type { DictNode } from "./dict-node.ts";
import type { DraftNode, Place } from "./draft-node.ts";
import type { RemoveOperation } from "./operation.ts";
import type { OperationList } from "./operation-list.ts";
import { recordOf, setOf } from "./plain-node.ts";
import { removalAt } from "./removal-draft.ts";
import type { Seen } from "./seen.ts";
import { showValue, storeValue, valueBytes } from "./stored-value.ts";

interface Change {
  /** `undefined`: removed. */
  readonly value: Value | undefined;
  readonly seen: Seen;
}

export class ElementsDraft implements DraftNode {
  readonly place: Place;
  #changes: Map<string, Change> | undefined;
  #cleared: RemoveOperation | undefined;

  constructor(place: Place) {
    this.place = place;
  }

  get isPresent(): boolean {
    return !this.entries().next().done;
  }

  get size(): number {
    const children = this.#committed();
    let size = children?.size ?? 0;
    for (const [key, change] of this.#changes ?? []) {
      const was = children?.has(key) === true ? 1 : 0;
      size += (change.value === undefined ? 0 : 1) - was;
    }
    return size;
  }

  has(key: string): boolean {
    const change = this.#changes?.get(key);
    return change === undefined ? this.#committed()?.has(key) === true : change.value !== undefined;
  }

  get(key: string): Value | undefined {
    const change = this.#changes?.get(key);
    if (change !== undefined) {
      return change.value === undefined ? undefined : showValue(change.value);
    }
    const cell = asCell(this.#committed()?.get(key));
    return cell === undefined ? undefined : showValue(winner(cell).value);
  }

  /** Committed elements first, in their order, then this turn's. */
  *entries(): IterableIterator<[string, Value]> {
    this.place.scope.checkReadable();
    const children = this.#committed();
    for (const key of children?.keys() ?? []) {
      const value = this.get(key);
      if (value !== undefined) yield [key, value];
    }
    for (const [key, change] of this.#changes ?? []) {
      if (change.value === undefined || children?.has(key) === true) continue;
      yield [key, showValue(change.value)];
    }
  }

  /** @param value belongs to the state from now on. */
  write(key: string, value: Value): void {
    this.place.scope.grow(entryGrowth + key.length + valueBytes(value));
    const seen = seenInCell(asCell(this.#committed()?.get(key)), this.place.scope.writer);
    this.#changes ??= new Map();
    this.#changes.set(key, { value, seen });
  }

  remove(key: string): void {
    const cell = asCell(this.#committed()?.get(key));
    if (cell === undefined) {
      this.#changes?.delete(key);
      return;
    }
    this.#changes ??= new Map();
    this.#changes.set(key, { value: undefined, seen: seenInCell(cell, this.place.scope.writer) });
  }

  clear(): void {
    this.#cleared ??= removalAt(this.place.scope, this.place.path, this.place.committed());
    this.#changes = undefined;
  }

  reset(): void {
    this.#changes = undefined;
    this.#cleared = undefined;
  }

  collect(operations: OperationList): void {
    if (this.#cleared !== undefined) operations.push(this.#cleared);
    for (const [key, { value, seen }] of this.#changes ?? []) {
      const path = [...this.place.path, key];
      operations.push(
        value === undefined
          ? { type: "remove", path, seen, floors: [] }
          : { type: "write", path, seen, value },
      );
    }
  }

  plain(): Value {
    if (this.place.kind.kind === "value-map") return recordOf(this.entries());
    return setOf([...this.entries()]);
  }

  handle(isWritable: boolean): SetOf<Value> | ValueMap<Value> {
    return this.place.kind.kind === "set"
      ? new SetHandle(this, isWritable)
      : new ValueMapHandle(this, isWritable);
  }

  #committed(): DictNode["children"] | undefined {
    return this.#cleared === undefined ? asDict(this.place.committed())?.children : undefined;
  }
}

class SetHandle implements SetOf<Value> {
  readonly #draft: ElementsDraft;
  readonly #isWritable: boolean;

  constructor(draft: ElementsDraft, isWritable: boolean) {
    this.#draft = draft;
    this.#isWritable = isWritable;
  }

  get size(): number {
    this.#draft.place.scope.checkReadable();
    return this.#draft.size;
  }

  has(value: Value): boolean {
    this.#draft.place.scope.checkReadable();
    return this.#draft.has(canonicalKey(storeValue(value, this.#draft.place.label)));
  }

  *values(): IterableIterator<Value> {
    for (const [, value] of this.#draft.entries()) yield value;
  }

  add(value: Value): void {
    this.#draft.place.scope.checkWritable(this.#isWritable);
    const stored = storeValue(value, this.#draft.place.label);
    this.#draft.write(canonicalKey(stored), stored);
  }

  delete(value: Value): void {
    this.#draft.place.scope.checkWritable(this.#isWritable);
    this.#draft.remove(canonicalKey(storeValue(value, this.#draft.place.label)));
  }

  clear(): void {
    this.#draft.place.scope.checkWritable(this.#isWritable);
    this.#draft.clear();
  }
}

class ValueMapHandle implements ValueMap<Value> {
  readonly #draft: ElementsDraft;
  readonly #isWritable: boolean;

  constructor(draft: ElementsDraft, isWritable: boolean) {
    this.#draft = draft;
    this.#isWritable = isWritable;
  }

  get size(): number {
    this.#draft.place.scope.checkReadable();
    return this.#draft.size;
  }

  get(key: string): Value | undefined {
    this.#draft.place.scope.checkReadable();
    return this.#draft.get(key);
  }

  has(key: string): boolean {
    this.#draft.place.scope.checkReadable();
    return this.#draft.has(key);
  }

  *keys(): IterableIterator<string> {
    for (const [key] of this.#draft.entries()) yield key;
  }

  *values(): IterableIterator<Value> {
    for (const [, value] of this.#draft.entries()) yield value;
  }

  entries(): IterableIterator<[string, Value]> {
    return this.#draft.entries();
  }

  set(key: string, value: Value): void {
    this.#draft.place.scope.checkWritable(this.#isWritable);
    checkKey(key);
    this.#draft.write(key, storeValue(value, `${this.#draft.place.label}.${key}`));
  }

  delete(key: string): void {
    this.#draft.place.scope.checkWritable(this.#isWritable);
    this.#draft.remove(key);
  }

  clear(): void {
    this.#draft.place.scope.checkWritable(this.#isWritable);
    this.#draft.clear();
  }
}
