import type { ProcessId } from "../model/ids.ts";
import { noEffects } from "../model/effect-list.ts";
import type { PartitionMessage } from "../wire/replication-messages.ts";
import type { ReplicationEffect } from "./effect.ts";

/** Collects the effects of one event; hands out the shared empty list when there were none. */
export class Outlet {
  #effects: ReplicationEffect[] = [];

  send(to: ProcessId, message: PartitionMessage): void {
    this.#effects.push({ type: "send", to, message });
  }

  emit(effect: ReplicationEffect): void {
    this.#effects.push(effect);
  }

  take(): readonly ReplicationEffect[] {
    if (this.#effects.length === 0) return noEffects;
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }
}
