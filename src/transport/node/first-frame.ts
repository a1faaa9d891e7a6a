/**
 * Until a connection has said who it is, it may make this process hold little. `ws` has one limit for
 * all frames of a server and holds what has come of a frame until it is whole, so this counts the
 * bytes of the socket itself, beside `ws`: a first frame above the limit is refused as soon as the
 * chunk that exceeds it has come (64 KiB at most), however long the frame says it will be. Once the
 * first frame was taken nothing of this is left on the path of the others. A connection that is
 * refused by what its first frame says stays under the limit until it is gone.
 */
import type { Socket } from "node:net";
import { tooLargeCode } from "../close-code.ts";
import type { ConnectionHandlers } from "../transport.ts";
import { ending } from "./failure.ts";
import type { WebSocketConnection } from "./websocket-connection.ts";

/** Of one frame from a client: two bytes, eight of length, four of mask (RFC 6455, 5.2). */
const frameHeaderBytesMax = 14;
const tooLargeText = "the first frame is above its limit";

/** Attaches `handlers` to a connection that was just accepted, whose first frame has a limit. */
export function attachGuarded(
  connection: WebSocketConnection,
  handlers: ConnectionHandlers,
  socket: Socket,
  bytesMax: number,
): void {
  let hasBegun = false;
  let bytes = 0;
  const refuse = (): void => {
    socket.off("data", count);
    if (connection.state === "open") {
      connection.refuse(tooLargeCode, tooLargeText);
      // What follows is not waited for: it would be held.
      socket.destroySoon();
    } else {
      connection.abandon(ending("closed", tooLargeText, tooLargeCode));
    }
  };
  // After the listener of `ws`, which hands out whole frames at once.
  const count = (chunk: Uint8Array): void => {
    bytes += chunk.length;
    if (hasBegun && connection.state === "open") socket.off("data", count);
    else if (bytes > bytesMax + frameHeaderBytesMax) refuse();
  };
  socket.on("data", count);
  connection.attach({
    frame: (frame) => {
      if (frame.length > bytesMax) {
        refuse();
        return;
      }
      hasBegun = true;
      connection.attach(handlers);
      handlers.frame(frame);
    },
    close: (code, reason) => {
      handlers.close(code, reason);
    },
    drain: () => handlers.drain?.(),
  });
}
