/**
 * One entity: the replicated state of one key of one function, its envelope included. It describes
 * itself: applying, merging, encoding and digesting need no function definition, so owners hold
 * entities of functions that they do not know.
 *
 * State is a function of the *set* of commits that were applied (`README.md`, "Laws"):
 *
 * - each commit is one dot (writer, sequence), and its operations say what they had seen;
 * - contents belong to one generation; (generation, dead) is ordered lexicographically, the higher
 *   wins and starts empty, so a delete beats what is concurrent with it;
 * - dedupe table and outbox outlive deletes: they tell of calls, not of contents.
 */
import { hash53 } from "../codec/hash53.ts";
import { assert } from "../model/assert.ts";
import type { EntityName, WriterId } from "../model/ids.ts";
import type { HybridTime } from "../model/time.ts";
import type { VersionVector } from "../model/version-vector.ts";
import { CausalVector } from "./causal-vector.ts";
import { winner } from "./cell-entry.ts";
import { StateCommit } from "./commit.ts";
import type { CommitLike } from "./commit-like.ts";
import { Contents } from "./contents.ts";
import { DedupeTable } from "./dedupe.ts";
import { asCell } from "./dict-node.ts";
import { entityDigest } from "./digest.ts";
import { DocumentSection } from "./document-section.ts";
import { readImage, writeImage } from "./entity-image.ts";
import type { EntityParts } from "./entity-parts.ts";
import { expiryField } from "./field-tag.ts";
import { performCommit, settleDeferred } from "./operation-effects.ts";
import { Outbox } from "./outbox.ts";
import { Postponed } from "./postponed.ts";

const noOutbox = new Outbox();
const noDedupe = new DedupeTable();
/** Estimated bytes of an entity that holds nothing. */
const envelopeBytes = 64;

export class Entity {
  readonly name: EntityName;
  readonly #parts: EntityParts;

  private constructor(name: EntityName, parts: EntityParts) {
    this.name = name;
    this.#parts = parts;
  }

  /** An entity without any commit. */
  static create(name: EntityName): Entity {
    return new Entity(name, {
      mark: 0,
      hybridTime: 0,
      vector: new CausalVector(),
      contents: new Contents(),
      dedupe: undefined,
      outbox: undefined,
      documents: undefined,
      postponed: undefined,
    });
  }

  /** @throws LatticeError `incompatible` when `image` is not what `encode` makes. */
  static decode(name: EntityName, image: Uint8Array): Entity {
    return new Entity(name, readImage(name, image));
  }

