/**
 * Rate limits by a sliding window: of each key at most so many calls in any stretch of that length,
 * through whichever node they come. When each was allowed is kept while it is in the window, so no
 * key holds more than its limit.
 */
import { crdt, defineFunction } from "latticework";

export interface Limit {
  /** Calls allowed in any `windowMs`. */
  readonly limit: number;
  readonly windowMs: number;
}

export interface Answer {
  readonly allowed: boolean;
  /** Calls that would be allowed right now, after this one. */
  readonly remaining: number;
  /** Milliseconds until the next call is allowed; 0 while some remain. */
  readonly retryAfterMs: number;
}

/** Served on both sides of a split, so that each allows the limit; afterwards all of it counts. */
function slidingWindow({ limit, windowMs }: Limit) {
  return defineFunction({
    description: `At most ${limit} calls of a key in ${windowMs} ms.`,
    state: { grants: crdt.map<number>() },
    handlers: {
      take(ctx): Answer {
        const now = ctx.now();
        const { grants } = ctx.state;
        for (const [id, at] of [...grants.entries()]) {
          if (at <= now - windowMs) grants.delete(id);
        }
        const allowed = grants.size < limit;
        // Named so that no two are one, also where both sides of a split allowed some.
        if (allowed) grants.set(`${now}-${ctx.random()}`, now);
        return { allowed, ...after([...grants.values()], now) };
      },
    },
  });

  function after(grants: readonly number[], now: number): Omit<Answer, "allowed"> {
    const remaining = Math.max(0, limit - grants.length);
    if (remaining > 0) return { remaining, retryAfterMs: 0 };
    // One is free when all but `limit - 1` have left the window.
    const leaving = [...grants].sort((a, b) => a - b)[grants.length - limit]!;
    return { remaining, retryAfterMs: leaving + windowMs - now };
  }
}

export const limits = {
  login: { limit: 3, windowMs: 2_000 },
  search: { limit: 20, windowMs: 1_000 },
} as const satisfies Readonly<Record<string, Limit>>;

export const functions = {
  login: slidingWindow(limits.login),
  search: slidingWindow(limits.search),
};
export type Functions = typeof functions;
