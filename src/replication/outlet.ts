import type { ProcessId } from "../model/ids.ts";
import { noEffects } from "../model/effect-list.ts";
import type { PartitionMessage } from "../wire/replication-messages.ts";
import type { ReplicationEffect } from "./effect.ts";

/**
 * Collects the effects of one event; hands out the shared empty list when there were none. A commit
 * has one or two: they are kept apart, because an array that is pushed to reserves room for seventeen.
 */
export class Outlet {
  #first: ReplicationEffect | undefined;
  #second: ReplicationEffect | undefined;
  #others: ReplicationEffect[] | undefined;

  send(to: ProcessId, message: PartitionMessage): void {
    this.emit({ type: "send", to, message });
  }

  emit(effect: ReplicationEffect): void {
    if (this.#first === undefined) this.#first = effect;
    else if (this.#second === undefined) this.#second = effect;
    else if (this.#others === undefined) this.#others = [effect];
    else this.#others.push(effect);
  }

  take(): readonly ReplicationEffect[] {
    const first = this.#first;
    if (first === undefined) return noEffects;
    const second = this.#second;
    const others = this.#others;
    this.#first = undefined;
    this.#second = undefined;
    this.#others = undefined;
    if (second === undefined) return [first];
    return others === undefined ? [first, second] : [first, second, ...others];
  }
}
