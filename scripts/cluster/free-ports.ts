/** Ports of this machine that nobody listens on. */
import { createServer } from "node:net";

/** The first `count` free ports from `from` on, or any when `from` is 0. */
export async function freePorts(count: number, from: number): Promise<number[]> {
  if (from === 0) return new Array<number>(count).fill(0);
  const free: number[] = [];
  for (let port = from; free.length < count && port < 65_536; port++) {
    if (await isFree(port)) free.push(port);
    else console.log(`  port ${String(port)} is taken, trying the next one`);
  }
  return free;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => {
      resolve(false);
    });
    server.listen(port, "127.0.0.1", () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
