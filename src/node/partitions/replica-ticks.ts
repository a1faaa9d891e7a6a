/** One timer for the ticks of all replicas: each says after every event when it wants its next one. */
import type { PartitionId } from "../../model/ids.ts";
import type { Clock, Timer, Timers } from "../../platform/platform.ts";

export interface ReplicaTicksOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly partitionCount: number;
  /** Its tick is due; `note` is called on the way. */
  tick(partition: PartitionId, now: number): void;
}

export class ReplicaTicks {
  readonly #options: ReplicaTicksOptions;
  /** When each replica wants its next tick. */
  readonly #dueAt: Float64Array;
  #timer: Timer | undefined;
  #timerAt = Infinity;
  #isStopped = false;

  constructor(options: ReplicaTicksOptions) {
    this.#options = options;
    this.#dueAt = new Float64Array(options.partitionCount).fill(Infinity);
  }

  /** @param at in milliseconds of the clock; `Infinity`: none is wanted. */
  note(partition: PartitionId, at: number): void {
    this.#dueAt[partition] = at;
    if (at < this.#timerAt) this.#arm(at);
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #arm(at: number): void {
    this.#timer?.cancel();
    this.#timerAt = at;
    if (at === Infinity || this.#isStopped) return;
    const { clock, timers } = this.#options;
    this.#timer = timers.after(Math.max(0, at - clock.now()), () => {
      this.#timerAt = Infinity;
      this.#tickDue();
    });
  }

  #tickDue(): void {
    const now = this.#options.clock.now();
    let next = Infinity;
    for (let partition = 0; partition < this.#dueAt.length; partition++) {
      if (this.#dueAt[partition]! <= now) this.#options.tick(partition, now);
      next = Math.min(next, this.#dueAt[partition]!);
    }
    if (next < this.#timerAt) this.#arm(next);
  }
}
