import type { ProcessId } from "./ids.ts";

/** A primary's reign over one partition. Totally ordered: by number, then by process. */
export interface Term {
  readonly number: number;
  readonly process: ProcessId;
}

/** Negative, zero or positive as `a` is before, equal to or after `b`; `undefined` is before all. */
export function compareTerms(a: Term | undefined, b: Term | undefined): number {
  if (a === undefined || b === undefined)
    return (a === undefined ? 0 : 1) - (b === undefined ? 0 : 1);
  if (a.number !== b.number) return a.number - b.number;
  return a.process < b.process ? -1 : a.process > b.process ? 1 : 0;
}

export function sameTerm(a: Term | undefined, b: Term | undefined): boolean {
  return compareTerms(a, b) === 0;
}
