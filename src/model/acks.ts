/** How many copies a call waits for: a number, or every owner. */
export type Acks = number | "all";

/** Whether calls are served where no majority of owners is reachable. */
export type WhenSplit = "serve" | "refuse";

/** More than half of `count`. */
export function majority(count: number): number {
  return Math.floor(count / 2) + 1;
}
