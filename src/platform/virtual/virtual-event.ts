/**
 * What will happen in virtual time, and the heap that knows what is next. The order is (time,
 * sequence number): events of one instant run in the order in which they were asked for, which is
 * what makes a run repeatable.
 */
import type { Timer } from "../platform.ts";

/** Whose event it is decides when it runs: a paused node holds it back. */
export interface EventOwner {
  dispatch(event: VirtualEvent): void;
}

export class VirtualEvent implements Timer {
  readonly at: number;
  readonly sequence: number;
  /** Whose event it is; `undefined` for the harness around the nodes. */
  readonly node: EventOwner | undefined;
  /** Arriving input, which a process that was stopped reads only after its timers fired. */
  readonly isInput: boolean;
  readonly #heap: VirtualEventHeap;
  /** `undefined` once it ran or was cancelled. */
  run: (() => void) | undefined;

  constructor(
    heap: VirtualEventHeap,
    order: { at: number; sequence: number },
    owner: { node: EventOwner | undefined; isInput: boolean },
    run: () => void,
  ) {
    this.#heap = heap;
    this.at = order.at;
    this.sequence = order.sequence;
    this.node = owner.node;
    this.isInput = owner.isInput;
    this.run = run;
  }

  cancel(): void {
    if (this.run === undefined) return;
    this.run = undefined;
    this.#heap.noteCancelled();
  }
}

/** Below it, sweeping cancelled events away is not worth the work. */
const sweepLengthMin = 256;

/** A binary heap. Cancelled events stay until they surface or make up half of it. */
export class VirtualEventHeap {
  #events: VirtualEvent[] = [];
  #cancelledCount = 0;

  /** Cancelled ones included. */
  get length(): number {
    return this.#events.length;
  }

  push(event: VirtualEvent): void {
    this.#events.push(event);
    this.#siftUp(this.#events.length - 1);
  }

  /** The next event that was not cancelled. */
  peek(): VirtualEvent | undefined {
    for (;;) {
      const first = this.#events[0];
      if (first === undefined || first.run !== undefined) return first;
      this.#removeFirst();
      if (this.#cancelledCount > 0) this.#cancelledCount -= 1;
    }
  }

  pop(): VirtualEvent | undefined {
    const first = this.peek();
    if (first !== undefined) this.#removeFirst();
    return first;
  }

  /** An upper bound: an event that was held back by its node is counted though it left the heap. */
  noteCancelled(): void {
    this.#cancelledCount += 1;
    if (this.#events.length < sweepLengthMin || this.#cancelledCount * 2 < this.#events.length)
      return;
    this.#events = this.#events.filter((event) => event.run !== undefined);
    this.#cancelledCount = 0;
    for (let i = (this.#events.length >> 1) - 1; i >= 0; i--) this.#siftDown(i);
  }

  #removeFirst(): void {
    const last = this.#events.pop();
    if (last === undefined || this.#events.length === 0) return;
    this.#events[0] = last;
    this.#siftDown(0);
  }

  #siftUp(from: number): void {
    const events = this.#events;
    const event = events[from]!;
    let index = from;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = events[parentIndex]!;
      if (!isBefore(event, parent)) break;
      events[index] = parent;
      index = parentIndex;
    }
    events[index] = event;
  }

  #siftDown(from: number): void {
    const events = this.#events;
    const { length } = events;
    const event = events[from]!;
    let index = from;
    for (;;) {
      let childIndex = 2 * index + 1;
      if (childIndex >= length) break;
      let child = events[childIndex]!;
      const right = events[childIndex + 1];
      if (right !== undefined && isBefore(right, child)) {
        child = right;
        childIndex += 1;
      }
      if (!isBefore(child, event)) break;
      events[index] = child;
      index = childIndex;
    }
    events[index] = event;
  }
}

function isBefore(a: VirtualEvent, b: VirtualEvent): boolean {
  return a.at < b.at || (a.at === b.at && a.sequence < b.sequence);
}
