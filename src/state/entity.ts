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
import { mergeParts, settle } from "./entity-merge.ts";
import type { EntityParts, StoredParts } from "./entity-parts.ts";
import { expiryField, timersField } from "./field-tag.ts";
import { highHalf, joinHalves, lowHalf } from "./halves.ts";
import { performCommit } from "./operation-effects.ts";
import { Outbox } from "./outbox.ts";
import { Postponed } from "./postponed.ts";
import { timersIn } from "./timers.ts";
import type { EntityTimer } from "./timers.ts";

const noOutbox = new Outbox();
const noDedupe = new DedupeTable();
/** Estimated bytes of an entity that holds nothing. */
const envelopeBytes = 64;

export class Entity implements EntityParts {
  readonly name: EntityName;
  // The parts: see `entity-parts.ts`.
  readonly mark: number;
  readonly context: CausalVector;
  readonly contents: Contents;
  readonly dedupeIfAny: DedupeTable | undefined;
  readonly outboxIfAny: Outbox | undefined;
  readonly documentsIfAny: DocumentSection | undefined;
  readonly postponed: Postponed | undefined;
  #timeHigh: number;
  #timeLow: number;

  private constructor(name: EntityName, parts: StoredParts) {
    this.name = name;
    this.mark = parts.mark;
    this.context = parts.context;
    this.contents = parts.contents;
    this.dedupeIfAny = parts.dedupeIfAny;
    this.outboxIfAny = parts.outboxIfAny;
    this.documentsIfAny = parts.documentsIfAny;
    this.postponed = parts.postponed;
    this.#timeHigh = highHalf(parts.hybridTime);
    this.#timeLow = lowHalf(parts.hybridTime);
  }

  /**
   * An entity without any commit.
   * @param mark what its first commit is of: above those of what was reaped under this name
   */
  static create(name: EntityName, mark = 0): Entity {
    return new Entity(name, {
      mark,
      hybridTime: 0,
      context: new CausalVector(),
      contents: new Contents(),
      dedupeIfAny: undefined,
      outboxIfAny: undefined,
      documentsIfAny: undefined,
      postponed: undefined,
    });
  }

  /** @throws LatticeError `incompatible` when `image` is not what `encode` makes. */
  static decode(name: EntityName, image: Uint8Array): Entity {
    return new Entity(name, readImage(name, image));
  }

  /** The whole entity as bytes of its own; equal entities may differ in it, see `contentHash`. */
  encode(): Uint8Array {
    return writeImage(this, false);
  }

  /** Reads what a call as a rule needs, so that it is near; the number has no meaning. */
  fetch(): number {
    return this.contents.fetch() + this.context.get(0) + (this.dedupeIfAny?.fetch() ?? 0);
  }

