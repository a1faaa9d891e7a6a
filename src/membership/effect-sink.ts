/** Collects the effects of one call, so that parts need not thread lists through each other. */
import { noEffects } from "../model/effect-list.ts";
import type { NodeId } from "../model/ids.ts";
import type { MembershipMessage } from "../wire/membership-messages.ts";
import type { MembershipEffect } from "./effects.ts";

export class EffectSink {
  #effects: MembershipEffect[] = [];

  add(effect: MembershipEffect): void {
    this.#effects.push(effect);
  }

  send(to: NodeId, message: MembershipMessage): void {
    this.#effects.push({ type: "send", to, message });
  }

  /** What was collected since the last take. */
  take(): readonly MembershipEffect[] {
    if (this.#effects.length === 0) return noEffects;
    const taken = this.#effects;
    this.#effects = [];
    return taken;
  }
}
