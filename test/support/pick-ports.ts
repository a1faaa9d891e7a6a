/**
 * Ports that are free now and stay free for long enough: below the range that the system takes for
 * outgoing connections, at a random place so that runs side by side do not meet.
 */
import { createServer } from "node:net";

const lowest = 10_000;
const highest = 30_000;

export async function pickPorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  let port = lowest + Math.floor(Math.random() * (highest - lowest));
  while (ports.length < count) {
    if (await isFree(port)) ports.push(port);
    port = port >= highest ? lowest : port + 1;
  }
  return ports;
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