  /** A copy that is independent from now on; costs little, both sides copy what they change. */
  clone(): Entity {
    return new Entity(this.name, {
      mark: this.mark,
      hybridTime: this.hybridTime,
      context: this.context.clone(),
      contents: this.contents.clone(),
      dedupeIfAny: this.dedupeIfAny?.clone(),
      outboxIfAny: this.outboxIfAny?.clone(),
      documentsIfAny: this.documentsIfAny?.clone(),
      postponed: this.postponed?.clone(),
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
    assert(commit.entity === this.name, "a commit goes to its own entity");
    const known = this.context.get(commit.writer);
    if (commit.sequence <= known) return false;
    // A follower gets again what it has applied, and its writer may have been retired by that.
    if (known === 0 && this.context.hasLeft(commit.writer)) return false;
    const decoded = StateCommit.decode(commit);
    this.postponed?.checkRoom(this.name);
    const follows = commit.sequence === known + 1 || (known === 0 && decoded.begins);
    if (!follows) return hold(this, decoded);
    performCommit(this, decoded);
    if (this.postponed !== undefined) settle(this, this.postponed);
    return true;
  }

  /** Joins another copy of this entity: the result holds the commits of both. */
  merge(other: Entity): void {
    assert(other.name === this.name, "an entity merges with copies of itself");
    if (other !== this) mergeParts(this, other);
  }

  /**
   * Joins a whole encoded copy of another birth; false when it brought nothing new. Other copies of
   * that birth may follow, so from now on it keeps all writers that it knows.
   *
   * @throws LatticeError `incompatible` when `image` is not what `encode` makes.
   */
  join(image: Uint8Array): boolean {
    const before = this.digest;
    this.merge(Entity.decode(this.name, image));
    this.context.keepAll();
    return this.digest !== before;
  }

  /** Which commits are in, those of retired writers apart; a new map with every call. */
  get vector(): VersionVector {
    return this.context.toMap();
  }

  /** Whether that commit is in; said of all that could be of a retired writer. */
  includes(writer: WriterId, sequence: number): boolean {
    return this.context.includes(writer, sequence);
  }

  /** The highest sequence number of `writer` that is in; 0 for none, and once it is retired. */
  sequenceOf(writer: WriterId): number {
    return this.context.get(writer);
  }

  /**
   * Covers name, generation, dead and version vector, with who has left it; sum up with `addDigest`
   * (`digest.ts`).
   */
  get digest(): number {
    const { pairs, past } = this.context;
    return entityDigest(this.name, this.mark, pairs, past?.digest);
  }

  /**
   * A 53-bit hash of all that the entity holds. Equal vectors must give equal hashes; if they do not,
   * something has gone wrong with the copies.
   *
   * @throws LatticeError `failed_precondition` when it holds documents and Yjs is not loaded
   */
  contentHash(): number {
    const documents = this.documentsIfAny?.contentHash() ?? 0;
    return hash53(`${String(this.stateHash())} ${String(documents)}`);
  }

  /** The same without documents, which would have to be parsed for it. */
  stateHash(): number {
    return hash53(writeImage(this, true));
  }

  /** Estimated encoded bytes. */
  get byteSize(): number {
    const envelope = envelopeBytes + this.dedupe.bytes + this.outbox.bytes;
    return envelope + this.contents.bytes + (this.documentsIfAny?.bytes ?? 0);
  }

  /** Estimated encoded bytes of the fields: of what users keep in it, and 0 once it is deleted. */
  get stateBytes(): number {
    return this.contents.bytes + (this.documentsIfAny?.bytes ?? 0);
  }

  /** Whether it was deleted and not written since. */
  get dead(): boolean {
    return this.mark % 2 === 1;
  }

  /**
   * Whether nobody can want to know of it any more: deleted before `time`, and nothing of it waits.
   * What its dedupe table still holds is older than that too, so `time` leaves callers enough of it.
   */
  mayBeReaped(time: HybridTime): boolean {
    if (!this.dead || this.hybridTime >= time) return false;
    return this.outbox.entries.length === 0 && this.postponed === undefined;
  }

  /** Rises when a deleted entity is written again. */
  get generation(): number {
    return Math.floor(this.mark / 2);
  }

  /** Of the newest commit. */
  get hybridTime(): HybridTime {
    return joinHalves(this.#timeHigh, this.#timeLow);
  }

  /** For this room's core. */
  raiseTime(time: HybridTime): void {
    if (time <= this.hybridTime) return;
    this.#timeHigh = highHalf(time);
    this.#timeLow = lowHalf(time);
  }

  /** When it expires; `undefined`: never. Only a primary turns expiry into a delete. */
  get expireAt(): HybridTime | undefined {
    const cell = asCell(this.contents.get(expiryField));
    const value = cell === undefined ? 0 : winner(cell).value;
    return typeof value === "number" && value > 0 ? value : undefined;
  }

  /** Handlers that are to be run later, the next one first. Costs a pass, and nothing if there are none. */
  get timers(): readonly EntityTimer[] {
    return timersIn(this.contents.get(timersField));
  }

  /** Read it, do not change it: only commits do. */
  get dedupe(): Omit<DedupeTable, "record" | "forget" | "merge"> {
    return this.dedupeIfAny ?? noDedupe;
  }

  /** Read it, do not change it: only commits do. */
  get outbox(): Pick<Outbox, "entries" | "failed" | "failures" | "bytes" | "get"> {
    return this.outboxIfAny ?? noOutbox;
  }

  /** Lets go of the parsed document, which is made from bytes again when needed. */
  passivate(): void {
    this.documentsIfAny?.passivate();
  }

  /** The document section; an empty one when there is none. For drafts and views. */
  get documents(): Pick<DocumentSection, "text" | "length" | "take" | "bytes" | "updates"> {
    return this.documentsIfAny ?? new DocumentSection(this.name);
  }
}

/** Keeps a commit until the ones before it are here. @returns false when it is held already */
function hold(parts: EntityParts, commit: StateCommit): boolean {
  parts.postponed ??= new Postponed();
  return parts.postponed.hold(commit);
}
