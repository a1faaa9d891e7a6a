/**
 * Paces the copies that this node sends to processes which join owner sets: so many of them are under
 * way to one process, and the next goes when one is answered. To encode hundreds of copies at once
 * would stop this node for as long as it takes, and the other one while it reads them.
 *
 *   mayInvite? ──yes──▶ sent ──▶ answered ──▶ look again at one that had to wait
 *       └──no──▶ waits ◀───────────────────────────────┘
 */
import type { PartitionId, ProcessId } from "../../model/ids.ts";
import type { Clock, Timer, Timers } from "../../platform/platform.ts";

/** Copies under way to one process. */
export const basesUnderWayMax = 8;
/** A copy without an answer makes room for others after this. */
const unansweredMs = 5_000;
/** Where others are answered, the silence about one of them says nothing until so long after. */
const quietMs = 1_000;
/** Those that wait are looked at so often, should no answer come. */
const reviewMs = 1_000;

export interface BaseFlowOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  /** @default `basesUnderWayMax` */
  readonly underWayMax?: number | undefined;
  /** A copy of this partition may go now that had to wait. */
  look(partition: PartitionId): void;
}

/** What goes to one process. */
interface Flow {
  /** When each copy was sent. */
  readonly underWay: Map<PartitionId, number>;
  readonly waiting: Set<PartitionId>;
  answeredAt: number;
}

export class BaseFlow {
  readonly #options: BaseFlowOptions;
  readonly #flows = new Map<ProcessId, Flow>();
  #review: Timer | undefined;

  constructor(options: BaseFlowOptions) {
    this.#options = options;
  }

  /** Whether a copy may go to a process that is to become an owner; if not, `look` says when. */
  mayInvite(to: ProcessId, partition: PartitionId): boolean {
    const { underWayMax = basesUnderWayMax } = this.#options;
    const flow = this.#flows.get(to);
    if (flow === undefined || flow.underWay.size < underWayMax) return true;
    flow.waiting.add(partition);
    this.#reviewLater();
    return false;
  }

  sent(to: ProcessId, partition: PartitionId): void {
    let flow = this.#flows.get(to);
    if (flow === undefined) {
      flow = { underWay: new Map(), waiting: new Set(), answeredAt: -Infinity };
      this.#flows.set(to, flow);
    }
    flow.waiting.delete(partition);
    flow.underWay.set(partition, this.#options.clock.now());
  }

  /** The process has said something about this partition. */
  answered(from: ProcessId, partition: PartitionId): void {
    const flow = this.#flows.get(from);
    if (flow?.underWay.delete(partition) !== true) return;
    flow.answeredAt = this.#options.clock.now();
    this.#lookOn(from, flow);
  }

  /** This copy is not answered yet, but the process answers others: it is working its way here. */
  isMoving(to: ProcessId, partition: PartitionId): boolean {
    const flow = this.#flows.get(to);
    if (flow?.underWay.has(partition) !== true) return false;
    return this.#options.clock.now() - flow.answeredAt < quietMs;
  }

  /** The link to this process is gone, and all that was under way with it. */
  drop(process: ProcessId): void {
    this.#flows.delete(process);
  }

  close(): void {
    this.#review?.cancel();
    this.#flows.clear();
  }

  /** As many may go now as there is room for. */
  #lookOn(process: ProcessId, flow: Flow): void {
    const { underWayMax = basesUnderWayMax } = this.#options;
    let room = underWayMax - flow.underWay.size;
    for (const partition of flow.waiting) {
      if (room-- <= 0) return;
      flow.waiting.delete(partition);
      this.#options.look(partition);
    }
    if (flow.underWay.size === 0 && this.#flows.get(process) === flow) this.#flows.delete(process);
  }

  #reviewLater(): void {
    this.#review ??= this.#options.timers.after(reviewMs, () => {
      this.#review = undefined;
      const before = this.#options.clock.now() - unansweredMs;
      for (const [process, flow] of this.#flows) {
        for (const [partition, sentAt] of flow.underWay) {
          if (sentAt < before) flow.underWay.delete(partition);
        }
        this.#lookOn(process, flow);
        if (flow.waiting.size > 0) this.#reviewLater();
      }
    });
  }
}
