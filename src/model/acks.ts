/** How many copies a call waits for: a number, or every owner. */
export type Acks = number | "all";

/**
 * Where a query runs:
 * - `"primary"`: where the handlers run; it sees every change that was answered before it was sent,
 *   but for a primary that slept through its succession;
 * - `"linearizable"`: there too, and the answer waits for a majority that confirms the primary;
 * - `"any"`: on whichever owner is asked, on what that one knows to be committed.
 */
export type ReadFrom = "primary" | "any" | "linearizable";

/** Whether calls are served where no majority of owners is reachable. */
export type WhenSplit = "serve" | "refuse";

/** More than half of `count`. */
export function majority(count: number): number {
  return Math.floor(count / 2) + 1;
}
