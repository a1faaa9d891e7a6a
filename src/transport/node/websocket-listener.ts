/**
 * The one HTTP server of a node. WebSocket upgrades of `/` become connections; everything else is
 * offered to whoever registered for it (the gateway), and refused when nobody takes it.
 *
 * Before anybody sees a request: Host and Origin must be loopback names (see `../loopback.ts`),
 * sockets that do not finish their handshake are counted and cut off.
 */
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { checkHost, checkPort, hostDefault } from "../binding.ts";
import { handshakeTimeoutMs, maxHeaderBytes, unfinishedHandshakeCountMax } from "../limits.ts";
import { isLoopbackHostHeader, isLoopbackOrigin } from "../loopback.ts";
import type { Listener } from "../transport.ts";
import { listenFailure } from "./failure.ts";

/** Returns whether it takes the request. Whoever takes one must end its response. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => boolean;
/** Returns whether it takes the socket. Whoever takes one owns it and its errors. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean;

export interface WebSocketListener extends Listener {
  /** Handlers are asked in the order of registration. Returns how to take the handler away again. */
  onRequest(handler: RequestHandler): () => void;
  /** As `onRequest`; asked before the node's own links, which live at `/`. */
  onUpgrade(handler: UpgradeHandler): () => void;
}

const checkIntervalMs = 1000;

/** @throws `permission_denied` for other addresses than loopback, `invalid_argument` for a bad port,
 *    `failed_precondition` when the port is taken. */
export async function listenHttp(
  options: { readonly host?: string; readonly port: number },
  acceptLink: UpgradeHandler,
): Promise<WebSocketListener> {
  const { host = hostDefault, port } = options;
  checkHost(host);
  checkPort(port);
  const requestHandlers: RequestHandler[] = [];
  const upgradeHandlers: UpgradeHandler[] = [];
  const server = createServer({
    headersTimeout: handshakeTimeoutMs,
    connectionsCheckingInterval: checkIntervalMs,
    maxHeaderSize: maxHeaderBytes,
    noDelay: true,
  });
  limitUnfinished(server);
  server.on("request", (request, response) => {
    if (!isFromHere(request)) answer(response, 403, foreignText);
    else if (!requestHandlers.some((take) => take(request, response)))
      answer(response, 404, emptyText);
  });
  server.on("upgrade", (request, socket: Duplex, head) => {
    socket.on("error", ignoreReset);
    if (!isFromHere(request)) refuseUpgrade(socket, "403 Forbidden", foreignText);
    else if (upgradeHandlers.some((take) => take(request, socket, head))) return;
    else if (request.url !== "/") refuseUpgrade(socket, "404 Not Found", emptyText);
    else if (!acceptLink(request, socket, head))
      refuseUpgrade(socket, "503 Service Unavailable", fullText);
  });
  await bind(server, host, port);
  return {
    address: addressOf(server.address() as AddressInfo),
    onRequest: (handler) => register(requestHandlers, handler),
    onUpgrade: (handler) => register(upgradeHandlers, handler),
    close: () => closeServer(server),
  };
}

const foreignText =
  "This node serves this machine only: Host and Origin must be 127.0.0.1, localhost or [::1].\n";
const emptyText =
  "Nothing is served at this path. Links of nodes and clients are WebSockets at /.\n";
const fullText = "Too many connections.\n";

function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => {
      reject(listenFailure(host, port, error));
    };
    server.once("error", failed);
    server.listen({ host: host === "[::1]" ? "::1" : host, port }, () => {
      server.off("error", failed);
      resolve();
    });
  });
}

/**
 * The port is free when this returns; upgraded sockets and running responses stay. (The descriptor
 * is closed within the call; what is still connected delays only the server's event.)
 */
function closeServer(server: Server): Promise<void> {
  if (server.listening) {
    server.close();
    server.closeIdleConnections();
  }
  return Promise.resolve();
}

/** A flood of sockets that never finish their handshake must not use up the process. */
function limitUnfinished(server: Server): void {
  const unfinished = new Set<Socket>();
  const finish = (request: IncomingMessage): void => {
    unfinished.delete(request.socket);
  };
  server.on("connection", (socket) => {
    if (unfinished.size >= unfinishedHandshakeCountMax) {
      socket.destroy();
      return;
    }
    unfinished.add(socket);
    socket.once("close", () => unfinished.delete(socket));
  });
  server.on("request", finish);
  server.on("upgrade", finish);
}

/** Requests of programs have no Origin; those of pages must come from pages of this machine. */
function isFromHere(request: IncomingMessage): boolean {
  const { host, origin } = request.headers;
  return isLoopbackHostHeader(host) && (origin === undefined || isLoopbackOrigin(origin));
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, {
    "content-type": "text/plain",
    "content-length": Buffer.byteLength(text),
  });
  response.end(text);
}

function refuseUpgrade(socket: Duplex, status: string, text: string): void {
  const length = String(Buffer.byteLength(text));
  socket.end(
    `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: text/plain\r\n` +
      `content-length: ${length}\r\n\r\n${text}`,
    () => socket.destroy(),
  );
}

/** Before a socket has an owner, a peer that goes away is nobody's business. */
function ignoreReset(): void {
  // `close` follows and frees what there is.
}

function register<T>(handlers: T[], handler: T): () => void {
  handlers.push(handler);
  return () => {
    const index = handlers.indexOf(handler);
    if (index >= 0) handlers.splice(index, 1);
  };
}

function addressOf({ address, family, port }: AddressInfo): string {
  return `ws://${family === "IPv6" ? `[${address}]` : address}:${String(port)}`;
}
