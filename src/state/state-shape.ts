/**
 * A function's `state` made ready for use: the key of every field, and a class whose instances have
 * one property per field. A turn then makes one small object and touches only the fields it uses.
 */
import type { Shape } from "../definition/kinds.ts";
import { CellDraft } from "./cell-draft.ts";
import { CounterDraft } from "./counter-draft.ts";
import { Place } from "./draft-node.ts";
import type { AnyKind, DraftNode } from "./draft-node.ts";
import { ElementsDraft } from "./elements-draft.ts";
import { fieldKey, tagOf } from "./field-tag.ts";
import { MapDraft } from "./map-draft.ts";
import type { Path } from "./operation.ts";
import type { OperationList } from "./operation-list.ts";
import type { Scope } from "./scope.ts";
import { TextDraft } from "./text-draft.ts";

export interface FieldShape {
  readonly name: string;
  readonly kind: AnyKind;
  /** Of one step: the field's key in the entity. */
  readonly path: Path;
}

export interface StateShape {
  readonly fields: readonly FieldShape[];
  /** Makes `ctx.state`. */
  stateOf(nodes: FieldDrafts, isWritable: boolean): object;
}

/** A cache only: a shape is compiled once, however many drafts are made of it. */
const compiled = new WeakMap<Shape, StateShape>();

/** @throws LatticeError `invalid_argument` when a kind cannot be kept. */
export function stateShape(shape: Shape): StateShape {
  let ready = compiled.get(shape);
  if (ready === undefined) {
    ready = compile(shape);
    compiled.set(shape, ready);
  }
  return ready;
}

/** The field drafts of one turn, made when first touched. Many turns touch one field. */
export class FieldDrafts {
  readonly scope: Scope;
  readonly #shape: StateShape;
  #only: DraftNode | undefined = undefined;
  #onlyIndex = 0;
  /** By field, with holes, once several are touched. */
  #nodes: (DraftNode | undefined)[] | undefined = undefined;

  constructor(scope: Scope, shape: StateShape) {
    this.scope = scope;
    this.#shape = shape;
  }

  at(index: number): DraftNode {
    if (this.#nodes !== undefined) return (this.#nodes[index] ??= this.#make(index));
    if (this.#only === undefined) {
      this.#onlyIndex = index;
      this.#only = this.#make(index);
    } else if (this.#onlyIndex !== index) {
      this.#nodes = new Array<undefined>(this.#shape.fields.length).fill(undefined);
      this.#nodes[this.#onlyIndex] = this.#only;
      return (this.#nodes[index] = this.#make(index));
    }
    return this.#only;
  }

  /** Forgets all changes. */
  reset(): void {
    if (this.#nodes === undefined) this.#only?.reset();
    else for (const node of this.#nodes) node?.reset();
  }

  /** Appends what the turn does, field by field. */
  collect(operations: OperationList, sequence: number): void {
    if (this.#nodes === undefined) this.#only?.collect(operations, sequence);
    else for (const node of this.#nodes) node?.collect(operations, sequence);
  }

  #make(index: number): DraftNode {
    const { kind, path } = this.#shape.fields[index]!;
    return makeDraft(new Place(this.scope, kind, path, undefined));
  }
}

function makeDraft(place: Place): DraftNode {
  switch (place.kind.kind) {
    case "counter":
      return new CounterDraft(place);
    case "map":
      return new MapDraft(place, makeDraft);
    case "set":
    case "value-map":
      return new ElementsDraft(place);
    case "text":
      return new TextDraft(place);
    default:
      return new CellDraft(place);
  }
}

function compile(shape: Shape): StateShape {
  const fields = Object.entries(shape).map(([name, kind]) => ({
    name,
    kind,
    path: [fieldKey(tagOf(kind, name), name)],
  }));
  const State = stateClass(fields);
  return { fields, stateOf: (nodes, isWritable) => new State(nodes, isWritable) };
}

type StateClass = new (nodes: FieldDrafts, isWritable: boolean) => object;

/** One class per shape, so that property access in handlers is as fast as on any class. */
function stateClass(fields: readonly FieldShape[]): StateClass {
  class State {
    readonly #nodes: FieldDrafts;
    readonly #isWritable: boolean;

    constructor(nodes: FieldDrafts, isWritable: boolean) {
      this.#nodes = nodes;
      this.#isWritable = isWritable;
    }

    static field(state: State, index: number): unknown {
      state.#nodes.scope.checkReadable();
      return state.#nodes.at(index).handle(state.#isWritable);
    }
  }
  fields.forEach(({ name }, index) => {
    Object.defineProperty(State.prototype, name, {
      enumerable: true,
      get(this: State): unknown {
        return State.field(this, index);
      },
    });
  });
  return State;
}
