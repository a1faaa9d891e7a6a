/**
 * The newest state of the entities of a primary: committed part plus tail. Handlers run on it. Most
 * entities have no tail at rest and then need one form only, which serves as both.
 *
 * The form that handlers were given keeps its identity when it moves ahead; the *committed* side gets
 * a clone. An entity in use keeps both forms, because cloning costs more than applying twice.
 */
import type { EntityName } from "../model/ids.ts";
import type { Commit } from "../wire/replication-messages.ts";
import type { Copy } from "./copy.ts";
import { addCommit } from "./copy.ts";
import type { EntityFactory, ReplicatedEntity } from "./replicated-entity.ts";
import { limits } from "./timing.ts";

interface Tip<E> {
  readonly entity: E;
  /** Commits of it in the tail. */
  pending: number;
}

export class Tips<E extends ReplicatedEntity<E>> {
  readonly #factory: EntityFactory<E>;
  readonly #copy: Copy<E>;
  readonly #tips = new Map<EntityName, Tip<E>>();
  readonly #nascent = new Map<EntityName, E>();

  /** Builds what the tail of `copy` asks for. */
  constructor(factory: EntityFactory<E>, copy: Copy<E>) {
    this.#factory = factory;
    this.#copy = copy;
    for (const { commit } of copy.tail()) {
      const tip = this.#ahead(commit.entity);
      addCommit(tip.entity, commit);
      tip.pending++;
    }
  }

  /** The newest state; with `create` an empty one that is kept once it has a commit. */
  get(name: EntityName, create: boolean): E | undefined {
    const ahead = this.#tips.size === 0 ? undefined : this.#tips.get(name);
    const known = ahead?.entity ?? this.#copy.entity(name) ?? this.#nascent.get(name);
    if (known !== undefined || !create) return known;
    const entity = this.#factory.create(name);
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
    if (commit.whole === true) return false;
    return this.get(commit.entity, false)?.includes(commit.writer, commit.sequence) ?? false;
  }

  /** Applies a commit that goes to the tail; to be called before it is appended. */
  apply(commit: Commit): void {
    const tip = this.#ahead(commit.entity);
    addCommit(tip.entity, commit);
    tip.pending++;
  }

  /** Applies nothing, but makes the newest form the committed one, as a single owner has it. */
  unite(name: EntityName): void {
    const tip = this.#tips.size === 0 ? undefined : this.#tips.get(name);
    if (tip !== undefined) {
      this.#tips.delete(name);
      this.#copy.exchange(name, tip.entity);
    }
    if (this.#nascent.size > 0) this.#nascent.delete(name);
  }

  /** Commits of these entities have left the tail. */
  settle(touched: readonly EntityName[]): void {
    for (const name of touched) {
      const tip = this.#tips.get(name);
      if (tip !== undefined) tip.pending--;
    }
    if (this.#tips.size > limits.idleTips + this.#copy.tailCount) this.#evict();
  }

  #ahead(name: EntityName): Tip<E> {
    const known = this.#tips.get(name);
    if (known !== undefined) return known;
    const committed = this.#copy.entity(name);
    const entity = committed ?? this.#nascent.get(name) ?? this.#factory.create(name);
    if (committed !== undefined) this.#copy.exchange(name, committed.clone());
    this.#nascent.delete(name);
    const tip = { entity, pending: 0 };
    this.#tips.set(name, tip);
    return tip;
  }

  /** Halves the idle ones, oldest first. */
  #evict(): void {
    let excess = this.#tips.size - limits.idleTips / 2;
    for (const [name, tip] of this.#tips) {
      if (excess <= 0) return;
      if (tip.pending > 0) continue;
      this.unite(name);
      excess--;
    }
  }
}
