/**
 * What all parts of one draft or view share: the entity beneath, who writes, and whether writing or
 * even reading is (still) allowed.
 */
import { LatticeError } from "../model/error.ts";
import type { WriterId } from "../model/ids.ts";
import type { StateNode } from "./dict-node.ts";
import type { DocumentDraft } from "./document-draft.ts";
import type { Entity } from "./entity.ts";

/** Encoded bytes of an entity's scalars. */
export const scalarBytesMax = 1024 * 1024;

export class Scope {
  readonly entity: Entity;
  readonly writer: WriterId;
  /** The document as this turn sees it; made when a text is first written. */
  document: DocumentDraft | undefined;
  /** Whether this turn has deleted the entity: then it begins empty. */
  isDeleted = false;
  #isRevoked = false;
  #growth = 0;

  constructor(entity: Entity, writer: WriterId) {
    this.entity = entity;
    this.writer = writer;
  }

  /** An upper bound of what this turn's writes add to the scalars, in estimated bytes. */
  get growth(): number {
    return this.#growth;
  }

  /** The committed field, before this turn. */
  committed(field: string): StateNode | undefined {
    return this.isDeleted ? undefined : this.entity.contents.get(field);
  }

  /** @throws LatticeError `cancelled` after `revoke`. */
  checkReadable(): void {
    if (!this.#isRevoked) return;
    throw new LatticeError(
      "cancelled",
      `${this.entity.name}: this turn is over; its state cannot be used any more`,
    );
  }

  /** @throws LatticeError `cancelled` after `revoke`, `failed_precondition` through a view */
  checkWritable(isWritable: boolean): void {
    this.checkReadable();
    if (isWritable) return;
    throw new LatticeError(
      "failed_precondition",
      `${this.entity.name}: queries cannot write; change state in a handler`,
    );
  }

  /** Counts what a write adds. @throws LatticeError `too_large` when one turn writes too much. */
  grow(bytes: number): void {
    this.#growth += bytes;
    if (this.#growth > scalarBytesMax) throw tooLarge(this.entity.name, this.#growth);
  }

  /** Ends all use. */
  revoke(): void {
    this.#isRevoked = true;
  }
}

export function tooLarge(name: string, bytes: number): LatticeError {
  const most = scalarBytesMax.toLocaleString("en-US");
  const what = `its state would take ${bytes.toLocaleString("en-US")} of ${most} bytes`;
  return new LatticeError("too_large", `${name}: ${what}; spread it over more keys`);
}
