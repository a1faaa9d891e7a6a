/** What every transport checks before it listens. */
import { LatticeError } from "../model/error.ts";
import { isLoopbackHost } from "./loopback.ts";

export const hostDefault = "127.0.0.1";
const portMax = 65_535;

/** @throws `permission_denied` for any address that other machines can reach */
export function checkHost(host: string): void {
  if (isLoopbackHost(host)) return;
  throw new LatticeError(
    "permission_denied",
    `refusing to listen on ${host}: links are neither encrypted nor authenticated yet, so whoever ` +
      "reaches the port could read and change everything; listen on 127.0.0.1",
  );
}

/** @throws `invalid_argument` */
export function checkPort(port: number): void {
  if (Number.isInteger(port) && port >= 0 && port <= portMax) return;
  throw new LatticeError(
    "invalid_argument",
    `port ${String(port)}: give 0 (any free one) to ${String(portMax)}`,
  );
}

export function portInUse(host: string, port: number, cause?: unknown): LatticeError {
  return new LatticeError(
    "failed_precondition",
    `port ${String(port)} on ${host} is in use: choose another one (--port, listen.port), or stop ` +
      "the other process",
    { cause },
  );
}
