/**
 * Who creates the cluster (`replication.md` rule 19). A node without join addresses: at once. With
 * join addresses: the lowest id among those who see each other, when nobody who has the cluster
 * answered for `joinWaitMs`. With `minNodes`: the lowest id as soon as so many see each other, all are
 * linked, and none of them has had a cluster to tell of. Everybody else waits to be given partitions.
 */
import type { NodeId } from "../../model/ids.ts";
import type { Platform, Timer } from "../../platform/platform.ts";

const recheckMs = 100;
/** Nobody judges a newcomer for longer; what answers nothing for so long is no node. */
const judgementMsMax = 10_000;
/** A node that waits for others says so this often. */
const sayEveryMs = 10_000;
/** Nodes that are enough have to stay so for this long: who has the cluster says so at once. */
const quorumSettleMs = 300;

export interface BirthOptions {
  readonly platform: Platform;
  readonly self: NodeId;
  /** Where others may be; not this node's own address, as far as that is known before dialling. */
  readonly joinAddresses: readonly string[];
  readonly joinWaitMs: number;
  readonly minNodes: number;
  /** Members held alive, this node included. */
  aliveNodes(): readonly NodeId[];
  isLinked(node: NodeId): boolean;
  /** Somebody answered at a join address who has not let this node in yet: it may have the cluster. */
  isBeingJudged(): boolean;
  /** Called once, if it is on this node to create the cluster. */
  create(genesis: string): void;
}

export class Birth {
  readonly #options: BirthOptions;
  /** Join addresses that did not turn out to be other names of this node. */
  readonly #elsewhere: Set<string>;
  #timer: Timer | undefined;
  /** The cluster exists, as far as this node knows. */
  #exists = false;
  #startedAt = 0;
  /** When somebody last answered at a join address, without a welcome. */
  #heardAt = 0;
  #saidAt = 0;
  /** Since when enough nodes are here; `Infinity` while they are not. */
  #enoughSince = Infinity;

  constructor(options: BirthOptions) {
    this.#options = options;
    this.#elsewhere = new Set(options.joinAddresses);
  }

  /** Where others may be. */
  get elsewhere(): readonly string[] {
    return [...this.#elsewhere];
  }

  get exists(): boolean {
    return this.#exists;
  }

  start(): void {
    const { platform, minNodes } = this.#options;
    this.#startedAt = platform.clock.now();
    this.#heardAt = this.#startedAt;
    if (this.#elsewhere.size === 0 && minNodes === 1) this.#create();
    else this.#lookLater();
  }

  /**
   * This node itself answered at a join address: `localhost` for 127.0.0.1, or one of another name.
   * With no address left there is nobody to wait for.
   */
  isSelf(address: string): void {
    if (!this.#elsewhere.delete(address) || this.#elsewhere.size > 0) return;
    if (this.#exists || this.#options.minNodes > 1) return;
    this.#timer?.cancel();
    this.#create();
  }

  /** Somebody has the cluster: this node waits for its share. */
  found(): void {
    if (this.#exists) return;
    this.#exists = true;
    this.#timer?.cancel();
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #lookLater(): void {
    this.#timer = this.#options.platform.timers.after(recheckMs, () => {
      this.#decide();
    });
  }

  #decide(): void {
    if (this.#exists) return;
    const { self, platform } = this.#options;
    const now = platform.clock.now();
    const alive = [...this.#options.aliveNodes()].sort();
    if (!this.#areEnough(alive)) this.#enoughSince = Infinity;
    else if (this.#enoughSince === Infinity) this.#enoughSince = now;
    // Not silence: whoever is there may well have the cluster.
    if (this.#options.isBeingJudged()) this.#heardAt = now;
    if (now >= this.#dueAt && alive[0] === self) {
      this.#create();
      return;
    }
    this.#say(alive, now);
    this.#lookLater();
  }

  #say(alive: readonly NodeId[], now: number): void {
    const { joinWaitMs, minNodes, platform } = this.#options;
    this.#saidAt = Math.max(this.#saidAt, this.#startedAt + joinWaitMs - sayEveryMs);
    if (now < this.#saidAt + sayEveryMs) return;
    this.#saidAt = now;
    platform.logger.warn("waits for a cluster", { wanted: minNodes, alive });
  }

  #areEnough(alive: readonly NodeId[]): boolean {
    const { self, minNodes } = this.#options;
    const isHere = (node: NodeId): boolean => node === self || this.#options.isLinked(node);
    return alive.length >= minNodes && alive.every(isHere);
  }

  get #dueAt(): number {
    if (this.#options.minNodes > 1) return this.#enoughSince + quorumSettleMs;
    const heardAt = Math.min(this.#heardAt, this.#startedAt + judgementMsMax);
    return heardAt + this.#options.joinWaitMs;
  }

  /** The older of two clusters that were born apart wins, so the id begins with the time. */
  #create(): void {
    const { clock, ids } = this.#options.platform;
    const bornAt = Math.floor(clock.wallNow()).toString(36).padStart(9, "0");
    this.found();
    this.#options.create(`${bornAt}-${ids.unique()}`);
  }
}
