/**
 * The newest state of the entities of a primary: committed part plus tail. Handlers run on it. Most
 * entities have no tail at rest and then need one form only, which serves as both.
 *
 * The form that handlers were given keeps its identity when it moves ahead; the *committed* side gets
 * a clone. An entity in use keeps both forms, because cloning costs more than applying twice. A tip
 * stands in the slot of its entity, so that finding the one is finding the other; it belongs to the
 * reign that made it and goes with that.
 */
import { assert } from "../model/assert.ts";
import type { EntityName } from "../model/ids.ts";
import type { Commit } from "../wire/replication-messages.ts";
import type { Copy } from "./copy.ts";
import { addCommit } from "./copy.ts";
import type { EntityFactory, ReplicatedEntity } from "./replicated-entity.ts";
import type { Slot } from "./slot.ts";
import { limits } from "./timing.ts";

export class Tips<E extends ReplicatedEntity<E>> {
  readonly #factory: EntityFactory<E>;
  readonly #copy: Copy<E>;
  /** The slots that have a tip, in the order in which they got it. */
  readonly #ahead = new Map<EntityName, Slot<E>>();
  readonly #nascent = new Map<EntityName, E>();
  /** See `CopyImage.newMark`; of reapings that are in the tail. */
  #newMark = 0;

  /** Builds what the tail of `copy` asks for. */
  constructor(factory: EntityFactory<E>, copy: Copy<E>) {
    this.#factory = factory;
    this.#copy = copy;
    for (const { commit } of copy.tail()) this.apply(commit, requireSlot(copy, commit.entity));
  }

  /** Entities whose newest form is not their committed one, or was not lately. */
  get aheadCount(): number {
    return this.#ahead.size;
  }

  /** The newest state; with `create` an empty one that is kept once it has a commit. */
  get(name: EntityName, create: boolean): E | undefined {
    const known = this.#held(name) ?? this.#nascent.get(name);
    if (known !== undefined || !create) return known;
    const entity = this.#factory.create(name, Math.max(this.#newMark, this.#copy.newMark));
    this.#nascent.set(name, entity);
    if (this.#nascent.size > limits.nascent) {
      for (const oldest of this.#nascent.keys()) {
        this.#nascent.delete(oldest);
        break;
      }
    }
    return entity;
  }

  /** The state already holds this commit. A whole entity is never known: joining it tells. */
  holds(commit: Commit): boolean {
    if (commit.kind === "whole") return false;
    return this.#held(commit.entity)?.includes(commit.writer, commit.sequence) ?? false;
  }

  /** A fork's commit on an entity that it had and that is no more: it was deleted, and reaped. */
  isLate({ kind, entity }: Commit): boolean {
    return kind === undefined && this.#held(entity) === undefined;
  }

  /** Applies a commit that is in the tail. */
  apply(commit: Commit, slot: Slot<E>): void {
    if (commit.kind === "reap") {
      this.#bury(commit.entity, slot);
      return;
    }
    const tip = slot.tip ?? this.#moveAhead(commit, slot);
    addCommit(tip, commit);
    slot.pending++;
  }

  /** Makes the newest form the committed one, as a single owner has it. */
  unite(name: EntityName): void {
    const slot = this.#ahead.size === 0 ? undefined : this.#ahead.get(name);
    if (slot !== undefined) {
      slot.committed = slot.tip;
      this.#drop(name, slot);
    }
    if (this.#nascent.size > 0) this.#nascent.delete(name);
  }

  /** Commits of these entities have left the tail. */
  settle(touched: readonly EntityName[]): void {
    if (this.#ahead.size === 0) return;
    for (const name of touched) {
      const slot = this.#ahead.get(name);
      if (slot === undefined) continue;
      slot.pending--;
      if (slot.pending === 0 && slot.tip === undefined) this.#drop(name, slot);
    }
    if (this.#ahead.size > limits.idleTips + this.#copy.tailCount) this.#evict();
  }

  /** The reign is over: what was not committed may or may not stay. */
  close(): void {
    for (const [name, slot] of this.#ahead) this.#drop(name, slot);
    this.#nascent.clear();
  }

  /** What has a commit. */
  #held(name: EntityName): E | undefined {
    return this.#copy.slot(name)?.newest;
  }

  #bury(name: EntityName, slot: Slot<E>): void {
    this.#newMark = Math.max(this.#newMark, (slot.newest?.mark ?? 0) + 1);
    slot.tip = undefined;
    slot.isGone = true;
    slot.pending++;
    slot.endService();
    this.#ahead.set(name, slot);
  }

  #moveAhead({ entity: name, kind }: Commit, slot: Slot<E>): E {
    const committed = slot.newest;
    // What a fork begins has the mark that the fork gave it.
    const nascent = kind === "begin" ? undefined : this.#nascent.get(name);
    const tip = committed ?? nascent ?? this.#factory.create(name);
    if (committed !== undefined) slot.committed = committed.clone();
    this.#nascent.delete(name);
    slot.tip = tip;
    this.#ahead.set(name, slot);
    return tip;
  }

  #drop(name: EntityName, slot: Slot<E>): void {
    slot.tip = undefined;
    slot.pending = 0;
    slot.isGone = false;
    this.#ahead.delete(name);
  }

  /** Halves the idle ones, oldest first. */
  #evict(): void {
    let excess = this.#ahead.size - limits.idleTips / 2;
    for (const [name, slot] of this.#ahead) {
      if (excess <= 0) return;
      if (slot.pending > 0) continue;
      this.unite(name);
      excess--;
    }
  }
}

function requireSlot<E extends ReplicatedEntity<E>>(copy: Copy<E>, name: EntityName): Slot<E> {
  const slot = copy.slot(name);
  assert(slot !== undefined, `${name} has a commit but no place`);
  return slot;
}
