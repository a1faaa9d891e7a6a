/**
 * When the machine tells the world that a process is gone. A killed process frees its memory before
 * its connections are closed (Linux, `do_exit`), so that nobody can know at once: it is the least
 * time that anything takes which begins with a lost connection.
 */
import { connect } from "node:net";
import { monotonicMs } from "./monotonic.ts";

/**
 * Opens a connection to a node's port and says nothing. Resolves when it stands, with a promise of
 * the time at which it was closed, on the clock of `monotonicMs`.
 * @param address such as `ws://127.0.0.1:7400`
 */
export function watchClose(address: string): Promise<{ readonly closedAt: Promise<number> }> {
  const { hostname, port } = new URL(address);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) });
    const closedAt = new Promise<number>((closed) => {
      socket.once("end", () => {
        closed(monotonicMs());
      });
      socket.once("error", (error) => {
        closed(monotonicMs());
        reject(error);
      });
    });
    socket.once("connect", () => {
      socket.resume();
      resolve({ closedAt });
    });
  });
}
