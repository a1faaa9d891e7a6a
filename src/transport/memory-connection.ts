/**
 * One end of a connection in memory. It keeps the rules of a real one: the same water marks, the
 * same limits, pings on silence, a close handshake with a time limit, and handlers that are never
 * called from within a call of its own methods.
 */
import type { Clock, Timer, Timers } from "../platform/platform.ts";
import { abnormalCode, checkClose, tooLargeCode } from "./close-code.ts";
import {
  closeTimeoutMs,
  maxBufferedBytesDefault,
  pongTimeoutMsDefault,
  silentMsDefault,
  stuckMsDefault,
} from "./limits.ts";
import type { MemoryPipe, PipeItem } from "./memory-pipe.ts";
import type { CloseReason, Connection, ConnectionHandlers } from "./transport.ts";
import { highWaterBytes, lowWaterBytes } from "./transport.ts";

/** What the first frame, and each of the later ones, may have in bytes. */
export interface FrameBytesMax {
  readonly first: number;
  readonly later: number;
}

export interface MemoryEndOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly remoteAddress: string;
  readonly frameBytesMax: FrameBytesMax;
  /** Keep what was sent, to find out whether it was written to afterwards. */
  readonly verifyFrames: boolean;
  readonly ended: (end: MemoryConnection) => void;
}

export class MemoryConnection implements Connection {
  readonly remoteAddress: string;
  readonly #options: MemoryEndOptions;
  #handlers: ConnectionHandlers | undefined;
  #out: MemoryPipe | undefined;
  #peer: MemoryConnection | undefined;
  #state: Connection["state"] = "opening";
  #hasOpened = false;
  /** What the next frame may have. */
  #frameBytesMax: number;
  #isAboveHighWater = false;
  #heardAt = 0;
  #aliveTimer: Timer | undefined;
  #stuckTimer: Timer | undefined;
  /** Ends a dial or a close handshake that takes too long. */
  #limitTimer: Timer | undefined;

  constructor(options: MemoryEndOptions) {
    this.#options = options;
    this.remoteAddress = options.remoteAddress;
    this.#frameBytesMax = options.frameBytesMax.first;
  }

  get state(): Connection["state"] {
    return this.#state;
  }

  get bufferedBytes(): number {
    return this.#out?.bufferedBytes ?? 0;
  }

  /** @internal The other end and the way to it. */
  connect(out: MemoryPipe, peer: MemoryConnection): void {
    this.#out = out;
    this.#peer = peer;
  }

  /** @internal */
  attach(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
  }

  /** @internal The accepting end is open from the start. */
  open(): void {
    this.#state = "open";
    this.#hasOpened = true;
    this.#heardAt = this.#options.clock.now();
    this.#limitTimer?.cancel();
    this.#watchSilence(silentMsDefault);
  }

