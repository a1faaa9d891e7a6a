/**
 * Calls that wait, in order: to be sent by one link, or for any node. A call may leave at any time,
 * for another link or because it is over; the line notices when that call's turn comes, or when it
 * has grown and clears out what left.
 */
import type { NodeLink } from "./node-link.ts";
import type { PendingCall } from "./pending-call.ts";

/** Below this length what has left is not worth clearing out. */
const clearLengthMin = 1_024;

export class CallLine {
  readonly #link: NodeLink | undefined;
  #calls: PendingCall[] = [];
  /** Those before it have been taken out. */
  #first = 0;
  #clearLength = clearLengthMin;

  /** @param link `undefined` for the calls that wait for any node */
  constructor(link: NodeLink | undefined) {
    this.#link = link;
  }

  get isEmpty(): boolean {
    return this.#first === this.#calls.length;
  }

  push(call: PendingCall): void {
    if (this.#calls.length >= this.#clearLength) this.#clear();
    this.#calls.push(call);
  }

  /** Takes out the next call that still waits; `undefined` when the line is empty. */
  next(): PendingCall | undefined {
    while (this.#first < this.#calls.length) {
      const call = this.#calls[this.#first++];
      if (call !== undefined && this.#holds(call)) return call;
    }
    return undefined;
  }

  #holds(call: PendingCall): boolean {
    return call.link === this.#link && !call.isSent && !call.isOver;
  }

  /** Twice what is left is let in before the next time, so that it costs O(1) per call. */
  #clear(): void {
    this.#calls = this.#calls.filter((call, index) => index >= this.#first && this.#holds(call));
    this.#first = 0;
    this.#clearLength = Math.max(clearLengthMin, 2 * this.#calls.length);
  }
}
