/**
 * The entities that a client called lately, in two generations: found in the older one they move to
 * the younger; when the younger is full the older is dropped, but for entities with calls under way.
 * Memory stays bounded however many keys are called. A lookup is by function, then by key, because the
 * key is a string that the caller holds and that is hashed once, while a name would be made anew.
 */
import { CallableEntity } from "./callable-entity.ts";
import type { PendingCall } from "./pending-call.ts";

type Generation = Map<string, Map<string, CallableEntity<PendingCall>>>;

/** Entities in the younger generation; the older has as many, and those with calls under way. */
const generationSize = 16_384;

export class CallableEntities {
  readonly #partitionOf: (functionName: string, key: string) => number;
  #young: Generation = new Map();
  #old: Generation = new Map();
  #youngCount = 0;

  constructor(partitionOf: (functionName: string, key: string) => number) {
    this.#partitionOf = partitionOf;
  }

  /** The one record of an entity. @throws LatticeError what `partitionOf` throws. */
  of(functionName: string, key: string): CallableEntity<PendingCall> {
    const known = this.#young.get(functionName)?.get(key);
    if (known !== undefined) return known;
    const entity =
      this.#old.get(functionName)?.get(key) ??
      new CallableEntity(functionName, key, this.#partitionOf(functionName, key));
    if (this.#youngCount >= generationSize) this.#age();
    put(this.#young, entity);
    this.#youngCount += 1;
    return entity;
  }

  #age(): void {
    const dropped = this.#old;
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngCount = 0;
    for (const entities of dropped.values()) {
      for (const entity of entities.values()) {
        // Two records of one entity would each know only a part of its unsettled numbers.
        const isKnown = this.#old.get(entity.functionName)?.has(entity.key) === true;
        if (!entity.isIdle && !isKnown) put(this.#old, entity);
      }
    }
  }
}

function put(generation: Generation, entity: CallableEntity<PendingCall>): void {
  const entities = generation.get(entity.functionName);
  if (entities === undefined) generation.set(entity.functionName, new Map([[entity.key, entity]]));
  else entities.set(entity.key, entity);
}
