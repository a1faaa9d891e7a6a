/**
 * What a client remembers of one (function, key) that it calls: its partition, its numbered calls
 * that are not settled, and its ordered ones. The oldest unsettled number is what lets the entity
 * forget results (`received`, RIFL): counted per entity, one slow call never makes the tables of
 * other entities grow.
 */
import { entityName, type PartitionId } from "../model/ids.ts";

/** What an entity knows of a call. `Call` is the whole of it. */
export interface EntityCall<Call> {
  readonly number: number;
  /** Neighbours among the pending numbered calls of the entity, in order of their numbers. */
  older: Call | undefined;
  newer: Call | undefined;
}

export class CallableEntity<Call extends EntityCall<Call>> {
  readonly functionName: string;
  readonly key: string;
  readonly partition: PartitionId;
  #oldest: Call | undefined;
  #newest: Call | undefined;
  /** The first one is under way, the others wait for it. */
  readonly #ordered: Call[] = [];

  constructor(functionName: string, key: string, partition: PartitionId) {
    this.functionName = functionName;
    this.key = key;
    this.partition = partition;
  }

  /** Nothing is lost when it is forgotten. */
  get isIdle(): boolean {
    return this.#oldest === undefined && this.#ordered.length === 0;
  }

  /** `function/key`, for messages. */
  get name(): string {
    return entityName(this.functionName, this.key);
  }

  /** Below it, this client has the answers of all its calls to this entity. */
  received(call: Call): number {
    return this.#oldest === undefined ? call.number : this.#oldest.number;
  }

  /** Numbers rise, so the newest goes last. */
  begin(call: Call): void {
    call.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = call;
    else this.#newest.newer = call;
    this.#newest = call;
  }

  settle(call: Call): void {
    if (call.older === undefined) this.#oldest = call.newer;
    else call.older.newer = call.newer;
    if (call.newer === undefined) this.#newest = call.older;
    else call.newer.older = call.older;
    call.older = undefined;
    call.newer = undefined;
  }

  /** Lines an ordered call up; true when it may be sent now. */
  queue(call: Call): boolean {
    this.#ordered.push(call);
    return this.#ordered.length === 1;
  }

  /** Takes a settled ordered call out; returns the one that may be sent now, if any. */
  unqueue(call: Call): Call | undefined {
    const index = this.#ordered.indexOf(call);
    if (index < 0) return undefined;
    this.#ordered.splice(index, 1);
    return index === 0 ? this.#ordered[0] : undefined;
  }
}
