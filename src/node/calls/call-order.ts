import type { EntityName } from "../../model/ids.ts";

/** Calls to one key that are made one after the other: the next when the one before is settled. */
export class CallOrder {
  readonly #last = new Map<EntityName, Promise<unknown>>();

  /** Keys with calls under way. */
  get size(): number {
    return this.#last.size;
  }

  /** Makes a call when all earlier ones to `name` are settled. `make` must not reject. */
  after<T>(name: EntityName, make: () => Promise<T>): Promise<T> {
    const before = this.#last.get(name);
    const call = before === undefined ? make() : before.then(make);
    this.#last.set(name, call);
    void call.then(() => {
      if (this.#last.get(name) === call) this.#last.delete(name);
    });
    return call;
  }
}