  /** @internal Gives up dialling after `timeoutMs`. */
  limitDial(timeoutMs: number): void {
    this.#limitTimer = this.#options.timers.after(timeoutMs, () => {
      this.end(abnormalCode, {
        type: "unreachable",
        message: `${this.remoteAddress}: no answer in ${String(timeoutMs)} ms`,
      });
    });
  }

  send(frame: Uint8Array): void {
    if (this.#state !== "open" || this.#out === undefined) return;
    if (this.#out.bufferedBytes > maxBufferedBytesDefault) {
      this.#drop("dropped: too many bytes wait and the peer does not read");
      return;
    }
    const { verifyFrames } = this.#options;
    // The receiver gets bytes of its own, as from a real network.
    this.#out.push({
      type: "frame",
      frame: new Uint8Array(frame),
      sent: verifyFrames ? frame : undefined,
    });
    const waiting = this.#out.bufferedBytes;
    if (waiting > highWaterBytes) this.#isAboveHighWater = true;
    if (waiting > 0 && this.#stuckTimer === undefined) this.#watchProgress();
  }

  close(code: number, reason: string): void {
    const text = checkClose(code, reason);
    if (this.#state === "opening") {
      this.#endSoon(code, { type: "closed", message: text });
    } else if (this.#state === "open") {
      this.#state = "closing";
      this.#out?.push({ type: "close", code, reason: text });
      this.#limitTimer = this.#options.timers.after(closeTimeoutMs, () => {
        this.#out?.push({ type: "reset" });
        this.end(abnormalCode, { type: "lost", message: "the close handshake took too long" });
      });
    }
  }

  terminate(): void {
    this.#drop("terminated by this side");
  }

  /** @internal Tells the handler, once. */
  end(code: number, reason: CloseReason): void {
    const handlers = this.#handlers;
    if (this.#state === "closed") return;
    // The other end may have accepted already: it must learn that nobody came.
    if (!this.#hasOpened) this.#out?.push({ type: "reset" });
    this.abandon();
    handlers?.close(code, reason);
  }

  /** @internal The process of this end died: nobody is told. */
  abandon(): void {
    this.#state = "closed";
    this.#aliveTimer?.cancel();
    this.#stuckTimer?.cancel();
    this.#limitTimer?.cancel();
    this.#handlers = undefined;
    this.#options.ended(this);
  }

  /** @internal Something arrived from the other end. */
  receive(item: PipeItem): void {
    if (this.#state === "closed") return;
    this.#heardAt = this.#options.clock.now();
    switch (item.type) {
      case "frame":
        this.#receiveFrame(item.frame);
        break;
      case "opened":
        if (this.#state !== "opening") break;
        this.open();
        this.#handlers?.open?.();
        break;
      case "ping":
        this.#out?.push({ type: "pong" });
        break;
      case "pong":
        break;
      case "reset":
        this.end(abnormalCode, { type: "lost", message: "the connection broke" });
        break;
      case "close":
        this.#out?.push({ type: "closed", code: item.code, reason: item.reason });
        this.end(item.code, { type: "closed", message: item.reason });
        break;
      case "closed":
        this.end(item.code, { type: "closed", message: item.reason });
        break;
    }
  }

  /** @internal The other end took bytes of ours. */
  drained(): void {
    if (!this.#isAboveHighWater || this.bufferedBytes >= lowWaterBytes) return;
    this.#isAboveHighWater = false;
    // In this host's own time: it may be paused, or dead.
    this.#options.timers.after(0, () => {
      if (this.#state === "open") this.#handlers?.drain?.();
    });
  }

  #receiveFrame(frame: Uint8Array): void {
    this.#peer?.drained();
    if (this.#state !== "open") return;
    if (frame.length <= this.#frameBytesMax) {
      this.#frameBytesMax = this.#options.frameBytesMax.later;
      this.#handlers?.frame(frame);
      return;
    }
    this.#out?.push({ type: "close", code: tooLargeCode, reason: "" });
    this.end(tooLargeCode, { type: "closed", message: "the peer sent a frame above the limit" });
  }

  #drop(message: string): void {
    if (this.#state === "closed") return;
    if (this.#hasOpened) this.#out?.push({ type: "reset" });
    this.#endSoon(abnormalCode, { type: "lost", message });
  }

  #endSoon(code: number, reason: CloseReason): void {
    this.#state = "closing";
    this.#options.timers.defer(() => {
      this.end(code, reason);
    });
  }

  #watchSilence(delayMs: number): void {
    const { clock, timers } = this.#options;
    this.#aliveTimer = timers.after(delayMs, () => {
      const silentMs = clock.now() - this.#heardAt;
      if (silentMs < silentMsDefault) {
        this.#watchSilence(silentMsDefault - silentMs);
        return;
      }
      this.#out?.push({ type: "ping" });
      this.#awaitPong();
    });
  }

  /** After a pause of this process the pong, which came first, is read before this fires. */
  #awaitPong(): void {
    const { clock, timers } = this.#options;
    const pingedAt = clock.now();
    this.#aliveTimer = timers.after(pongTimeoutMsDefault, () => {
      if (this.#heardAt > pingedAt) this.#watchSilence(silentMsDefault);
      else this.#drop("dropped: the peer is silent and does not answer a ping");
    });
  }

  #watchProgress(): void {
    const out = this.#out;
    const deliveredCount = out?.deliveredCount;
    this.#stuckTimer = this.#options.timers.after(stuckMsDefault, () => {
      this.#stuckTimer = undefined;
      if (out === undefined || out.bufferedBytes === 0) return;
      if (out.deliveredCount === deliveredCount) this.#drop("dropped: stuck");
      else this.#watchProgress();
    });
  }
}
