/** A map of nested kinds in a turn. Its children are drafts of their own, made when first touched. */
import type { MapKind, MapOf } from "../definition/kinds.ts";
import { checkKey } from "../model/names.ts";
import type { Value } from "../model/value.ts";
import { asDict, isPresent } from "./dict-node.ts";
import type { DictNode, StateNode } from "./dict-node.ts";
import { Place } from "./draft-node.ts";
import type { AnyKind, Container, DraftNode } from "./draft-node.ts";
import type { RemoveOperation } from "./operation.ts";
import type { OperationList } from "./operation-list.ts";
import { plainOfNode, recordOf } from "./plain-node.ts";
import { removalAt } from "./removal-draft.ts";

/** Makes the draft of one kind; given, because maps contain what may be maps. */
export type MakeDraft = (place: Place) => DraftNode;

export class MapDraft implements DraftNode, Container {
  readonly place: Place;
  readonly #make: MakeDraft;
  readonly #childKind: AnyKind;
  #children: Map<string, DraftNode> | undefined;
  #removals: Map<string, RemoveOperation> | undefined;
  #cleared: RemoveOperation | undefined;

  constructor(place: Place, make: MakeDraft) {
    this.place = place;
    this.#make = make;
    this.#childKind = (place.kind as MapKind<unknown, unknown>).of;
  }

  get isPresent(): boolean {
    return !this.keys().next().done;
  }

  committedChild(key: string): StateNode | undefined {
    if (this.#removals?.has(key) === true) return undefined;
    return this.#committed()?.get(key);
  }

  has(key: string): boolean {
    const child = this.#children?.get(key);
    return child === undefined ? isPresent(this.committedChild(key)) : child.isPresent;
  }

  get(key: string): Value | undefined {
    const child = this.#children?.get(key);
    if (child !== undefined) return child.isPresent ? child.plain() : undefined;
    const node = this.committedChild(key);
    return isPresent(node) ? plainOfNode(this.#childKind, node) : undefined;
  }

  /** Committed keys first, in their order, then this turn's. */
  *keys(): IterableIterator<string> {
    this.place.scope.checkReadable();
    const committed = this.#committed();
    for (const key of committed?.keys() ?? []) {
      if (this.has(key)) yield key;
    }
    for (const [key, child] of this.#children ?? []) {
      if (committed?.has(key) !== true && child.isPresent) yield key;
    }
  }

  at(key: string): DraftNode {
    let child = this.#children?.get(key);
    if (child === undefined) {
      const { scope, path } = this.place;
      child = this.#make(new Place(scope, this.#childKind, [...path, key], this));
      this.#children ??= new Map();
      this.#children.set(key, child);
    }
    return child;
  }

  remove(key: string): void {
    const node = this.committedChild(key);
    this.#children?.get(key)?.reset();
    const removal = removalAt(this.place.scope, [...this.place.path, key], node);
    if (removal === undefined) return;
    this.#removals ??= new Map();
    this.#removals.set(key, removal);
  }

  clear(): void {
    this.#cleared ??= removalAt(this.place.scope, this.place.path, this.place.committed());
    this.#removals = undefined;
    for (const child of this.#children?.values() ?? []) child.reset();
  }

  reset(): void {
    this.#cleared = undefined;
    this.#removals = undefined;
    for (const child of this.#children?.values() ?? []) child.reset();
  }

  collect(operations: OperationList, sequence: number): void {
    if (this.#cleared !== undefined) operations.push(this.#cleared);
    if (this.#removals !== undefined)
      for (const removal of this.#removals.values()) operations.push(removal);
    for (const child of this.#children?.values() ?? []) child.collect(operations, sequence);
  }

  plain(): Value {
    const entries: [string, Value | undefined][] = [];
    for (const key of this.keys()) entries.push([key, this.get(key)]);
    return recordOf(entries);
  }

  handle(isWritable: boolean): MapOf<unknown, Value | undefined> {
    return new MapHandle(this, isWritable);
  }

  #committed(): DictNode["children"] | undefined {
    return this.#cleared === undefined ? asDict(this.place.committed())?.children : undefined;
  }
}

class MapHandle implements MapOf<unknown, Value | undefined> {
  readonly #draft: MapDraft;
  readonly #isWritable: boolean;

  constructor(draft: MapDraft, isWritable: boolean) {
    this.#draft = draft;
    this.#isWritable = isWritable;
  }

  get size(): number {
    let size = 0;
    for (const _ of this.#draft.keys()) size += 1;
    return size;
  }

  get(key: string): Value | undefined {
    this.#draft.place.scope.checkReadable();
    return this.#draft.get(key);
  }

  has(key: string): boolean {
    this.#draft.place.scope.checkReadable();
    return this.#draft.has(key);
  }

  keys(): IterableIterator<string> {
    return this.#draft.keys();
  }

  *values(): IterableIterator<Value | undefined> {
    for (const key of this.#draft.keys()) yield this.#draft.get(key);
  }

  *entries(): IterableIterator<[string, Value | undefined]> {
    for (const key of this.#draft.keys()) yield [key, this.#draft.get(key)];
  }

  at(key: string): unknown {
    this.#draft.place.scope.checkReadable();
    checkKey(key);
    return this.#draft.at(key).handle(this.#isWritable);
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
