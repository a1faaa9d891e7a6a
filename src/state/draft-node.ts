/**
 * The parts of a draft: one node per field or map entry that a turn has touched. A node reads
 * through to the committed state and keeps what the turn changes beside it; committed state is
 * never touched. What an operation must say that it had seen is noted when the change is made.
 */
import type { Kind } from "../definition/kinds.ts";
import type { Value } from "../model/value.ts";
import type { StateNode } from "./dict-node.ts";
import type { Path } from "./operation.ts";
import type { OperationList } from "./operation-list.ts";
import type { Scope } from "./scope.ts";

export type AnyKind = Kind<unknown, unknown, unknown>;

export interface DraftNode {
  /** Whether a reader sees anything here. */
  readonly isPresent: boolean;
  /** Forgets this turn's changes here and below. */
  reset(): void;
  /** Appends what this turn does here. `sequence`: of the commit in the making. */
  collect(operations: OperationList, sequence: number): void;
  /** The plain value, this turn's changes included. */
  plain(): Value | undefined;
  /** What users hold. */
  handle(isWritable: boolean): unknown;
}

/** What holds children: a map, or the fields of the entity. */
export interface Container {
  committedChild(key: string): StateNode | undefined;
}

/** Where a node is. */
export class Place {
  readonly scope: Scope;
  readonly kind: AnyKind;
  readonly path: Path;
  readonly #container: Container | undefined;

  /** @param container `undefined` for a field. */
  constructor(scope: Scope, kind: AnyKind, path: Path, container: Container | undefined) {
    this.scope = scope;
    this.kind = kind;
    this.path = path;
    this.#container = container;
  }

  /** The committed node as this turn sees it: nothing once the turn has deleted what it is in. */
  committed(): StateNode | undefined {
    const key = this.path[this.path.length - 1]!;
    if (this.#container === undefined) return this.scope.committed(key);
    return this.#container.committedChild(key);
  }

  /** The field and keys, for messages. */
  get label(): string {
    const [field, ...keys] = this.path;
    return [field!.slice(field!.indexOf("/") + 1), ...keys].join(".");
  }
}
