/**
 * Moves frames between addresses. A frame is an opaque byte string, delivered whole, in order, at
 * most once, or not at all together with everything after it. Implementations: WebSockets
 * (`node/`, `browser/`), memory, and the simulator's network; one conformance suite holds them all.
 */
export interface Transport {
  /** Opens a connection; the outcome arrives through `handlers`. Returns it in state "opening". */
  dial(address: string, handlers: ConnectionHandlers, options?: DialOptions): Connection;
  /** Accepts connections. Rejects with `LatticeError` (port in use, address refused …). */
  listen(options: ListenOptions, accept: Accept): Promise<Listener>;
}

export interface DialOptions {
  /** Default 5,000. */
  readonly timeoutMs?: number;
  /** Frames above it close the connection with 1009. Default 16 MiB. */
  readonly maxFrameBytes?: number;
}

export interface ListenOptions {
  /** Default "127.0.0.1". */
  readonly host?: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly maxFrameBytes?: number;
  /**
   * As `maxFrameBytes`, for the first frame of every connection: a stranger's. Not much more of it
   * is ever held. Default `maxFrameBytes`.
   */
  readonly maxFirstFrameBytes?: number;
}

/** Called for every incoming connection, which is already open. */
export type Accept = (connection: Connection) => ConnectionHandlers;

export interface Listener {
  /** `ws://host:port` as bound. */
  readonly address: string;
  /** Stops accepting; open connections stay. */
  close(): Promise<void>;
}

export interface ConnectionHandlers {
  /** Only for dialled connections. */
  open?(): void;
  /** `frame` may be kept: it is not written to again. */
  frame(frame: Uint8Array): void;
  /** Called exactly once, also when dialling failed (then `reason` says how) and after `close`. */
  close(code: number, reason: CloseReason): void;
  /** `bufferedBytes` fell below the low-water mark after having been above the high one. */
  drain?(): void;
}

/**
 * How a connection ended: `refused` (somebody answers "nobody listens here": hard evidence of a
 * crash), `unreachable` (timed out or no route), `lost` (broke without a close handshake), `closed`
 * (with a close handshake: see the code).
 */
export interface CloseReason {
  readonly type: "refused" | "unreachable" | "lost" | "closed";
  readonly message: string;
}

export interface Connection {
  readonly state: "opening" | "open" | "closing" | "closed";
  readonly remoteAddress: string;
  /** Bytes accepted by `send` and not yet handed to the operating system. */
  readonly bufferedBytes: number;
  /** The connection keeps a reference: the caller must not write to these bytes again. Ignored unless open. */
  send(frame: Uint8Array): void;
  /**
   * Close handshake with a code (1000, 4000–4999, and 1001, 1008, 1009, 1011–1013, which travel as
   * 3000 more from browsers) and a reason, cut at 123 bytes. On a connection that is still opening
   * it gives up the dial; `close` follows with this code. Frames that arrive later are dropped.
   * @throws `internal` for any other code
   */
  close(code: number, reason: string): void;
  /** Drops the connection now, without a handshake; `close` follows with type "lost". */
  terminate(): void;
}

/** Water marks on `bufferedBytes`; above `high` a sender stops queueing until `drain`. */
export const highWaterBytes = 1024 * 1024;
export const lowWaterBytes = 256 * 1024;
