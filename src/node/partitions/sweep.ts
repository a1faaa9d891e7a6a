/**
 * Tells every partition that something around them changed. A node that joins or dies concerns
 * hundreds of partitions on all nodes at the same time, and calls would wait for all of them. So those
 * for which calls wait are told at once, and the others a few at a time with a pause after each slice,
 * in which this node, and others on the same machine, get on with what the calls need.
 */
import type { PartitionId } from "../../model/ids.ts";
import type { Timer, Timers } from "../../platform/platform.ts";

/** Partitions of one turn of the event loop, and the pause before each slice. */
const sliceCount = 16;
const pauseMs = 4;
/** Those for which calls wait: fewer, so that the first calls need not wait for the last ones. */
const awaitedSliceCount = 4;
const awaitedPauseMs = 1;

export interface SweepOptions {
  readonly timers: Timers;
  readonly partitionCount: number;
  /** Calls wait for it. */
  isAwaited(partition: PartitionId): boolean;
  /** False when there was nothing to do. */
  visit(partition: PartitionId): boolean;
}

export class Sweep {
  readonly #options: SweepOptions;
  readonly #awaited = new Set<PartitionId>();
  #isAwaitedDue = false;
  #awaitedPause: Timer | undefined;
  /** To be visited before the rest. */
  readonly #urgent = new Set<PartitionId>();
  #next = 0;
  #leftCount = 0;
  #pause: Timer | undefined;
  #isStopped = false;

  constructor(options: SweepOptions) {
    this.#options = options;
  }

  /**
   * All partitions are visited once, also those that just were.
   * @param urgent that go first, in this order but for awaited ones; they are visited with the others too
   */
  start(urgent: readonly PartitionId[] = []): void {
    for (const partition of urgent) {
      (this.#options.isAwaited(partition) ? this.#awaited : this.#urgent).add(partition);
    }
    this.#leftCount = this.#options.partitionCount;
    this.#hurryOn();
    this.#goOn();
  }

  /** A call waits for this partition: while any are to be visited, it is so before all others. */
  hurry(partition: PartitionId): void {
    if (this.#leftCount === 0) return;
    this.#awaited.add(partition);
    this.#hurryOn();
  }

  stop(): void {
    this.#isStopped = true;
    this.#pause?.cancel();
    this.#awaitedPause?.cancel();
  }

  /** The first ones at the end of this turn. */
  #hurryOn(): void {
    if (this.#awaited.size === 0 || this.#isAwaitedDue || this.#isStopped) return;
    this.#isAwaitedDue = true;
    this.#options.timers.defer(this.#visitAwaited);
  }

  readonly #visitAwaited = (): void => {
    this.#isAwaitedDue = false;
    this.#visit(awaitedSliceCount, () => takeFirst(this.#awaited));
    if (this.#awaited.size === 0 || this.#isStopped) return;
    this.#isAwaitedDue = true;
    this.#awaitedPause = this.#options.timers.after(awaitedPauseMs, this.#visitAwaited);
  };

  #goOn(): void {
    if (this.#leftCount === 0 || this.#isStopped) return;
    this.#pause ??= this.#options.timers.after(pauseMs, () => {
      this.#pause = undefined;
      this.#visit(sliceCount, () => takeFirst(this.#urgent) ?? this.#takeNext());
      this.#goOn();
    });
  }

  #visit(most: number, take: () => PartitionId | undefined): void {
    let count = 0;
    while (count < most && !this.#isStopped) {
      const partition = take();
      if (partition === undefined) return;
      if (this.#options.visit(partition)) count += 1;
    }
  }

  #takeNext(): PartitionId | undefined {
    if (this.#leftCount === 0) return undefined;
    const partition = this.#next;
    this.#next = (partition + 1) % this.#options.partitionCount;
    this.#leftCount -= 1;
    return partition;
  }
}

function takeFirst(waiting: Set<PartitionId>): PartitionId | undefined {
  for (const partition of waiting) {
    waiting.delete(partition);
    return partition;
  }
  return undefined;
}
