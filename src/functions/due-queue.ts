/**
 * What is to be looked at later, ordered by when: a binary heap whose items know their place, so that
 * any of them can be taken out. Adding and removing costs the logarithm of the length.
 */

/** An item; it is in one queue at most, and its `wakeAt` does not change while it is. */
export interface QueueItem {
  readonly wakeAt: number;
  /** Owned by the queue; begin with `notQueued`. */
  queueIndex: number;
}

export const notQueued = -1;

export class DueQueue<T extends QueueItem> {
  readonly #heap: T[] = [];

  get length(): number {
    return this.#heap.length;
  }

  /** The item with the lowest `wakeAt`. */
  get first(): T | undefined {
    return this.#heap[0];
  }

  add(item: T): void {
    this.#heap.push(item);
    this.#rise(item, this.#heap.length - 1);
  }

  /** Takes an item out; does nothing when it is not in. */
  remove(item: T): void {
    const index = item.queueIndex;
    if (index === notQueued) return;
    item.queueIndex = notQueued;
    const last = this.#heap.pop()!;
    if (last === item) return;
    this.#sink(last, index);
    this.#rise(last, last.queueIndex);
  }

  /** Puts an item where it belongs at or above `index`. */
  #rise(item: T, index: number): void {
    let at = index;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#heap[parent]!;
      if (above.wakeAt <= item.wakeAt) break;
      this.#put(above, at);
      at = parent;
    }
    this.#put(item, at);
  }

  /** Puts an item where it belongs at or below `index`. */
  #sink(item: T, index: number): void {
    const { length } = this.#heap;
    let at = index;
    for (let child = 2 * at + 1; child < length; child = 2 * at + 1) {
      const other = child + 1;
      const isOther = other < length && this.#heap[other]!.wakeAt < this.#heap[child]!.wakeAt;
      const least = this.#heap[isOther ? other : child]!;
      if (item.wakeAt <= least.wakeAt) break;
      this.#put(least, at);
      at = isOther ? other : child;
    }
    this.#put(item, at);
  }

  #put(item: T, index: number): void {
    this.#heap[index] = item;
    item.queueIndex = index;
  }
}
