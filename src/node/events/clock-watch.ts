/**
 * Tells of clocks that are wrong. The time of the cluster does not follow the wall clock of any node,
 * so a wall clock that was set can only be noticed by comparing the two.
 */
import { clockSkewMsMax, type ClusterClock } from "../../membership/cluster-clock.ts";
import type { NodeId } from "../../model/ids.ts";
import type { HybridTime } from "../../model/time.ts";
import type { Clock } from "../../platform/platform.ts";
import type { Announcer } from "./announcer.ts";

/** What is still wrong is told again: readers come and go. */
const repeatMs = 60_000;
/** Senders of stamps from the future of whom it is remembered that they were told of. */
const sendersMax = 64;

export interface ClockWatchOptions {
  readonly self: NodeId;
  readonly clock: Clock;
  readonly clusterClock: ClusterClock;
  readonly events: Announcer;
}

export class ClockWatch {
  toldCount = 0;
  readonly #options: ClockWatchOptions;
  /** How far off the wall clock was when that was told last; 0: it was right. */
  #wallToldMs = 0;
  #wallToldAt = 0;
  /** When it was last told that each sent a stamp from the future. */
  readonly #stampsToldAt = new Map<NodeId, number>();

  constructor(options: ClockWatchOptions) {
    this.#options = options;
  }

  /** Compares the wall clock with the time of the cluster. */
  look(): void {
    const { clock, clusterClock } = this.#options;
    const now = clock.now();
    const aheadMs = clock.wallNow() - clusterClock.read(now);
    const isWrong = Math.abs(aheadMs) > clockSkewMsMax;
    const wasWrong = this.#wallToldMs !== 0;
    const hasMoved = Math.abs(aheadMs - this.#wallToldMs) > clockSkewMsMax;
    if (isWrong ? !hasMoved && now - this.#wallToldAt < repeatMs : !wasWrong) return;
    this.#wallToldMs = isWrong ? aheadMs : 0;
    this.#wallToldAt = now;
    this.#tell("wall", this.#options.self, aheadMs);
  }

  /** The time of the cluster, as this node had it, was found to be wrong and was set. */
  clockSet(aheadMs: number): void {
    this.#tell("cluster", this.#options.self, aheadMs);
  }

  /** A stamp came from another node. */
  observe(node: NodeId, time: HybridTime): void {
    const { clock, clusterClock } = this.#options;
    const now = clock.now();
    const aheadMs = clusterClock.observe(time, now);
    if (aheadMs === 0) return;
    if (now - (this.#stampsToldAt.get(node) ?? -Infinity) < repeatMs) return;
    // The oldest is first: each is put in anew.
    this.#stampsToldAt.delete(node);
    for (const oldest of this.#stampsToldAt.keys()) {
      if (this.#stampsToldAt.size < sendersMax) break;
      this.#stampsToldAt.delete(oldest);
    }
    this.#stampsToldAt.set(node, now);
    this.#tell("stamp", node, aheadMs);
  }

  #tell(source: "wall" | "cluster" | "stamp", node: NodeId, aheadMs: number): void {
    this.toldCount += 1;
    this.#options.events.tell({ type: "clock.skew", source, node, aheadMs: Math.round(aheadMs) });
  }
}
