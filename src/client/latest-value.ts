/**
 * An async iterator over something that changes: whoever reads slowly gets the newest value and
 * never a backlog. One value is held at most.
 */

export class LatestValue<T> implements AsyncIterableIterator<T> {
  readonly #stop: () => void;
  readonly #readers: {
    readonly resolve: (result: IteratorResult<T>) => void;
    readonly reject: (error: unknown) => void;
  }[] = [];
  #latest: { readonly value: T } | undefined;
  #failure: { readonly error: unknown } | undefined;
  #isOver = false;

  /** @param stop called once, when the reader leaves or the source ends */
  constructor(stop: () => void) {
    this.#stop = stop;
  }

  /** Replaces a value that was not read yet. */
  push(value: T): void {
    if (this.#isOver) return;
    const reader = this.#readers.shift();
    if (reader === undefined) this.#latest = { value };
    else reader.resolve({ value, done: false });
  }

  /** The source ended. A value that was not read yet is still delivered, then the error, if any. */
  end(failure?: { readonly error: unknown }): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const first = failure === undefined ? undefined : this.#readers.shift();
    if (first !== undefined && failure !== undefined) first.reject(failure.error);
    else this.#failure = failure;
    for (const reader of this.#readers.splice(0)) reader.resolve({ value: undefined, done: true });
    this.#stop();
  }

  next(): Promise<IteratorResult<T>> {
    const latest = this.#latest;
    if (latest !== undefined) {
      this.#latest = undefined;
      return Promise.resolve({ value: latest.value, done: false });
    }
    const failure = this.#failure;
    if (failure !== undefined) {
      this.#failure = undefined;
      return rejected(failure.error);
    }
    if (this.#isOver) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<T>> {
    this.#latest = undefined;
    this.end();
    this.#failure = undefined;
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

async function rejected(error: unknown): Promise<never> {
  return await Promise.reject(error instanceof Error ? error : new Error(String(error)));
}
