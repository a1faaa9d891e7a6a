/**
 * Where the operations of one draft after another are gathered before their commit is made. An array
 * of each turn's own would reserve room for seventeen with its first `push`, and most turns do two.
 */
import type { Operation } from "./operation.ts";

export class OperationList {
  readonly #items: (Operation | undefined)[] = [];
  #count = 0;

  /** Forgets what a draft that was given up has left. */
  begin(): void {
    this.#count = 0;
  }

  get count(): number {
    return this.#count;
  }

  push(operation: Operation): void {
    this.#items[this.#count] = operation;
    this.#count += 1;
  }

  /** What was gathered, in an array of its own, of just that size. */
  take(): Operation[] {
    const taken = this.#items.slice(0, this.#count) as Operation[];
    this.#items.fill(undefined, 0, this.#count);
    this.#count = 0;
    return taken;
  }
}
