/**
 * Tells how many of the partitions that this node leads lack copies: how far a handoff has come, and
 * when everything is whole again. Nothing below says so by itself, for no partition knows of the
 * others; so they are looked at, and only while somebody reads the events.
 */
import type { PartitionId } from "../../model/ids.ts";
import type { TimerSet } from "../timer-set.ts";
import type { Announcer } from "./announcer.ts";

const sampleMs = 500;
/**
 * Found lacking so often in a row, a partition counts. Under load the last of its owners is always a
 * moment behind, and that is no news.
 */
const samplesInRow = 4;

export interface ReplicationWatchOptions {
  readonly timers: TimerSet;
  readonly events: Announcer;
  /** Partitions led by this node that lack a copy, or one that keeps up, at this moment. */
  underReplicated(): Iterable<PartitionId>;
}

export class ReplicationWatch {
  readonly #options: ReplicationWatchOptions;
  /** How often in a row each was found lacking. */
  #lacking = new Map<PartitionId, number>();
  #toldCount = 0;
  #isOn = false;

  constructor(options: ReplicationWatchOptions) {
    this.#options = options;
  }

  /** Looks until nobody reads any more. */
  start(): void {
    if (this.#isOn) return;
    this.#isOn = true;
    this.#lookLater();
  }

  #lookLater(): void {
    this.#options.timers.after(sampleMs, () => {
      if (this.#options.events.isHeard) {
        this.#look();
        this.#lookLater();
        return;
      }
      this.#isOn = false;
      this.#toldCount = 0;
      this.#lacking.clear();
    });
  }

  #look(): void {
    const { events } = this.#options;
    const lacking = new Map<PartitionId, number>();
    let partitionCount = 0;
    for (const partition of this.#options.underReplicated()) {
      const times = (this.#lacking.get(partition) ?? 0) + 1;
      lacking.set(partition, times);
      if (times >= samplesInRow) partitionCount += 1;
    }
    this.#lacking = lacking;
    if (partitionCount === this.#toldCount) return;
    this.#toldCount = partitionCount;
    events.tell({ type: "underReplicated.changed", partitionCount });
  }
}
