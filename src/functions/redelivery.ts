/** When trying again what a turn left to be done later can help, and how soon: sends and timers. */
import type { ErrorCode, LatticeError } from "../model/error.ts";
import type { Random } from "../model/random.ts";

/** Back-off with full jitter: from, doubling, up to. */
export const backOffMsMin = 50;
const backOffMsMax = 10_000;

const finalCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "invalid_argument",
  "not_found",
  "already_exists",
  "failed_precondition",
  "unauthenticated",
  "permission_denied",
  "too_large",
  "handler_error",
]);

/** Trying again cannot help; everything else is tried again for ever. */
export function isFinal({ code }: LatticeError): boolean {
  return finalCodes.has(code);
}

/** Milliseconds until the next attempt. @param attempts those that were made, from 1 */
export function backOffMs(attempts: number, random: Random): number {
  return random() * Math.min(backOffMsMax, backOffMsMin * 2 ** Math.min(attempts - 1, 20));
}
