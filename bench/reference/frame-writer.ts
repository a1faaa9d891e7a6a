/**
 * One growing buffer per connection, of which every flush sends a slice: nothing is copied and
 * nothing is allocated per flush, because a slice is not written to again before its chunk is full
 * and another one is begun. Everything that is written in one turn of the event loop leaves as one
 * WebSocket message.
 */
import { Buffer } from "node:buffer";
import type { WebSocket } from "ws";
import { send } from "./sockets.ts";

const chunkBytes = 1024 * 1024;

export class FrameWriter {
  readonly #socket: WebSocket;
  bytes = Buffer.allocUnsafeSlow(chunkBytes);
  /** Where the next byte goes; written by the caller, after `reserve`. */
  end = 0;
  #start = 0;
  #isDue = false;
  readonly #flush = (): void => {
    this.flush();
  };

  constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** Makes room for `count` bytes at `end`. */
  reserve(count: number): void {
    if (this.end + count <= chunkBytes) return;
    const grown = Buffer.allocUnsafeSlow(chunkBytes);
    this.bytes.copy(grown, 0, this.#start, this.end);
    this.end -= this.#start;
    this.#start = 0;
    this.bytes = grown;
  }

  /** Sends what is written when the present callback has returned. */
  flushSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    process.nextTick(this.#flush);
  }

  flush(): void {
    this.#isDue = false;
    if (this.end === this.#start) return;
    send(this.#socket, this.bytes.subarray(this.#start, this.end));
    this.#start = this.end;
  }
}
