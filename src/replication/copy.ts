/**
 * One process's copy of a partition: the known-committed part of every entity, and above it the
 * *tail*, commits whose place is known but not their fate. Watchers and replica reads see the first,
 * degraded service begins at it, and a new primary takes both.
 *
 *   entities ──────────────▶ committed (a count) ── tail ──▶ position
 *
 * For partial images the copy remembers in which stream and where each entity was touched last, and
 * through which streams (*lineage*) its history ran.
 */
import type { EntityName, ProcessId } from "../model/ids.ts";
import { compareTerms, sameTerm } from "../model/term.ts";
import type { Term } from "../model/term.ts";
import type {
  Commit,
  CopyImage,
  Owners,
  StreamPosition,
  TailCommit,
} from "../wire/replication-messages.ts";
import { Lineage } from "./lineage.ts";
import { settledOwners } from "./owner-sets.ts";
import type { EntityFactory, ReplicatedEntity } from "./replicated-entity.ts";
import { Slot } from "./slot.ts";
import { limits } from "./timing.ts";

export class Copy<E extends ReplicatedEntity<E>> {
  readonly #factory: EntityFactory<E>;
  readonly #lineage: Lineage;
  #genesis: string;
  #slots = new Map<EntityName, Slot<E>>();
  /** The one that was touched last. */
  #latest: Slot<E> | undefined = undefined;
  #tail: TailCommit[] = [];
  #tailHead = 0;
  #synced: Term;
  #position = 0;
  #committed = 0;
  #owners: Owners;
  #newMark = 0;

  /** An empty copy at the base of a partition's first term (rule 19). */
  constructor(factory: EntityFactory<E>, genesis: string, term: Term, owner: ProcessId) {
    this.#factory = factory;
    this.#genesis = genesis;
    this.#synced = term;
    this.#owners = { processes: [owner], position: 0, previous: [] };
    this.#lineage = new Lineage(term, 0);
  }

  static fromImage<E extends ReplicatedEntity<E>>(
    factory: EntityFactory<E>,
    image: CopyImage,
  ): Copy<E> {
    const copy = new Copy(factory, image.genesis, image.synced, image.synced.process);
    copy.install(image);
    return copy;
  }

