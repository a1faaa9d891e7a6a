/**
 * Exponential back-off with full jitter: uniform between 0 and the ceiling, the ceiling doubling
 * with every attempt. Of the usual variants it needs the fewest calls and the least time when many
 * callers meet one recovering node, because it spreads them over the whole interval.
 *
 * Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 */
import type { Random } from "../model/random.ts";

/** The shape of a back-off: its first ceiling and the highest one, in milliseconds. */
export interface BackOff {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** Between two attempts of one call. Short: a takeover takes tens of milliseconds. */
export const callBackOff: BackOff = { baseMs: 10, maxMs: 1_000 };

/** Between two dials of one node by a client (`cluster.md` §2). */
export const clientDialBackOff: BackOff = { baseMs: 250, maxMs: 30_000 };

/** Milliseconds to wait before attempt `attempt` + 1 (`attempt` ≥ 0 have failed in a row before). */
export function fullJitterMs(backOff: BackOff, attempt: number, random: Random): number {
  // 2^31 is far above any ceiling; the bound keeps the power finite for ever-failing callers.
  const ceiling = Math.min(backOff.maxMs, backOff.baseMs * 2 ** Math.min(attempt, 31));
  return random() * ceiling;
}
