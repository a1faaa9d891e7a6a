/**
 * What a primary knows of one process that follows its stream: an owner, one to be, or one that an
 * uncommitted change has just removed. The window bounds what is under way; one that falls out of it
 * is sent a base once it has caught up with what it was sent.
 */
import type { ProcessId } from "../model/ids.ts";
import type { StreamPosition } from "../wire/replication-messages.ts";
import { limits, timing } from "./timing.ts";

export class FollowerLink {
  readonly process: ProcessId;
  /** Highest position acknowledged in this term; −1: none. */
  acked = -1;
  /** Highest position sent in this term; −1: none. */
  sent = -1;
  /** Where its copy stood before this term, as far as known. */
  before: StreamPosition | undefined;
  /** When something was last sent to it after silence, or acknowledged by it. */
  progressAt = 0;
  /** Bases sent since it last acknowledged anything. */
  #repeats = 0;
  #unackedBytes = 0;
  #lagging = false;

  constructor(process: ProcessId, before: StreamPosition | undefined) {
    this.process = process;
    this.before = before;
  }

  /** It was sent everything before `position` and has room for it. */
  takes(position: number): boolean {
    return this.sent === position - 1 && !this.#lagging;
  }

  sentDelta(position: number, bytes: number, now: number): void {
    if (this.acked === this.sent) this.progressAt = now;
    this.sent = position;
    this.#unackedBytes += bytes;
    if (this.#unackedBytes > limits.windowBytes) this.#lagging = true;
  }

  sentBase(position: number, now: number): void {
    this.#repeats++;
    this.progressAt = now;
    this.sent = position;
    this.#unackedBytes = 0;
    this.#lagging = false;
  }

  /** Returns false for what was known already. */
  ack(position: number, now: number): boolean {
    if (position <= this.acked) return false;
    const open = this.sent - this.acked;
    // By share of positions: exact at both ends, and no list of sizes in between.
    if (open > 0) this.#unackedBytes *= Math.max(0, this.sent - position) / open;
    this.acked = position;
    if (position > this.sent) this.sent = position;
    this.progressAt = now;
    this.#repeats = 0;
    return true;
  }

  /** When silence has lasted long enough for another base. */
  get resyncAt(): number {
    return this.progressAt + timing.resyncMs * Math.min(timing.resyncGrowthMax, 2 ** this.#repeats);
  }

  /** It has everything that it was sent, which is not everything there is. */
  needsBase(position: number): boolean {
    return this.acked === this.sent && this.sent < position;
  }
}
