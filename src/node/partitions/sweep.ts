/**
 * Tells every partition, a few in each turn of the event loop, that something around them changed. A
 * node that joins or dies concerns hundreds of partitions, and calls would wait for all of them.
 */
import type { PartitionId } from "../../model/ids.ts";
import type { Timers } from "../../platform/platform.ts";

/** Partitions of one turn. */
const sliceCount = 32;

export interface SweepOptions {
  readonly timers: Timers;
  readonly partitionCount: number;
  /** False when there was nothing to do. */
  visit(partition: PartitionId): boolean;
}

export class Sweep {
  readonly #options: SweepOptions;
  /** To be visited before all others. */
  readonly #urgent = new Set<PartitionId>();
  #next = 0;
  #leftCount = 0;
  #isDue = false;
  #isStopped = false;

  constructor(options: SweepOptions) {
    this.#options = options;
  }

  /**
   * All partitions are visited once from the end of this turn on, also those that just were.
   * @param urgent that go first, in this order; they are visited with the others too
   */
  start(urgent: readonly PartitionId[] = []): void {
    for (const partition of urgent) this.#urgent.add(partition);
    this.#leftCount = this.#options.partitionCount;
    if (this.#isDue || this.#isStopped) return;
    this.#isDue = true;
    this.#options.timers.defer(() => {
      this.#go();
    });
  }

  stop(): void {
    this.#isStopped = true;
  }

  #go(): void {
    let visitCount = 0;
    while (this.#leftCount > 0 && visitCount < sliceCount && !this.#isStopped) {
      if (this.#options.visit(this.#takeUrgent() ?? this.#takeNext())) visitCount += 1;
    }
    this.#isDue = this.#leftCount > 0 && !this.#isStopped;
    if (!this.#isDue) return;
    // What has arrived meanwhile goes first.
    this.#options.timers.afterPoll(() => {
      this.#go();
    });
  }

  #takeUrgent(): PartitionId | undefined {
    for (const partition of this.#urgent) {
      this.#urgent.delete(partition);
      return partition;
    }
    return undefined;
  }

  #takeNext(): PartitionId {
    const partition = this.#next;
    this.#next = (partition + 1) % this.#options.partitionCount;
    this.#leftCount -= 1;
    return partition;
  }
}
