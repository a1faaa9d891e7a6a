/** A source of chance: uniform in [0, 1). Pure rooms receive one; only `platform` makes real ones. */
export type Random = () => number;

/** The values in any order, each as likely. */
export function shuffled<T>(values: readonly T[], random: Random): T[] {
  const left = [...values];
  const drawn: T[] = [];
  while (left.length > 0) drawn.push(...left.splice(randomBelow(random, left.length), 1));
  return drawn;
}

/** A uniform integer in [0, bound). */
export function randomBelow(random: Random, bound: number): number {
  return Math.floor(random() * bound);
}
