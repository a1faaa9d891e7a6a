/**
 * The document section of an entity: one Yjs document whose root types are its text fields.
 *
 * It is kept as bytes, a base and what came after it, because a backup never needs more: a change
 * costs it an append. The document is parsed when somebody reads or edits it and dropped again by
 * `passivate`. Only V1 updates: `mergeUpdatesV2` hangs on some inputs in Yjs 13.6.
 *
 * A turn edits a *working document*: it takes the parsed document away from here (`take`), and
 * either its commit gives it back changed (`apply` with `working`) or it is thrown away.
 */
import type { Doc } from "yjs";
import { hash53 } from "../codec/hash53.ts";
import { LatticeError } from "../model/error.ts";
import { loadedYjs, requireYjs } from "./yjs.ts";

/** Beyond this many updates they are merged into one. */
const updatesMax = 64;
export const documentBytesMax = 4 * 1024 * 1024;

/** A document that a turn edits, and the state of the section that it was made from. */
export interface WorkingDocument {
  readonly document: Doc;
  readonly section: DocumentSection;
  readonly version: number;
}

export class DocumentSection {
  readonly #guid: string;
  #updates: readonly Uint8Array[] = [];
  #bytes = 0;
  /** Counts changes, so that a working document is only taken back by what it was made from. */
  #version = 0;
  #document: Doc | undefined;

  /** @param guid name of the Yjs document; given, because Yjs's own would be random */
  constructor(guid: string) {
    this.#guid = guid;
  }

  /** Makes a section of stored updates, without reading them. */
  static of(guid: string, updates: readonly Uint8Array[]): DocumentSection {
    const section = new DocumentSection(guid);
    section.#updates = updates;
    section.#bytes = updates.reduce((sum, update) => sum + update.length, 0);
    return section;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get updates(): readonly Uint8Array[] {
    return this.#updates;
  }

  /** Appends one V1 update; `working` already holds it. */
  apply(update: Uint8Array, working: WorkingDocument | undefined): void {
    const isCurrent = working?.section === this && working.version === this.#version;
    this.#append(update);
    if (isCurrent) {
      this.#document = working.document;
    } else if (this.#document !== undefined) {
      applyUpdate(this.#document, update);
    }
    if (this.#updates.length > updatesMax) this.#compact();
  }

  /** The text field `name` as plain text. */
  text(name: string): string {
    return this.#isBlank() ? "" : this.#open().getText(name).toJSON();
  }

  length(name: string): number {
    return this.#isBlank() ? 0 : this.#open().getText(name).length;
  }

  /** Gives the document away for one turn. */
  take(): WorkingDocument {
    const document = this.#open();
    this.#document = undefined;
    return { document, section: this, version: this.#version };
  }

  /** Goes back to bytes. */
  passivate(): void {
    this.#document?.destroy();
    this.#document = undefined;
  }

  /** Joins another copy; Yjs drops what it has twice. */
  merge(other: DocumentSection): void {
    const known = new Set(this.#updates.map(fingerprint));
    for (const update of other.#updates) {
      if (!known.has(fingerprint(update))) this.apply(update, undefined);
    }
  }

  clone(): DocumentSection {
    const copy = new DocumentSection(this.#guid);
    copy.#updates = this.#updates;
    copy.#bytes = this.#bytes;
    return copy;
  }

  /**
   * A hash of what the document holds, deletes included: state vector, delete set and texts. The
   * encoded form itself depends on the order in which updates came.
   */
  contentHash(): number {
    if (this.#updates.length === 0) return 0;
    const yjs = requireYjs();
    const document = this.#open();
    const vector = [...yjs.decodeStateVector(yjs.encodeStateVector(document))];
    const deletes = [...yjs.createDeleteSetFromStructStore(document.store).clients];
    const texts = [...document.share.keys()].sort().map((name) => {
      const delta: unknown = document.getText(name).toDelta();
      return [name, delta];
    });
    const byClient = (a: readonly [number, unknown], b: readonly [number, unknown]): number =>
      a[0] - b[0];
    const whole = [vector.sort(byClient), deletes.sort(byClient), texts];
    return hash53(JSON.stringify(whole));
  }

  #open(): Doc {
    if (this.#document !== undefined) return this.#document;
    const yjs = requireYjs();
    const document = new yjs.Doc({ guid: this.#guid });
    // A document that is only read has an id that no writer has: Yjs draws a new one at random when
    // it sees its own in an update.
    document.clientID = 0;
    try {
      for (const update of this.#updates) yjs.applyUpdate(document, update);
    } catch (cause) {
      const message = `the document of ${this.#guid} cannot be read: its bytes are not a Yjs update`;
      throw new LatticeError("incompatible", message, { cause });
    }
    this.#document = document;
    return document;
  }

  /** Nothing to parse, and so no need of Yjs. */
  #isBlank(): boolean {
    return this.#updates.length === 0;
  }

  #append(update: Uint8Array): void {
    this.#updates = [...this.#updates, update];
    this.#bytes += update.length;
    this.#version += 1;
  }

  #compact(): void {
    const yjs = loadedYjs();
    if (yjs === undefined) return;
    const merged =
      this.#document === undefined
        ? yjs.mergeUpdates([...this.#updates])
        : yjs.encodeStateAsUpdate(this.#document);
    this.#updates = [merged];
    this.#bytes = merged.length;
  }
}

/** Whether Yjs can read the structure of `update`; where Yjs is not loaded nobody looks at it. */
export function isUpdate(update: Uint8Array): boolean {
  try {
    loadedYjs()?.parseUpdateMeta(update);
    return true;
  } catch {
    return false;
  }
}

function applyUpdate(document: Doc, update: Uint8Array): void {
  document.clientID = 0;
  try {
    requireYjs().applyUpdate(document, update);
  } catch (cause) {
    throw new LatticeError("incompatible", "a change of a document is not a Yjs update", { cause });
  }
}

function fingerprint(update: Uint8Array): string {
  return `${String(update.length)}:${String(hash53(update))}`;
}
