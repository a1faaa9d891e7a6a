/** How many copies a call waits for: a number, or every owner. */
export type Acks = number | "all";

/** Of how many owners the copies are compared. */
export type ReaderCount = 2 | 3 | 4 | 5 | 6 | 7;

/**
 * Where a query runs:
 * - `"primary"`: where the handlers run; it sees every change that was answered before it was sent,
 *   but for a primary that slept through its succession;
 * - `"linearizable"`: there too, and the answer waits for a majority that confirms the primary;
 * - `"any"`: on whichever owner is asked, on what that one knows to be committed;
 * - a number: on so many owners, or all if there are fewer; the newest of their answers counts.
 */
export type ReadFrom = "primary" | "any" | "linearizable" | ReaderCount;

/** As it reaches an owner: `1` is one whose answer somebody else compares with others'. */
export type OwnReadFrom = ReadFrom | 1;

/** Whether calls are served where no majority of owners is reachable. */
export type WhenSplit = "serve" | "refuse";

/** More than half of `count`. */
export function majority(count: number): number {
  return Math.floor(count / 2) + 1;
}