  /** The whole entity as bytes of its own; equal entities may differ in it, see `contentHash`. */
  encode(): Uint8Array {
    return writeImage(this.#parts, false);
  }

  /** A copy that is independent from now on; costs little, both sides copy what they change. */
  clone(): Entity {
    const { contents, vector, dedupe, outbox, documents, postponed } = this.#parts;
    return new Entity(this.name, {
      ...this.#parts,
      vector: vector.clone(),
      contents: contents.clone(),
      dedupe: dedupe?.clone(),
      outbox: outbox?.clone(),
      documents: documents?.clone(),
      postponed: postponed?.clone(),
    });
  }

  /**
   * Applies a commit once. One that comes before an earlier one of its writer is held until then,
   * and not included before.
   *
   * @returns false when it was known already
   * @throws LatticeError `incompatible` when it cannot be read: then nothing is applied; `overloaded`
   * when too many commits wait for earlier ones: then the sender should send a whole copy
   */
  apply(commit: CommitLike): boolean {
    const parts = this.#parts;
    assert(commit.entity === this.name, "a commit goes to its own entity");
    const known = parts.vector.get(commit.writer);
    if (commit.sequence <= known) return false;
    const decoded = StateCommit.decode(commit);
    parts.postponed?.checkRoom(this.name);
    if (commit.sequence > known + 1) {
      parts.postponed ??= new Postponed();
      return parts.postponed.hold(decoded);
    }
    performCommit(this.name, parts, decoded);
    if (parts.postponed !== undefined) this.#settle(parts.postponed);
    return true;
  }

  /** Joins another copy of this entity: the result holds the commits of both. */
  merge(other: Entity): void {
    assert(other.name === this.name, "an entity merges with copies of itself");
    if (other === this) return;
    const mine = this.#parts;
    const theirs = other.#parts;
    this.#mergeContents(theirs);
    mergeEnvelopes(mine, theirs);
    mine.hybridTime = Math.max(mine.hybridTime, theirs.hybridTime);
    mine.vector.join(theirs.vector);
    if (theirs.postponed !== undefined) {
      mine.postponed ??= new Postponed();
      mine.postponed.merge(theirs.postponed, theirs.mark >= mine.mark);
    }
    if (mine.postponed !== undefined) this.#settle(mine.postponed);
  }

  /**
   * Joins a whole encoded copy; false when it brought nothing new.
   *
   * @throws LatticeError `incompatible` when `image` is not what `encode` makes.
   */
  join(image: Uint8Array): boolean {
    const before = this.digest;
    this.merge(Entity.decode(this.name, image));
    return this.digest !== before;
  }

  /** Which commits are in; a new map with every call. */
  get vector(): VersionVector {
    return this.#parts.vector.toMap();
  }

  includes(writer: WriterId, sequence: number): boolean {
    return this.#parts.vector.covers(writer, sequence);
  }

  /** The highest sequence number of `writer` that is in; 0 for none. */
  sequenceOf(writer: WriterId): number {
    return this.#parts.vector.get(writer);
  }

  /** Covers name, generation, dead and version vector; sum up with `addDigest` (`digest.ts`). */
  get digest(): number {
    return entityDigest(this.name, this.#parts.mark, this.#parts.vector.pairs);
  }

  /**
   * A 53-bit hash of all that the entity holds. Equal vectors must give equal hashes; if they do not,
   * something has gone wrong with the copies.
   *
   * @throws LatticeError `failed_precondition` when it holds documents and Yjs is not loaded
   */
  contentHash(): number {
    const image = hash53(writeImage(this.#parts, true));
    return hash53(`${String(image)} ${String(this.#parts.documents?.contentHash() ?? 0)}`);
  }

  /** Estimated encoded bytes. */
  get byteSize(): number {
    const { contents, dedupe, outbox, documents } = this.#parts;
    const envelope = envelopeBytes + (dedupe?.bytes ?? 0) + (outbox?.bytes ?? 0);
    return envelope + contents.bytes + (documents?.bytes ?? 0);
  }

  /** Whether it was deleted and not written since. */
  get dead(): boolean {
    return this.#parts.mark % 2 === 1;
  }

  /** Rises when a deleted entity is written again. */
  get generation(): number {
    return Math.floor(this.#parts.mark / 2);
  }

  /** Of the newest commit. */
  get hybridTime(): HybridTime {
    return this.#parts.hybridTime;
  }

  /** When it expires; `undefined`: never. Only a primary turns expiry into a delete. */
  get expireAt(): HybridTime | undefined {
    const cell = asCell(this.#parts.contents.get(expiryField));
    const value = cell === undefined ? 0 : winner(cell).value;
    return typeof value === "number" && value > 0 ? value : undefined;
  }

  /** Read it, do not change it: only commits do. */
  get dedupe(): Omit<DedupeTable, "record" | "forget" | "merge"> {
    return this.#parts.dedupe ?? noDedupe;
  }

  /** Read it, do not change it: only commits do. */
  get outbox(): Pick<Outbox, "entries" | "failed" | "bytes" | "get"> {
    return this.#parts.outbox ?? noOutbox;
  }

  /** Lets go of the parsed document, which is made from bytes again when needed. */
  passivate(): void {
    this.#parts.documents?.passivate();
  }

  /** (generation, dead) as one number that compares as it should. For drafts. */
  get mark(): number {
    return this.#parts.mark;
  }

  /** The scalar fields. For drafts and views: not to be changed. */
  get contents(): Pick<Contents, "get" | "at" | "bytes" | "entries" | "fieldCount"> {
    return this.#parts.contents;
  }

  /** The causal context. For drafts: not to be changed. */
  get context(): Pick<CausalVector, "pairs" | "get" | "covers"> {
    return this.#parts.vector;
  }

  /** The document section; an empty one when there is none. For drafts and views. */
  get documents(): Pick<DocumentSection, "text" | "length" | "take" | "bytes" | "updates"> {
    return this.#parts.documents ?? new DocumentSection(this.name);
  }

  #mergeContents(theirs: EntityParts): void {
    const mine = this.#parts;
    if (theirs.mark > mine.mark) {
      mine.mark = theirs.mark;
      mine.contents = theirs.contents.clone();
      mine.documents = theirs.documents?.clone();
      mine.postponed?.dropRemovals();
    } else if (theirs.mark === mine.mark) {
      mine.contents.merge(mine.vector, theirs.contents, theirs.vector);
      if (theirs.documents !== undefined) {
        mine.documents ??= new DocumentSection(this.name);
        mine.documents.merge(theirs.documents);
      }
    }
  }

  #settle(postponed: Postponed): void {
    const parts = this.#parts;
    settleDeferred(parts, postponed);
    postponed.dropCovered(parts.vector);
    for (;;) {
      const next = postponed.takeNext(parts.vector);
      if (next === undefined) break;
      performCommit(this.name, parts, next);
      settleDeferred(parts, postponed);
    }
    if (postponed.isEmpty) parts.postponed = undefined;
  }
}

/** Joins what outlives generations. */
function mergeEnvelopes(mine: EntityParts, theirs: EntityParts): void {
  if (mine.dedupe !== undefined || theirs.dedupe !== undefined) {
    mine.dedupe ??= new DedupeTable();
    mine.dedupe.merge(mine.vector, theirs.dedupe ?? noDedupe, theirs.vector);
  }
  if (mine.outbox !== undefined || theirs.outbox !== undefined) {
    mine.outbox ??= new Outbox();
    mine.outbox.merge(mine.vector, theirs.outbox ?? noOutbox, theirs.vector);
  }
}
