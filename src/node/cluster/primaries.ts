/**
 * Tells every linked node which partitions this process leads, so that each can send a call there
 * in one hop. The first change is told at the end of its turn of the event loop, and what follows soon
 * in one message: a takeover changes hundreds, one after another.
 */
import type { NodeId, PartitionId } from "../../model/ids.ts";
import type { Timers } from "../../platform/platform.ts";
import type { PrimariesMessage } from "../../wire/messages.ts";
import type { Routes } from "./routes.ts";

/** From one message to the next. */
const gatherMs = 5;

export interface PrimariesOptions {
  readonly self: NodeId;
  /** Closed when the node stops. */
  readonly timers: Pick<Timers, "after" | "defer">;
  readonly routes: Routes;
  broadcast(message: PrimariesMessage): void;
  /** Another node leads this partition, or says again that it does. */
  changed(partition: PartitionId): void;
}

export class Primaries {
  readonly #options: PrimariesOptions;
  /** Term numbers of the partitions that this process leads. */
  readonly #led = new Map<PartitionId, number>();
  readonly #untold = new Set<PartitionId>();
  #isTellingLater = false;

  constructor(options: PrimariesOptions) {
    this.#options = options;
  }

  /** Partitions that this process leads now. */
  get count(): number {
    return this.#led.size;
  }

  lead(partition: PartitionId, term: number): void {
    this.#led.set(partition, term);
    this.#learn(partition, this.#options.self, term);
    this.#untold.add(partition);
    if (this.#isTellingLater) return;
    this.#isTellingLater = true;
    this.#options.timers.defer(() => {
      this.#tell();
    });
  }

  #tell(): void {
    const entries = this.#entries(this.#untold);
    this.#untold.clear();
    this.#isTellingLater = entries.length > 0;
    if (!this.#isTellingLater) return;
    this.#options.broadcast({ type: "primaries", entries });
    this.#options.timers.after(gatherMs, () => {
      this.#tell();
    });
  }

  /** This process leads it no more, if it did; who does is learnt from that process. */
  resign(partition: PartitionId): void {
    this.#untold.delete(partition);
    this.#led.delete(partition);
  }

  /** Another process follows a primary, or says that it is one. */
  heard(partition: PartitionId, node: NodeId, term: number): void {
    this.#learn(partition, node, term);
  }

  receive(from: NodeId, message: PrimariesMessage): void {
    for (const { partition, term } of message.entries) this.#learn(partition, from, term);
  }

  /** All that this process leads, for a new link. */
  all(): PrimariesMessage {
    return { type: "primaries", entries: this.#entries(this.#led.keys()) };
  }

  #entries(partitions: Iterable<PartitionId>): { partition: PartitionId; term: number }[] {
    const entries: { partition: PartitionId; term: number }[] = [];
    for (const partition of partitions) {
      const term = this.#led.get(partition);
      if (term !== undefined) entries.push({ partition, term });
    }
    return entries;
  }

  #learn(partition: PartitionId, node: NodeId, term: number): void {
    this.#options.routes.learn(partition, node, term);
    this.#options.changed(partition);
  }
}
