/** A source of chance: uniform in [0, 1). Pure rooms receive one; only `platform` makes real ones. */
export type Random = () => number;

/** A uniform integer in [0, bound). */
export function randomBelow(random: Random, bound: number): number {
  return Math.floor(random() * bound);
}
