/**
 * The entities that a client called lately, in two generations: found in the older one they move to
 * the younger; when the younger is full the older is dropped, but for entities with calls under way.
 * So a lookup is one or two map reads, and memory stays bounded however many keys are called.
 */
import { entityName } from "../model/ids.ts";
import { CallableEntity } from "./callable-entity.ts";
import type { PendingCall } from "./pending-call.ts";

/** Entities in the younger generation; the older has as many, and those with calls under way. */
const generationSize = 16_384;

export class CallableEntities {
  readonly #partitionOf: (functionName: string, key: string) => number;
  #young = new Map<string, CallableEntity<PendingCall>>();
  #old = new Map<string, CallableEntity<PendingCall>>();

  constructor(partitionOf: (functionName: string, key: string) => number) {
    this.#partitionOf = partitionOf;
  }

  /** The one record of an entity. @throws LatticeError what `partitionOf` throws. */
  of(functionName: string, key: string): CallableEntity<PendingCall> {
    const name = entityName(functionName, key);
    const known = this.#young.get(name);
    if (known !== undefined) return known;
    const entity =
      this.#old.get(name) ??
      new CallableEntity(functionName, key, this.#partitionOf(functionName, key));
    if (this.#young.size >= generationSize) this.#age();
    this.#young.set(name, entity);
    return entity;
  }

  #age(): void {
    const dropped = this.#old;
    this.#old = this.#young;
    this.#young = new Map();
    for (const [name, entity] of dropped) {
      // Two records of one entity would each know only a part of its unsettled numbers.
      if (!entity.isIdle && !this.#old.has(name)) this.#old.set(name, entity);
    }
  }
}
