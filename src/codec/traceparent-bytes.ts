/** A trace context as bytes: its digits in pairs. 1 of the version, 16 of the trace, 8 of the span, 1 of flags. */
import { isTraceparent } from "../model/traceparent.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { ByteWriter } from "./byte-writer.ts";
import { MalformedBytes } from "./malformed.ts";

export const traceparentBytes = 26;

/** @param traceparent one that has the form (`isTraceparent`) */
export function writeTraceparent(to: ByteWriter, traceparent: string): void {
  for (const [digits] of traceparent.matchAll(/\w\w/g)) to.u8(parseInt(digits, 16));
}

/** @throws MalformedBytes also for an id of nothing but zeros */
export function readTraceparent(from: ByteReader): string {
  let digits = "";
  while (digits.length < 2 * traceparentBytes) digits += from.u8().toString(16).padStart(2, "0");
  const traceparent = digits.replace(/(..)(.{32})(.{16})/, "$1-$2-$3-");
  if (!isTraceparent(traceparent)) throw new MalformedBytes("has a trace of an unknown form");
  return traceparent;
}
