/**
 * The WebSocket of a browser as a `Connection`. A browser dials and never listens, cannot tell a
 * refused dial from an unreachable one, and neither pings nor tells when its buffer has drained; so
 * `drain` is found by looking again while bytes wait, and silence is the client's own business.
 */
import { LatticeError } from "../../model/error.ts";
import type { Timer, Timers } from "../../platform/platform.ts";
import { abnormalCode, checkClose, isApplicationCode, tooLargeCode } from "../close-code.ts";
import { dialTimeoutMsDefault, maxBufferedBytesDefault, maxFrameBytesDefault } from "../limits.ts";
import type {
  CloseReason,
  Connection,
  ConnectionHandlers,
  DialOptions,
  Listener,
  Transport,
} from "../transport.ts";
import { highWaterBytes, lowWaterBytes } from "../transport.ts";

/** What is used of the browser's WebSocket; `ws` has the same. */
export interface BrowserSocket {
  binaryType: string;
  readonly bufferedAmount: number;
  onopen: ((event: never) => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: Uint8Array): void;
  close(code?: number, reason?: string): void;
}

export type BrowserSocketConstructor = new (address: string) => BrowserSocket;

/** The browser's; the types of Node do not know it. */
declare const WebSocket: BrowserSocketConstructor;

/** How often a full buffer is looked at. */
const drainCheckMs = 10;
/** Browsers let a page send no code between 1001 and 2999; ours travel as 4000 more than 1000. */
const browserCodeOffset = 3000;

export class BrowserWebSocketTransport implements Transport {
  readonly #timers: Timers;
  readonly #socketConstructor: BrowserSocketConstructor;

  /** @param socket @default the global WebSocket */
  constructor(timers: Timers, socket?: BrowserSocketConstructor) {
    this.#timers = timers;
    this.#socketConstructor = socket ?? WebSocket;
  }

  dial(address: string, handlers: ConnectionHandlers, options: DialOptions = {}): Connection {
    return new BrowserConnection(this.#socketConstructor, this.#timers, {
      address,
      handlers,
      options,
    });
  }

  /** @throws `failed_precondition`: browsers cannot listen */
  listen(): Promise<Listener> {
    return Promise.reject(
      new LatticeError("failed_precondition", "a browser cannot listen: dial a node instead"),
    );
  }
}

interface Dial {
  readonly address: string;
  readonly handlers: ConnectionHandlers;
  readonly options: DialOptions;
}

class BrowserConnection implements Connection {
  readonly remoteAddress: string;
  readonly #timers: Timers;
  readonly #handlers: ConnectionHandlers;
  readonly #maxFrameBytes: number;
  #socket: BrowserSocket | undefined;
  #state: Connection["state"] = "opening";
  #dialTimer: Timer | undefined;
  #drainTimer: Timer | undefined;

  constructor(socketConstructor: BrowserSocketConstructor, timers: Timers, dial: Dial) {
    const { address, handlers, options } = dial;
    this.remoteAddress = address;
    this.#timers = timers;
    this.#handlers = handlers;
    this.#maxFrameBytes = options.maxFrameBytes ?? maxFrameBytesDefault;
    try {
      this.#socket = new socketConstructor(address);
    } catch (error) {
      // Addresses come from other nodes too: a malformed one is a failed dial, not an exception.
      this.#endSoon(abnormalCode, { type: "unreachable", message: `${address}: ${String(error)}` });
      return;
    }
    this.#listenTo(this.#socket);
    const timeoutMs = options.timeoutMs ?? dialTimeoutMsDefault;
    this.#dialTimer = timers.after(timeoutMs, () => {
      const message = `${address}: no answer in ${String(timeoutMs)} ms`;
      this.#drop(abnormalCode, { type: "unreachable", message });
    });
  }

  get state(): Connection["state"] {
    return this.#state;
  }

  get bufferedBytes(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  send(frame: Uint8Array): void {
    if (this.#state !== "open" || this.#socket === undefined) return;
    if (this.#socket.bufferedAmount > maxBufferedBytesDefault) {
      const message = "dropped: too many bytes wait and the peer does not read";
      this.#drop(abnormalCode, { type: "lost", message });
      return;
    }
    this.#socket.send(frame);
    if (this.#drainTimer === undefined && this.#socket.bufferedAmount > highWaterBytes) {
      this.#awaitDrain();
    }
  }

  close(code: number, reason: string): void {
    const text = checkClose(code, reason);
    if (this.#state === "opening") {
      this.#drop(code, { type: "closed", message: text });
    } else if (this.#state === "open") {
      this.#state = "closing";
      this.#socket?.close(isApplicationCode(code) ? code : code + browserCodeOffset, text);
    }
  }

  terminate(): void {
    if (this.#state === "closed") return;
    this.#drop(abnormalCode, { type: "lost", message: "terminated by this side" });
  }

  #listenTo(socket: BrowserSocket): void {
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.#state = "open";
      this.#dialTimer?.cancel();
      this.#handlers.open?.();
    };
    socket.onmessage = ({ data }) => {
      this.#receive(data);
    };
    socket.onerror = () => {
      // Says nothing that the close event, which always follows, does not say.
    };
    socket.onclose = ({ code, reason }) => {
      this.#end(code, this.#reasonOf(code, reason));
    };
  }

  #receive(data: unknown): void {
    if (this.#state !== "open") return;
    if (!(data instanceof ArrayBuffer)) {
      this.close(4003, "binary frames only");
    } else if (data.byteLength > this.#maxFrameBytes) {
      this.close(tooLargeCode, "frame above the limit");
    } else {
      this.#handlers.frame(new Uint8Array(data));
    }
  }

  #reasonOf(code: number, reason: string): CloseReason {
    if (code !== abnormalCode) return { type: "closed", message: reason };
    return this.#state === "opening"
      ? { type: "unreachable", message: `${this.remoteAddress}: the dial failed` }
      : { type: "lost", message: "the connection broke" };
  }

  /** A browser cannot drop a connection at once: it is disowned, and closes by itself. */
  #drop(code: number, reason: CloseReason): void {
    const socket = this.#socket;
    if (socket !== undefined) {
      socket.onopen = null;
      socket.onmessage = null;
      socket.onclose = null;
      socket.close();
    }
    this.#endSoon(code, reason);
  }

  #endSoon(code: number, reason: CloseReason): void {
    this.#state = "closing";
    this.#timers.defer(() => {
      this.#end(code, reason);
    });
  }

  #end(code: number, reason: CloseReason): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#dialTimer?.cancel();
    this.#drainTimer?.cancel();
    this.#handlers.close(code, reason);
  }

  #awaitDrain(): void {
    this.#drainTimer = this.#timers.after(drainCheckMs, () => {
      this.#drainTimer = undefined;
      if (this.#state !== "open") return;
      if (this.bufferedBytes >= lowWaterBytes) this.#awaitDrain();
      else this.#handlers.drain?.();
    });
  }
}
