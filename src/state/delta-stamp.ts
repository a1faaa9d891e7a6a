/**
 * The stamp of a commit, off its bytes: whoever only compares clocks need not read all of it. On the
 * way of every commit that is received, so it makes nothing.
 */
import type { HybridTime } from "../model/time.ts";

const varintBytesMax = 8;

/** @param delta a commit's body; 0 where it is none */
export function stampOf(delta: Uint8Array): HybridTime {
  // Behind the version and the mark: see `delta-bytes.ts`.
  let at = 1;
  while (at < delta.length && delta[at]! >= 0x80) at += 1;
  at += 1;
  let time = 0;
  let scale = 1;
  for (let index = 0; index < varintBytesMax && at < delta.length; index += 1) {
    const byte = delta[at]!;
    time += (byte & 0x7f) * scale;
    if (byte < 0x80) return time;
    scale *= 0x80;
    at += 1;
  }
  return 0;
}
