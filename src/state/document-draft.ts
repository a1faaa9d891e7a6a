/**
 * The document of an entity in a turn: a working document that takes the turn's edits. Every edit
 * yields an update; together they are the turn's one update. (The difference of state vectors would
 * carry the delete set of the document's whole life instead of the turn's.)
 */
import { LatticeError } from "../model/error.ts";
import type { WriterId } from "../model/ids.ts";
import { documentBytesMax } from "./document-section.ts";
import type { DocumentSection, WorkingDocument } from "./document-section.ts";
import { requireYjs } from "./yjs.ts";

export class DocumentDraft {
  readonly working: WorkingDocument;
  readonly #name: string;
  readonly #bytesBefore: number;
  readonly #updates: Uint8Array[] = [];
  readonly #collect = (update: Uint8Array): void => void this.#updates.push(update);

  /**
   * @param section what it begins with; its parsed document is taken over for this turn
   * @param writer becomes the Yjs client id. Yjs draws 32 bits by itself; 53 work throughout 13.6
   */
  constructor(name: string, section: Pick<DocumentSection, "take" | "bytes">, writer: WriterId) {
    this.#name = name;
    this.#bytesBefore = section.bytes;
    this.working = section.take();
    this.working.document.clientID = writer;
    this.working.document.on("update", this.#collect);
  }

  text(field: string): string {
    return this.working.document.getText(field).toJSON();
  }

  length(field: string): number {
    return this.working.document.getText(field).length;
  }

  insert(field: string, index: number, text: string): void {
    this.working.document.getText(field).insert(index, text);
  }

  delete(field: string, index: number, length: number): void {
    this.working.document.getText(field).delete(index, length);
  }

  /**
   * The turn's one update, or `undefined` when nothing was edited. No edits after this.
   *
   * @throws LatticeError `too_large`
   */
  finish(): Uint8Array | undefined {
    this.working.document.off("update", this.#collect);
    const [first] = this.#updates;
    if (first === undefined) return undefined;
    const update = this.#updates.length === 1 ? first : requireYjs().mergeUpdates(this.#updates);
    const bytes = this.#bytesBefore + update.length;
    if (bytes > documentBytesMax) {
      const most = documentBytesMax.toLocaleString("en-US");
      const what = `its document would take ${bytes.toLocaleString("en-US")} of ${most} bytes`;
      throw new LatticeError("too_large", `${this.#name}: ${what}; spread it over more keys`);
    }
    return update;
  }
}
