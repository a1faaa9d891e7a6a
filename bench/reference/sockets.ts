/**
 * WebSockets as fast as `ws` gives them: no compression (negotiated with defaults it costs ten times
 * a message), no copies of received data, loopback only.
 */
import type { Buffer } from "node:buffer";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocket, WebSocketServer } from "ws";

const options = { perMessageDeflate: false, skipUTF8Validation: true } as const;
const binary = { binary: true, compress: false, fin: true } as const;

/** Listens on a free port; resolves with the address. Calls `accept` for every connection. */
export async function listen(accept: (socket: WebSocket) => void): Promise<string> {
  const server = new WebSocketServer({ ...options, host: "127.0.0.1", port: 0 });
  server.on("connection", accept);
  await once(server, "listening");
  return `ws://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
}

/** Resolves when the connection is open. A connection that breaks ends the process. */
export async function dial(address: string | undefined): Promise<WebSocket> {
  if (address === undefined) throw new Error("no server to connect to");
  const socket = new WebSocket(address, options);
  await once(socket, "open");
  socket.on("close", () => {
    throw new Error(`the connection to ${address} broke`);
  });
  return socket;
}

export function send(socket: WebSocket, frame: Uint8Array): void {
  socket.send(frame, binary);
}

export function onFrame(socket: WebSocket, take: (frame: Buffer) => void): void {
  // Buffers are what `ws` hands out for binary messages unless it is told otherwise.
  socket.on("message", take as (data: unknown) => void);
}
