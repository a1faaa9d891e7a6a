/** WebSockets in Node.js: the transport of nodes, and of clients outside browsers. */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { WebSocket, WebSocketServer } from "ws";
import type { Timers } from "../../platform/platform.ts";
import {
  chunkBytesMin,
  closeTimeoutMs,
  connectionCountMax,
  dialTimeoutMsDefault,
  fragmentCountMax,
  maxBufferedBytesDefault,
  maxFrameBytesDefault,
  pongTimeoutMsDefault,
  silentMsDefault,
  stuckMsDefault,
} from "../limits.ts";
import type {
  Accept,
  Connection,
  ConnectionHandlers,
  DialOptions,
  ListenOptions,
  Transport,
} from "../transport.ts";
import { abnormalCode } from "../close-code.ts";
import { ConnectionSet } from "./connection-set.ts";
import { ending } from "./failure.ts";
import { attachGuarded } from "./first-frame.ts";
import { WebSocketConnection } from "./websocket-connection.ts";
import type { WebSocketListener } from "./websocket-listener.ts";
import { listenHttp } from "./websocket-listener.ts";

export interface WebSocketTransportOptions {
  /** Nothing heard for so long: ping. @default 15,000 */
  readonly silentMs?: number;
  /** No answer to it for so long: dropped. @default 10,000 */
  readonly pongTimeoutMs?: number;
  /** Bytes wait and none gets away for so long: dropped. @default 10,000, one second more per MiB */
  readonly stuckMs?: number;
  /** More bytes waiting when a frame is added: dropped. @default 8 MiB */
  readonly maxBufferedBytes?: number;
}

export class WebSocketTransport implements Transport {
  readonly #timers: Timers;
  readonly #connections: ConnectionSet;

  constructor(timers: Timers, options: WebSocketTransportOptions = {}) {
    this.#timers = timers;
    this.#connections = new ConnectionSet(timers, {
      silentMs: options.silentMs ?? silentMsDefault,
      pongTimeoutMs: options.pongTimeoutMs ?? pongTimeoutMsDefault,
      stuckMs: options.stuckMs ?? stuckMsDefault,
      maxBufferedBytes: options.maxBufferedBytes ?? maxBufferedBytesDefault,
    });
  }

  /** Connections that are not closed yet. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  dial(address: string, handlers: ConnectionHandlers, options: DialOptions = {}): Connection {
    const { timeoutMs = dialTimeoutMsDefault, maxFrameBytes = maxFrameBytesDefault } = options;
    let socket: WebSocket;
    try {
      socket = new WebSocket(address, socketOptions(maxFrameBytes));
    } catch (error) {
      // Addresses come from other nodes too: a malformed one is a failed dial, not an exception.
      return this.#failedDial(address, handlers, String(error));
    }
    const { limits, remove } = this.#connections;
    const timer = this.#timers.after(timeoutMs, () => {
      connection.abandon(ending("unreachable", `${address}: no answer in ${String(timeoutMs)} ms`));
    });
    const connection = new WebSocketConnection(socket, address, limits, (ended) => {
      timer.cancel();
      remove(ended);
    });
    socket.once("open", () => {
      timer.cancel();
    });
    connection.attach(handlers);
    this.#connections.add(connection);
    return connection;
  }

  /** Binds loopback addresses only; see `listenHttp` for the errors. */
  listen(options: ListenOptions, accept: Accept): Promise<WebSocketListener> {
    const { maxFrameBytes = maxFrameBytesDefault, maxFirstFrameBytes } = options;
    const server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      ...socketOptions(maxFrameBytes),
    });
    const acceptSocket = (socket: WebSocket, request: IncomingMessage): void => {
      const { remoteAddress = "", remotePort = 0 } = request.socket;
      const { limits, remove } = this.#connections;
      const peer = `${remoteAddress}:${String(remotePort)}`;
      const connection = new WebSocketConnection(socket, peer, limits, remove);
      this.#connections.add(connection);
      const handlers = accept(connection);
      if (maxFirstFrameBytes === undefined) connection.attach(handlers);
      else attachGuarded(connection, handlers, request.socket, maxFirstFrameBytes);
    };
    return listenHttp(options, (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (this.#connections.size >= connectionCountMax) return false;
      server.handleUpgrade(request, socket, head, acceptSocket);
      return true;
    });
  }

  #failedDial(address: string, handlers: ConnectionHandlers, message: string): Connection {
    let state: Connection["state"] = "opening";
    this.#timers.defer(() => {
      state = "closed";
      handlers.close(abnormalCode, { type: "unreachable", message: `${address}: ${message}` });
    });
    const nothing = (): void => undefined;
    return {
      get state() {
        return state;
      },
      remoteAddress: address,
      bufferedBytes: 0,
      send: nothing,
      close: nothing,
      terminate: nothing,
    };
  }
}

/**
 * `maxFragments`, `maxBufferedChunks` and `closeTimeout` exist since ws 8.22 or so, and not in its
 * types; a spread passes them on.
 */
function socketOptions(maxFrameBytes: number): {
  perMessageDeflate: false;
  maxPayload: number;
  allowSynchronousEvents: true;
  skipUTF8Validation: true;
} {
  const hardening = {
    maxFragments: fragmentCountMax,
    maxBufferedChunks: Math.max(fragmentCountMax, Math.ceil(maxFrameBytes / chunkBytesMin)),
    closeTimeout: closeTimeoutMs,
  };
  return {
    // Compressing costs ten times the rest of a small message, also where it gains nothing.
    perMessageDeflate: false,
    maxPayload: maxFrameBytes,
    // Frames that arrived together are handled together: a third of the throughput.
    allowSynchronousEvents: true,
    // Text frames are refused whatever they contain.
    skipUTF8Validation: true,
    ...hardening,
  };
}
