/**
 * The numbered calls of a client that are not settled, by entity. The oldest number of an entity is
 * what lets it forget results (`received`, RIFL): counted per entity, one slow call never makes the
 * tables of other entities grow. Nothing is kept of an entity without calls under way, so this stays
 * as small, and as near to the processor, as what is under way, however many keys are called.
 *
 * It is a hash table whose chains go through the calls themselves. A `Map` that is added to and
 * deleted from all the time would be made anew every few hundred calls, and what it was before would
 * keep the answered calls in it alive until the next full collection of garbage.
 *
 *     bucket ─▶ oldest call of an entity ─neighbour▶ oldest call of another one with that bucket
 *                 └─newer▶ … ─newer▶ newest
 */
export interface UnsettledCall<Call> {
  readonly functionName: string;
  readonly key: string;
  /** Rises with every call of the client. */
  readonly number: number;
  /** Neighbours among the unsettled calls of the entity, in order of their numbers; owned by the table. */
  older: Call | undefined;
  newer: Call | undefined;
  /** Right in the oldest call only: the other end of the list, `undefined` where it is alone. */
  newest: Call | undefined;
  /** Right in the oldest call only: that of another entity in the same bucket. */
  neighbour: Call | undefined;
  keyHash: number;
}

/** A power of two; with all slots of a client taken, chains are 16 long on average. */
const bucketCount = 4_096;

export class UnsettledCalls<Call extends UnsettledCall<Call>> {
  readonly #buckets: (Call | undefined)[] = new Array<undefined>(bucketCount).fill(undefined);

  /** Adds a call whose number is higher than all others. */
  begin(call: Call): void {
    call.keyHash = hashOf(call.key);
    const oldest = this.#oldest(call);
    if (oldest === undefined) {
      const bucket = bucketOf(call);
      call.neighbour = this.#buckets[bucket];
      this.#buckets[bucket] = call;
      return;
    }
    const newest = oldest.newest ?? oldest;
    newest.newer = call;
    call.older = newest;
    oldest.newest = call;
  }

  /** Below it, the client has the answers of all its calls to the entity of this one. */
  received(call: Call): number {
    return call.older === undefined ? call.number : (this.#oldest(call) ?? call).number;
  }

  settle(call: Call): void {
    const { older, newer } = call;
    if (older === undefined) {
      this.#replace(call, newer);
    } else {
      older.newer = newer;
      if (newer === undefined) this.#shorten(call, older);
    }
    if (newer !== undefined) newer.older = older;
    call.older = undefined;
    call.newer = undefined;
    call.newest = undefined;
    call.neighbour = undefined;
  }

  #oldest(call: Call): Call | undefined {
    let oldest = this.#buckets[bucketOf(call)];
    while (oldest !== undefined && !isSameEntity(oldest, call)) oldest = oldest.neighbour;
    return oldest;
  }

  /** Takes the oldest call of an entity out of its bucket and puts the one after it there instead. */
  #replace(oldest: Call, next: Call | undefined): void {
    const { neighbour, newest } = oldest;
    if (next !== undefined) {
      next.newest = newest === next ? undefined : newest;
      next.neighbour = neighbour;
    }
    const instead = next ?? neighbour;
    const bucket = bucketOf(oldest);
    let before = this.#buckets[bucket];
    if (before === oldest) {
      this.#buckets[bucket] = instead;
      return;
    }
    while (before !== undefined && before.neighbour !== oldest) before = before.neighbour;
    if (before !== undefined) before.neighbour = instead;
  }

  /** The newest call of an entity is gone: `newest` is now. */
  #shorten(gone: Call, newest: Call): void {
    const oldest = this.#oldest(gone);
    if (oldest !== undefined) oldest.newest = oldest === newest ? undefined : newest;
  }
}

function isSameEntity<Call extends UnsettledCall<Call>>(a: Call, b: Call): boolean {
  return a.keyHash === b.keyHash && a.key === b.key && a.functionName === b.functionName;
}

function bucketOf<Call extends UnsettledCall<Call>>(call: Call): number {
  return call.keyHash & (bucketCount - 1);
}

/** The hash of Java's strings with its high bits brought down. */
function hashOf(key: string): number {
  let hash = 0;
  for (let index = 0; index < key.length; index += 1) {
    hash = (Math.imul(hash, 31) + key.charCodeAt(index)) | 0;
  }
  return hash ^ (hash >>> 15);
}
