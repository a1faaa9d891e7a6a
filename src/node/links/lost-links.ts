import type { NodeIdentity } from "../../wire/messages.ts";
import type { NodeId } from "../../model/ids.ts";
import type { WantedPeer } from "./wanted-peer.ts";

/** Processes whose link broke and about whom the next dial will tell, by address. */
export class LostLinks {
  readonly #byAddress = new Map<string, WantedPeer>();

  add(address: string, peer: WantedPeer): void {
    this.#byAddress.set(address, peer);
  }

  at(address: string): WantedPeer | undefined {
    return this.#byAddress.get(address);
  }

  delete(address: string): void {
    this.#byAddress.delete(address);
  }

  /** Those that nobody dials any more. */
  takeUnwanted(wanted: ReadonlyMap<NodeId, unknown>): readonly WantedPeer[] {
    return this.#take(({ id }) => !wanted.has(id));
  }

  /** Earlier lives of a node that is here now. */
  takeEarlierLives({ id, boot }: NodeIdentity): readonly WantedPeer[] {
    return this.#take((lost) => lost.id === id && lost.boot < boot);
  }

  #take(isMeant: (lost: WantedPeer) => boolean): readonly WantedPeer[] {
    const taken: WantedPeer[] = [];
    for (const [address, lost] of this.#byAddress) {
      if (!isMeant(lost)) continue;
      this.#byAddress.delete(address);
      taken.push(lost);
    }
    return taken;
  }
}
