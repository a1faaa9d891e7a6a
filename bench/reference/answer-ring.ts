/**
 * Calls that wait for their answer, by number: a ring, because numbers rise and calls are short, so
 * that no map is searched and nothing but the promise is allocated. Throws when a call is still
 * open as its slot comes round again.
 */
const size = 65_536;

export class AnswerRing {
  readonly #slots = new Array<((value: number) => void) | undefined>(size).fill(undefined);
  #last = -1;
  /** One function for all promises: it runs before the constructor of the promise returns. */
  readonly #keep = (resolve: (value: number) => void): void => {
    const slot = ++this.#last % size;
    if (this.#slots[slot] !== undefined) throw new Error("too many calls at once");
    this.#slots[slot] = resolve;
  };

  /** The number of the call that `wait` is called for next. */
  get next(): number {
    return this.#last + 1;
  }

  wait(): Promise<number> {
    return new Promise(this.#keep);
  }

  resolve(number: number, value: number): void {
    const slot = number % size;
    const resolve = this.#slots[slot];
    if (resolve === undefined)
      throw new Error(`an answer to call ${String(number)}, which is over`);
    this.#slots[slot] = undefined;
    resolve(value);
  }
}
