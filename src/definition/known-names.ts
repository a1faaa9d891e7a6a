/**
 * Refuses names that nothing knows, and guesses what was meant: most unknown names are typing
 * mistakes, and the nearest known one is the shortest way out of them.
 */
import { LatticeError } from "../model/error.ts";

/** Beyond this the edit distance is not computed: names are at most 128 characters. */
const suggestionLengthMax = 128;

/** @throws LatticeError `invalid_argument` naming the first of `given` that is not in `known`. */
export function checkKnownNames(
  where: string,
  what: string,
  given: readonly string[],
  known: readonly string[],
): void {
  for (const name of given) {
    if (known.includes(name)) continue;
    throw new LatticeError(
      "invalid_argument",
      `${where}: unknown ${what} ${quote(name)}${didYouMean(name, known)}; ` +
        `known are ${known.join(", ")}`,
    );
  }
}

/** `" (did you mean 'add'?)"`, or "" when nothing is near. */
export function didYouMean(name: string, known: readonly string[]): string {
  let best = "";
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best === "" ? "" : ` (did you mean '${best}'?)`;
}

/** A name as it may be shown: bounded, and without control characters. */
export function quote(name: string): string {
  const shown = name.length > 64 ? `${name.slice(0, 64)}…` : name;
  return `'${shown.replaceAll(/\p{Cc}/gu, "?")}'`;
}

/** Levenshtein's distance (1966) where two neighbours that changed places count once (Damerau 1964). */
function editDistance(a: string, b: string): number {
  if (Math.max(a.length, b.length) > suggestionLengthMax) return Infinity;
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      const substituted = last[j - 1]! + (isSame ? 0 : 1);
      let least = Math.min(last[j]! + 1, row[j - 1]! + 1, substituted);
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwapped) least = Math.min(least, beforeLast[j - 2]! + 1);
      row.push(least);
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length]!;
}
