/** A place in the stream of a partition that somebody has seen: what is older is not to be shown again. */
import { compareTerms } from "./term.ts";
import type { Term } from "./term.ts";

export interface Mark {
  readonly term: Term;
  /** Position of the newest commit that was seen; 0 is the base of the term. */
  readonly position: number;
}

export function isSameMark(mark: Mark, other: Mark | undefined): boolean {
  return other !== undefined && !isNewerMark(mark, other) && !isNewerMark(other, mark);
}

/** Whether `mark` is newer than `other`; everything is newer than nothing. */
export function isNewerMark(mark: Mark, other: Mark | undefined): boolean {
  const order = other === undefined ? 1 : compareTerms(mark.term, other.term);
  return order > 0 || (order === 0 && mark.position > other!.position);
}
