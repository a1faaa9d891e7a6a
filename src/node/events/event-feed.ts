/** All readers of one node's events. It outlives the parts of a node that has to raise its boot id. */
import { LatticeError } from "../../model/error.ts";
import { limits } from "../../model/limits.ts";
import { EventReader } from "./event-reader.ts";
import type { NodeEvent } from "./node-event.ts";

export class EventFeed {
  readonly #readers = new Set<EventReader>();
  #isClosed = false;

  /** Somebody reads: what only readers want is worth finding out. */
  get isHeard(): boolean {
    return this.#readers.size > 0;
  }

  /**
   * Reads from now on. Ends with the node, at once if it has stopped.
   * @throws LatticeError `overloaded` beyond `limits.eventReadersMax`
   */
  read(): EventReader {
    if (this.#readers.size >= limits.eventReadersMax) {
      throw new LatticeError(
        "overloaded",
        `events: this node has ${String(limits.eventReadersMax)} readers already; leave the loop ` +
          "of some, or call return() on what events() gave",
      );
    }
    const reader = new EventReader(() => this.#readers.delete(reader));
    if (this.#isClosed) reader.end();
    else this.#readers.add(reader);
    return reader;
  }

  publish(event: NodeEvent): void {
    for (const reader of this.#readers) reader.push(event);
  }

  close(): void {
    this.#isClosed = true;
    for (const reader of [...this.#readers]) reader.end();
  }
}
