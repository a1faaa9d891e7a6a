/**
 * Anti-entropy: now and then every primary compares digests with its followers, which replaces a
 * copy that differs, and copies that no primary speaks to ask who leads. A round over all partitions
 * is cut into slices, because a digest costs a pass over the entities and nothing here may hold the
 * event loop up.
 */
import { LatticeError } from "../../model/error.ts";
import type { PartitionId } from "../../model/ids.ts";
import type { Random } from "../../model/random.ts";
import type { Timer, Timers } from "../../platform/platform.ts";

/** One round, give or take a quarter by chance: nodes started together do not compare together. */
export const roundMs = 15_000;
/** A round that is due at once, after a reconnection or a takeover. */
const quickRoundMs = 1_500;
const sliceCount = 15;

export interface CopyRoundsOptions {
  readonly timers: Timers;
  readonly random: Random;
  readonly partitionCount: number;
  /** @param round counts the slow ones; `undefined` in a quick one, about what was missed just now */
  compare(partition: PartitionId, round: number | undefined): void;
}

export class CopyRounds {
  readonly #options: CopyRoundsOptions;
  #timer: Timer | undefined;
  #slice = 0;
  #round = 0;
  /** Slices that are still to be compared soon. */
  #quickSlices = 0;
  #isClosed = false;

  constructor(options: CopyRoundsOptions) {
    if (options.partitionCount < 1) {
      throw new LatticeError("invalid_argument", "there is at least one partition");
    }
    this.#options = options;
  }

  start(): void {
    this.#arm();
  }

  /** Copies may have missed something: all are compared within `quickRoundMs` or so. */
  hurry(): void {
    const wasQuick = this.#quickSlices > 0;
    this.#quickSlices = sliceCount;
    if (!wasQuick) this.#arm();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #arm(): void {
    if (this.#isClosed) return;
    const { timers, random } = this.#options;
    this.#timer?.cancel();
    const sliceMs = (this.#quickSlices > 0 ? quickRoundMs : roundMs) / sliceCount;
    this.#timer = timers.after(sliceMs * (0.75 + random() / 2), () => {
      this.#compareSlice();
      this.#arm();
    });
  }

  #compareSlice(): void {
    const { partitionCount } = this.#options;
    const slice = this.#slice;
    this.#slice = (slice + 1) % sliceCount;
    if (this.#slice === 0) this.#round += 1;
    const round = this.#quickSlices > 0 ? undefined : this.#round;
    if (this.#quickSlices > 0) this.#quickSlices -= 1;
    for (let partition = slice; partition < partitionCount; partition += sliceCount) {
      this.#options.compare(partition, round);
    }
  }
}
