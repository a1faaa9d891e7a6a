/**
 * One WebSocket as a `Connection`.
 *
 * `ws` never stops a sender: it buffers what the operating system does not take. So the number of
 * waiting bytes is watched here: above the high-water mark the sender is told to wait for `drain`
 * (by `bufferedBytes`), and a peer that does not read at all is dropped. Checks of silence and
 * progress count the rounds of one timer for all connections instead of reading a clock for every
 * frame; a process that was stopped therefore does not blame its peers for its own pause.
 */
import type { Buffer } from "node:buffer";
import type { WebSocket } from "ws";
import { checkClose, noStatusCode, abnormalCode, unsupportedDataCode } from "../close-code.ts";
import type { CloseReason, Connection, ConnectionHandlers } from "../transport.ts";
import { highWaterBytes, lowWaterBytes } from "../transport.ts";
import type { Ending } from "./failure.ts";
import { connectionFailure, dialFailure, ending } from "./failure.ts";

export interface ConnectionLimits {
  readonly maxBufferedBytes: number;
  /** Rounds without progress, without a sign of life, and without an answer to a ping. */
  readonly stuckRounds: number;
  readonly silentRounds: number;
  readonly pongRounds: number;
}

/** A write of more than this may take longer than `stuckMs`: one round more for each such piece. */
const bytesPerRound = 1024 * 1024;
const frameOptions = { binary: true, compress: false, fin: true };

export class WebSocketConnection implements Connection {
  readonly remoteAddress: string;
  readonly #socket: WebSocket;
  readonly #limits: ConnectionLimits;
  readonly #ended: (connection: WebSocketConnection) => void;
  #handlers: ConnectionHandlers;
  #state: Connection["state"];
  /** Set as soon as it is known why the connection ends; told when it has ended. */
  #ending: Ending | undefined;
  #isAboveHighWater = false;
  #hasProgressed = true;
  #stuckRounds = 0;
  #hasHeard = true;
  #silentRounds = 0;

  constructor(
    socket: WebSocket,
    remoteAddress: string,
    limits: ConnectionLimits,
    ended: (connection: WebSocketConnection) => void,
  ) {
    this.#socket = socket;
    this.remoteAddress = remoteAddress;
    this.#limits = limits;
    this.#ended = ended;
    this.#handlers = unattached;
    this.#state = socket.readyState === socket.OPEN ? "open" : "opening";
    socket.on("message", this.#onMessage);
    socket.on("pong", this.#onHeard);
    socket.on("ping", this.#onHeard);
    socket.on("error", this.#onError);
    socket.on("close", this.#onClose);
    if (this.#state === "opening") socket.on("open", this.#onOpen);
  }

  get state(): Connection["state"] {
    return this.#state;
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  /** Handlers are known only after the connection: `accept` is given the one and returns the other. */
  attach(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
  }

  send(frame: Uint8Array): void {
    if (this.#state !== "open") return;
    const waiting = this.#socket.bufferedAmount;
    if (waiting > this.#limits.maxBufferedBytes) {
      this.abandon(
        ending("lost", `dropped: ${String(waiting)} bytes wait and the peer does not read`),
      );
      return;
    }
    this.#socket.send(frame, frameOptions, this.#onWritten);
    if (this.#socket.bufferedAmount > highWaterBytes) this.#isAboveHighWater = true;
  }

  close(code: number, reason: string): void {
    const text = checkClose(code, reason);
    if (this.#state === "opening") {
      this.abandon(ending("closed", reason, code));
    } else if (this.#state === "open") {
      this.#state = "closing";
      this.#socket.close(code, text);
    }
  }

  /** Closes because of what the peer did; the handler is told the same as the peer. */
  refuse(code: number, reason: string): void {
    this.#ending ??= ending("closed", reason, code);
    this.close(code, reason);
  }

  terminate(): void {
    this.abandon(ending("lost", "terminated by this side"));
  }

  /** Drops the connection; `how` is what the handler will be told unless a reason is known already. */
  abandon(how: Ending): void {
    if (this.#state === "closed") return;
    this.#ending ??= how;
    this.#state = "closing";
    this.#socket.terminate();
  }

  /** One round of the transport's timer: is the peer alive, and do our bytes get away? */
  check(): void {
    if (this.#state !== "open" && this.#state !== "closing") return;
    this.#checkProgress();
    this.#checkSilence();
  }

  #checkProgress(): void {
    const waiting = this.#socket.bufferedAmount;
    if (this.#hasProgressed || waiting === 0) {
      this.#hasProgressed = false;
      this.#stuckRounds = 0;
      return;
    }
    this.#stuckRounds += 1;
    if (this.#stuckRounds < this.#limits.stuckRounds + waiting / bytesPerRound) return;
    this.abandon(ending("lost", `dropped: stuck with ${String(waiting)} bytes waiting`));
  }

  #checkSilence(): void {
    const { silentRounds, pongRounds } = this.#limits;
    if (this.#hasHeard) {
      this.#hasHeard = false;
      this.#silentRounds = 0;
      return;
    }
    this.#silentRounds += 1;
    if (this.#silentRounds >= silentRounds + pongRounds) {
      this.abandon(ending("lost", "dropped: the peer is silent and does not answer a ping"));
    } else if (this.#silentRounds === silentRounds && this.#state === "open") {
      this.#socket.ping();
    }
  }

  readonly #onOpen = (): void => {
    this.#state = "open";
    this.#handlers.open?.();
  };

  readonly #onMessage = (data: Buffer, isBinary: boolean): void => {
    this.#hasHeard = true;
    if (this.#state !== "open") return;
    if (isBinary) {
      // A plain view, not the Buffer: its `slice` copies, as everybody above expects.
      this.#handlers.frame(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      return;
    }
    this.#state = "closing";
    this.#ending ??= ending("closed", "the peer sent a text frame", unsupportedDataCode);
    this.#socket.close(unsupportedDataCode, "binary frames only");
  };

  readonly #onHeard = (): void => {
    this.#hasHeard = true;
  };

  readonly #onWritten = (): void => {
    this.#hasProgressed = true;
    if (!this.#isAboveHighWater || this.#socket.bufferedAmount >= lowWaterBytes) return;
    this.#isAboveHighWater = false;
    if (this.#state === "open") this.#handlers.drain?.();
  };

  readonly #onError = (error: Error): void => {
    this.#ending ??=
      this.#state === "opening" ? dialFailure(this.remoteAddress, error) : connectionFailure(error);
  };

  readonly #onClose = (code: number, reason: Buffer): void => {
    if (this.#state === "closed") return;
    this.#state = "closed";
    const { code: endCode, reason: endReason } = this.#ending ?? handshakeEnding(code, reason);
    this.#ended(this);
    this.#handlers.close(endCode, endReason);
  };
}

function handshakeEnding(code: number, reason: Buffer): Ending {
  if (code === abnormalCode) return ending("lost", "the connection broke");
  const text = reason.toString();
  return ending("closed", text || (code === noStatusCode ? "closed without a code" : ""), code);
}

/** Until `attach`, which follows in the same callback. */
const unattached: ConnectionHandlers = {
  frame() {
    throw new Error("a frame came before its connection had handlers");
  },
  close(_code: number, reason: CloseReason) {
    throw new Error(`a connection without handlers ended: ${reason.message}`);
  },
};
