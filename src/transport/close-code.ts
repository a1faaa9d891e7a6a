/**
 * Codes and reasons of the WebSocket closing handshake (RFC 6455 §7.4).
 *
 * 1000 and 4000–4999 may be sent from everywhere; outside browsers also 1001 (going away), 1008
 * (policy), 1009 (too large), 1011 (internal), 1012 (restart) and 1013 (try again later).
 */
import { assert } from "../model/assert.ts";

/** What `close` handlers get for a connection that ended without a handshake. */
export const abnormalCode = 1006;
const normalCode = 1000;
/** A text frame came: only binary ones are spoken here. */
export const unsupportedDataCode = 1003;
export const tooLargeCode = 1009;
/** A close frame without a code. */
export const noStatusCode = 1005;

const reasonBytesMax = 123;
const serverCodes: ReadonlySet<number> = new Set([1001, 1008, 1009, 1011, 1012, 1013]);
const encoder = new TextEncoder();

export function isApplicationCode(code: number): boolean {
  return code === normalCode || (Number.isInteger(code) && code >= 4000 && code <= 4999);
}

/**
 * Checks what is about to be sent and returns the reason, cut to the 123 bytes that fit.
 * @throws `internal` for a code that must not be sent
 */
export function checkClose(code: number, reason: string): string {
  const isAllowed = isApplicationCode(code) || serverCodes.has(code);
  assert(isAllowed, `close code ${String(code)} is neither 1000, 4000–4999 nor one of ours`);
  const bytes = encoder.encode(reason);
  if (bytes.length <= reasonBytesMax) return reason;
  // A decoder in stream mode keeps the cut-off character to itself instead of marking it broken.
  return new TextDecoder().decode(bytes.subarray(0, reasonBytesMax), { stream: true });
}
