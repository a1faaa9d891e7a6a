/**
 * A map that can be forked for little: a fork shares the base and keeps its own changes above it.
 * When there are more of these than about the square root of the base, the fork makes a base of its
 * own, so n writes with a fork before each cost n · √size and not n · size.
 *
 * Iterates like a `Map`, but keys that are new in a fork come last until it has its own base.
 */
export class LayeredMap<V extends object> {
  #base: Map<string, V>;
  /** Changes above a base that is shared (`undefined` as value: deleted); none: the base is ours. */
  #changes: Map<string, V | undefined> | undefined;
  #size: number;

  /** @param base becomes the map's own. */
  constructor(base = new Map<string, V>()) {
    this.#base = base;
    this.#size = base.size;
  }

  get size(): number {
    return this.#size;
  }

  /** A map that may change from now on. This one must not. */
  fork(): LayeredMap<V> {
    const fork = new LayeredMap(this.#base);
    fork.#size = this.#size;
    fork.#changes = new Map(this.#changes);
    return fork;
  }

  get(key: string): V | undefined {
    const changes = this.#changes;
    if (changes === undefined || changes.size === 0) return this.#base.get(key);
    const changed = changes.get(key);
    return changed === undefined && !changes.has(key) ? this.#base.get(key) : changed;
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  set(key: string, value: V): void {
    if (!this.has(key)) this.#size += 1;
    if (this.#changes === undefined) this.#base.set(key, value);
    else this.#change(this.#changes, key, value);
  }

  delete(key: string): void {
    if (!this.has(key)) return;
    this.#size -= 1;
    if (this.#changes === undefined) this.#base.delete(key);
    else this.#change(this.#changes, key, undefined);
  }

  *entries(): IterableIterator<[string, V]> {
    const changes = this.#changes;
    if (changes === undefined || changes.size === 0) {
      yield* this.#base;
      return;
    }
    for (const [key, value] of this.#base) {
      const current = changes.has(key) ? changes.get(key) : value;
      if (current !== undefined) yield [key, current];
    }
    for (const [key, value] of changes) {
      if (value !== undefined && !this.#base.has(key)) yield [key, value];
    }
  }

  *keys(): IterableIterator<string> {
    for (const [key] of this.entries()) yield key;
  }

  *values(): IterableIterator<V> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): IterableIterator<[string, V]> {
    return this.entries();
  }

  #change(changes: Map<string, V | undefined>, key: string, value: V | undefined): void {
    changes.set(key, value);
    if (changes.size <= changesMin + Math.sqrt(this.#base.size)) return;
    this.#base = new Map(this.entries());
    this.#changes = undefined;
  }
}

/** So many changes are cheaper to carry along than any base is to copy. */
const changesMin = 8;
