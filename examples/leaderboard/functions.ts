/**
 * A leaderboard: the best score of each player. It only ever rises, so it is a `crdt.max` per player:
 * submitted twice, late or on both sides of a split network, the best one stands.
 */
import { crdt, defineFunction } from "latticework";

export interface Place {
  readonly rank: number;
  readonly player: string;
  readonly score: number;
}

/** Places of one answer. */
const placesMax = 100;

export const leaderboard = defineFunction({
  description: "The best scores of one game. The key names the game.",
  state: { best: crdt.map(crdt.max()) },
  handlers: {
    /** Answers whether it is the player's best. */
    submit(ctx, { player, score }: { readonly player: string; readonly score: number }): boolean {
      const before = ctx.state.best.get(player) ?? -Infinity;
      ctx.state.best.at(player).observe(score);
      return score > before;
    },
  },
  queries: {
    top: ({ state }, count: number) => topOf(state.best.entries(), Math.min(count, placesMax)),
  },
});

export const functions = { leaderboard };
export type Functions = typeof functions;

/** The first places; equal scores share a rank. For the query, and for who watches the state. */
export function topOf(
  best: Iterable<readonly [player: string, score: number | undefined]>,
  count: number,
): Place[] {
  const sorted = [...best]
    .map(([player, score = -Infinity]) => ({ player, score }))
    .sort((a, b) => b.score - a.score || (a.player < b.player ? -1 : 1));
  return sorted.slice(0, count).map((one) => {
    return { rank: 1 + sorted.findIndex(({ score }) => score === one.score), ...one };
  });
}