  get genesis(): string {
    return this.#genesis;
  }
  /** Term whose base this copy was installed in. */
  get synced(): Term {
    return this.#synced;
  }
  /** Last stream position applied; 0 is the base. */
  get position(): number {
    return this.#position;
  }
  /** Positions below it are known to be committed; 0: not even the base. */
  get committed(): number {
    return this.#committed;
  }
  get owners(): Owners {
    return this.#owners;
  }
  /** See `CopyImage.newMark`. */
  get newMark(): number {
    return this.#newMark;
  }
  /** Where this copy stands. */
  get at(): StreamPosition {
    return { synced: this.#synced, position: this.#position };
  }
  /** Commits that are not known to be committed. */
  get tailCount(): number {
    return this.#tail.length - this.#tailHead;
  }
  get isEmpty(): boolean {
    return this.#slots.size === 0;
  }
  /** Everything that has a commit, committed or not. */
  entityNames(): IterableIterator<EntityName> {
    return this.#slots.keys();
  }
  /** The known-committed form; never to be written by others. */
  entity(name: EntityName): E | undefined {
    return this.#slots.get(name)?.committed;
  }
  /** The place of an entity that has a commit, committed or not. */
  slot(name: EntityName): Slot<E> | undefined {
    return this.#slots.get(name);
  }
  slots(): ReadonlyMap<EntityName, Slot<E>> {
    return this.#slots;
  }
  /** Not known to be committed, in stream order. */
  tail(): readonly TailCommit[] {
    return this.#tailHead === 0 ? this.#tail : this.#tail.slice(this.#tailHead);
  }

  /** Order-free sum over the known-committed entities; equal for equal sets of commits. */
  digest(): number {
    let sum = 0;
    for (const [name, { committed }] of this.#slots) {
      if (committed !== undefined) sum = addModulo(sum, mix(hashOf(name), committed.digest));
    }
    return sum;
  }

  /** The same of what is in them, for those whose names fall into one of `contentShares` shares. */
  contentOf(share: number): number {
    let sum = 0;
    for (const [name, { committed }] of this.#slots) {
      if (committed === undefined) continue;
      const hash = hashOf(name);
      if (hash % limits.contentShares === share)
        sum = addModulo(sum, mix(hash, committed.stateHash()));
    }
    return sum;
  }

  /** Takes the next position for a commit; it stays in the tail until `advance` passes it. */
  append(commit: Commit): Slot<E> {
    this.#position++;
    const slot = this.#touch(commit.entity);
    this.#tail.push({ position: this.#position, commit });
    return slot;
  }

  /** Takes the next position for a commit that is committed by being there: a single owner's. */
  appendCommitted(commit: Commit): void {
    const slot = this.#touch(commit.entity);
    if (commit.kind !== "reap") {
      this.appendCommittedTo(slot, commit);
      return;
    }
    this.#position++;
    this.#reap(commit.entity, slot, this.#position);
    this.#committed = this.#position + 1;
  }

  /** The same for an entity whose slot is known. */
  appendCommittedTo(slot: Slot<E>, commit: Commit): void {
    this.#position++;
    slot.touchedAt = this.#position;
    this.#latest = slot;
    // Mostly it is the same term, and then a write less into an old object.
    if (slot.touchedIn !== this.#synced) slot.touchedIn = this.#synced;
    this.#applyTo(slot, commit);
    this.#committed = this.#position + 1;
  }

  /** Takes the next position for nothing: what is behind it in time is behind it in the stream. */
  appendBarrier(): number {
    this.#position++;
    return this.#position;
  }

  /** Takes the next position for a change of the owner set. */
  appendOwners(owners: Owners): void {
    this.#position++;
    this.#owners = owners;
  }

  /** Positions below `count` are committed now; adds what that touched to `touched`. */
  advance(count: number, touched: EntityName[]): void {
    if (count <= this.#committed) return;
    if (this.#committed === 0) this.#lineage.inheritedIsCommitted();
    this.#committed = count;
    this.#owners = settledOwners(this.#owners, count);
    this.#applyTail(count, touched);
  }

  /** Becomes the base of a new term (rule 7): what is not known to be committed is so no more. */
  inherit(term: Term, owners: Owners): void {
    this.#lineage.begin(term, this.#position, this.#committed);
    this.#tail = this.tail().map(({ commit }) => ({ position: 0, commit }));
    this.#tailHead = 0;
    this.#synced = term;
    this.#position = 0;
    this.#committed = 0;
    this.#owners = owners;
  }

  /** The image that brings a copy that stands at `have` to this one; whole when that is not known. */
  image(have: StreamPosition | undefined): CopyImage {
    const from = have && this.#lineage.sharedWith(have, this.#committed);
    const entities = [];
    for (const [name, slot] of this.#slotsSince(from)) {
      if (slot.committed === undefined) continue;
      if (from === undefined || touchedAfter(slot, from)) {
        entities.push({ name, image: slot.committed.encode() });
      }
    }
    return {
      genesis: this.#genesis,
      synced: this.#synced,
      position: this.#position,
      committed: this.#committed,
      owners: this.#owners,
      newMark: this.#newMark,
      entities,
      tail: this.tail().slice(),
      from,
    };
  }

  /** Among which are all that were touched after `from`: mostly none, which costs no pass. */
  #slotsSince(from: StreamPosition | undefined): Iterable<[EntityName, Slot<E>]> {
    const latest = this.#latest;
    if (from !== undefined && (latest === undefined || !touchedAfter(latest, from))) return [];
    return this.#slots;
  }

  /** Whether `install` may build upon what is here. */
  canInstall({ from }: CopyImage): boolean {
    if (from === undefined) return true;
    return sameTerm(this.#synced, from.synced) && this.#position >= from.position;
  }

  /**
   * Replaces this copy by an image (rule 2): an entity that differs becomes the sender's, one that the
   * sender lacks is dropped. Adds what changed to `touched`, or returns true when anything may have.
   */
  install(image: CopyImage, touched: EntityName[] = []): boolean {
    const { from } = image;
    const mayHaveUnborn = this.tailCount > 0;
    const goesOn = sameTerm(this.#synced, image.synced);
    const known = goesOn ? Math.max(this.#committed, image.committed) : image.committed;
    if (from === undefined) {
      this.#slots = new Map();
      this.#lineage.restart(image.synced, image.position);
    } else {
      this.#applyTail(from.committed, touched);
      if (!goesOn) this.#lineage.begin(image.synced, from.position, from.committed);
      if (!goesOn && image.committed > 0) this.#lineage.inheritedIsCommitted();
    }
    this.#genesis = image.genesis;
    this.#synced = image.synced;
    this.#position = image.position;
    this.#committed = image.committed;
    this.#owners = image.owners;
    this.#newMark = image.newMark;
    this.#tail = image.tail.slice();
    this.#tailHead = 0;
    for (const { name, image: bytes } of image.entities) {
      this.#touch(name).committed = this.#factory.decode(name, bytes);
      touched.push(name);
    }
    for (const { commit } of image.tail) this.#touch(commit.entity);
    if (mayHaveUnborn) this.#dropUnborn();
    this.advance(known, touched);
    return from === undefined;
  }

  /** Drops entities that only had commits which are no more. */
  #dropUnborn(): void {
    let born: Set<EntityName> | undefined;
    for (const [name, slot] of this.#slots) {
      if (slot.committed !== undefined) continue;
      born ??= new Set(this.#tail.map(({ commit }) => commit.entity));
      if (!born.has(name)) this.#slots.delete(name);
    }
  }

  #touch(name: EntityName): Slot<E> {
    let slot = this.#slots.get(name);
    if (slot === undefined) {
      slot = new Slot(this.#synced, this.#position);
      this.#slots.set(name, slot);
    } else {
      slot.touchedIn = this.#synced;
      slot.touchedAt = this.#position;
    }
    this.#latest = slot;
    return slot;
  }

  #applyTail(count: number, touched: EntityName[]): void {
    const tail = this.#tail;
    while (this.#tailHead < tail.length) {
      const next = tail[this.#tailHead]!;
      if (next.position >= count) break;
      this.#tailHead++;
      this.#applyCommitted(next.commit, next.position);
      touched.push(next.commit.entity);
    }
    if (this.#tailHead === tail.length) {
      tail.length = 0;
      this.#tailHead = 0;
    } else if (this.#tailHead > 1024) {
      tail.splice(0, this.#tailHead);
      this.#tailHead = 0;
    }
  }

  #applyCommitted(commit: Commit, position: number): void {
    const slot = this.#slots.get(commit.entity) ?? this.#touch(commit.entity);
    if (commit.kind === "reap") this.#reap(commit.entity, slot, position);
    else this.#applyTo(slot, commit);
  }

  #applyTo(slot: Slot<E>, commit: Commit): void {
    slot.committed ??= this.#factory.create(commit.entity);
    addCommit(slot.committed, commit);
  }

  /**
   * Forgets an entity. An image names what was touched and not what is no more, so it builds upon no
   * copy that may still hold it.
   */
  #reap(name: EntityName, slot: Slot<E>, position: number): void {
    this.#newMark = Math.max(this.#newMark, (slot.committed?.mark ?? 0) + 1);
    slot.committed = undefined;
    slot.endService();
    this.#lineage.restart(this.#synced, position);
    const isBornAnew = this.tail().some(({ commit }) => commit.entity === name);
    if (!isBornAnew) this.#slots.delete(name);
  }
}

/** Adds a commit, whichever kind it is, to an entity; false when it brought nothing new. */
export function addCommit<E extends ReplicatedEntity<E>>(entity: E, commit: Commit): boolean {
  return commit.kind === "whole" ? entity.join(commit.delta) : entity.apply(commit);
}

function touchedAfter<E>(slot: Slot<E>, at: StreamPosition): boolean {
  const order = compareTerms(slot.touchedIn, at.synced);
  return order > 0 || (order === 0 && slot.touchedAt > at.position);
}

/** Sum modulo 2^53 − 1 that never leaves the exact integers: rounding would depend on the order. */
function addModulo(a: number, b: number): number {
  const room = Number.MAX_SAFE_INTEGER - a;
  return b < room ? a + b : b - room;
}

/** FNV-1a. */
function hashOf(name: EntityName): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) {
    hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  }
  return hash >>> 0;
}

/** A name's hash with its entity's digest, so that swapped contents show. */
function mix(nameHash: number, digest: number): number {
  return (nameHash * 2_097_151 + digest) % Number.MAX_SAFE_INTEGER;
}
