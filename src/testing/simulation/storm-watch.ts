/**
 * Ends a run in which nodes never stop answering each other: time hardly moves on then, and neither would
 * the run come to an end. A sound cluster of fifteen nodes says some thousands of things in a second.
 */
import type { Violations } from "./invariants.ts";

const frameCountMax = 10_000;
const windowMs = 1_000;

export class StormWatch {
  readonly #now: () => number;
  readonly #violations: Violations;
  #beganAt = 0;
  #count = 0;

  constructor(now: () => number, violations: Violations) {
    this.#now = now;
    this.#violations = violations;
  }

  /** @throws Error when there is no end of it */
  frame(): void {
    const now = this.#now();
    if (now - this.#beganAt >= windowMs) {
      this.#violations.check("B3", true, () => "");
      this.#beganAt = now;
      this.#count = 0;
    }
    this.#count += 1;
    if (this.#count <= frameCountMax) return;
    const what = `${String(frameCountMax)} frames in ${(now - this.#beganAt).toFixed(0)} ms`;
    this.#violations.check("B3", false, () => what);
    throw new Error(`the nodes do not come to rest: ${what}`);
  }
}
