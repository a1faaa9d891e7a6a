/** A source of chance: uniform in [0, 1). Pure rooms receive one; only `platform` makes real ones. */
export type Random = () => number;

/** A uniform integer in [0, bound). */
export function randomBelow(random: Random, bound: number): number {
  return Math.floor(random() * bound);
}

/** A uniform 53-bit integer ≥ 1, used for writer ids. */
export function randomId(random: Random): number {
  return 1 + Math.floor(random() * (Number.MAX_SAFE_INTEGER - 1));
}
