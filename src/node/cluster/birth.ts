/**
 * Who creates the cluster (`replication.md` rule 19): a node without join addresses at once; with
 * join addresses, when nobody who has the cluster answered for `joinWaitMs` and enough nodes see
 * each other, the one with the lowest id among them. Everybody else waits to be given partitions.
 */
import type { NodeId } from "../../model/ids.ts";
import type { Platform, Timer } from "../../platform/platform.ts";

const recheckMs = 250;

export interface BirthOptions {
  readonly platform: Platform;
  readonly self: NodeId;
  readonly hasJoinAddresses: boolean;
  readonly joinWaitMs: number;
  readonly minNodes: number;
  /** Members held alive, this node included. */
  aliveNodes(): readonly NodeId[];
  /** Called once, if it is on this node to create the cluster. */
  create(genesis: string): void;
}

export class Birth {
  readonly #options: BirthOptions;
  #timer: Timer | undefined;
  /** The cluster exists, as far as this node knows. */
  #exists = false;
  readonly #waiting: (() => void)[] = [];

  constructor(options: BirthOptions) {
    this.#options = options;
  }

  get exists(): boolean {
    return this.#exists;
  }

  start(): void {
    const { platform, hasJoinAddresses, minNodes, joinWaitMs } = this.#options;
    if (!hasJoinAddresses && minNodes === 1) {
      this.#create();
      return;
    }
    this.#timer = platform.timers.after(joinWaitMs, () => {
      this.#decide();
    });
  }

  /** Somebody has the cluster: this node waits for its share. */
  found(): void {
    if (this.#exists) return;
    this.#exists = true;
    this.#timer?.cancel();
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Resolves when the cluster exists. */
  whenExists(): Promise<void> {
    if (this.#exists) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #decide(): void {
    if (this.#exists) return;
    const { self, minNodes, platform } = this.#options;
    const alive = [...this.#options.aliveNodes()].sort();
    if (alive.length >= minNodes && alive[0] === self) {
      this.#create();
      return;
    }
    this.#timer = platform.timers.after(recheckMs, () => {
      this.#decide();
    });
  }

  /** The older of two clusters that were born apart wins, so the id begins with the time. */
  #create(): void {
    const { clock, ids } = this.#options.platform;
    const bornAt = Math.floor(clock.wallNow()).toString(36).padStart(9, "0");
    this.found();
    this.#options.create(`${bornAt}-${ids.unique()}`);
  }
}
