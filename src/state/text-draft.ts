/** A text field in a turn. Reading shares the committed document, the first edit makes its own. */
import type { Text } from "../definition/kinds.ts";
import { LatticeError } from "../model/error.ts";
import type { Value } from "../model/value.ts";
import { DocumentDraft } from "./document-draft.ts";
import { DocumentSection } from "./document-section.ts";
import type { DraftNode, Place } from "./draft-node.ts";

export class TextDraft implements DraftNode {
  readonly place: Place;
  readonly name: string;

  constructor(place: Place) {
    this.place = place;
    this.name = place.label;
  }

  get isPresent(): boolean {
    return this.length > 0;
  }

  get length(): number {
    return this.#source().length(this.name);
  }

  /** The document to edit. */
  open(): DocumentDraft {
    const { scope } = this.place;
    if (scope.document === undefined) {
      const { entity, writer, isDeleted } = scope;
      const section = isDeleted ? new DocumentSection(entity.name) : entity.documents;
      scope.document = new DocumentDraft(entity.name, section, writer);
    }
    return scope.document;
  }

  /** The scope drops the whole document. */
  reset(): void {
    this.place.scope.document = undefined;
  }

  /** The scope's document is one change for all texts; the draft collects it. */
  collect(): void {
    return;
  }

  plain(): Value {
    return this.#source().text(this.name);
  }

  handle(isWritable: boolean): Text {
    return new TextHandle(this, isWritable);
  }

  #source(): Pick<DocumentDraft, "text" | "length"> {
    const { scope } = this.place;
    if (scope.document !== undefined) return scope.document;
    return scope.isDeleted ? this.open() : scope.entity.documents;
  }
}

class TextHandle implements Text {
  readonly #draft: TextDraft;
  readonly #isWritable: boolean;

  constructor(draft: TextDraft, isWritable: boolean) {
    this.#draft = draft;
    this.#isWritable = isWritable;
  }

  get length(): number {
    this.#draft.place.scope.checkReadable();
    return this.#draft.length;
  }

  toString(): string {
    this.#draft.place.scope.checkReadable();
    return this.#draft.plain() as string;
  }

  insert(index: number, text: string): void {
    this.#draft.place.scope.checkWritable(this.#isWritable);
    if (typeof text !== "string") throw this.#refusal(`cannot insert a ${typeof text}`);
    const document = this.#draft.open();
    this.#checkRange(index, 0);
    if (text.length > 0) document.insert(this.#draft.name, index, text);
  }

  delete(index: number, length: number): void {
    this.#draft.place.scope.checkWritable(this.#isWritable);
    const document = this.#draft.open();
    this.#checkRange(index, length);
    if (length > 0) document.delete(this.#draft.name, index, length);
  }

  #checkRange(index: number, length: number): void {
    const most = this.#draft.length;
    const isRange = Number.isInteger(index) && Number.isInteger(length) && index >= 0;
    if (isRange && length >= 0 && index + length <= most) return;
    const range = `${String(index)} … ${String(index + length)}`;
    throw this.#refusal(`${range} is outside of the text, which has ${String(most)} characters`);
  }

  #refusal(problem: string): LatticeError {
    return new LatticeError("invalid_argument", `${this.#draft.place.label}: ${problem}`);
  }
}
