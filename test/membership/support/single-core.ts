import { ClusterClock } from "../../../src/membership/cluster-clock.ts";
import type { MembershipEffect } from "../../../src/membership/effects.ts";
import type { MemberIdentity } from "../../../src/membership/member.ts";
import type { MembershipOptions } from "../../../src/membership/membership.ts";
import { Membership } from "../../../src/membership/membership.ts";
import type { MemberStatus, MembershipMessage } from "../../../src/wire/membership-messages.ts";
import { seededRandom } from "./seeded-random.ts";
import { update } from "./update.ts";

/** The core of node "me" at time 0 that knows `others` as alive; what it said so far is dropped. */
export function singleCore(
  others: readonly string[] = [],
  options: Partial<MembershipOptions> = {},
): Membership {
  const core = new Membership({
    self: { id: "me", boot: 1024, address: "ws://me", zone: "", weight: 1 },
    random: seededRandom(1),
    replicas: 3,
    clock: settledClock(),
    now: 0,
    ...options,
  });
  if (others.length > 0) {
    core.receive(others[0]!, { type: "gossip", updates: others.map((id) => update(id)) }, 0);
  }
  return core;
}

/** It asks nobody for the time. */
function settledClock(): ClusterClock {
  const clock = new ClusterClock(0, Date.UTC(2026, 0));
  clock.settle();
  return clock;
}

/** The messages among the effects, with their receivers. */
export function sent(
  effects: readonly MembershipEffect[],
): readonly { readonly to: string; readonly message: MembershipMessage }[] {
  return effects.filter((effect) => effect.type === "send");
}

/** Ticks as its own timer would until `until`, and polls when asked; everything it wanted. */
export function runAlone(core: Membership, until: number): readonly MembershipEffect[] {
  const effects: MembershipEffect[] = [];
  while (core.nextTickAt <= until) effects.push(...core.tick(core.nextTickAt));
  return effects;
}

/** The answer to a ping, of a node that does not know the time. */
export function ack(sequence: number): MembershipMessage {
  return { type: "ack", sequence, clock: 0, clockSettled: false, updates: [] };
}

/** What a hello says. */
export function peer(id: string, boot = 1024): MemberIdentity {
  return { id, boot, address: `ws://${id}`, zone: "", weight: 1 };
}

export function statusOf(core: Membership, id: string): MemberStatus | undefined {
  return core.members.get(id)?.status;
}

/** The effects in short, messages with their receivers. */
export function types(effects: readonly MembershipEffect[]): readonly string[] {
  return effects.map((effect) =>
    effect.type === "send" ? `${effect.message.type} to ${effect.to}` : effect.type,
  );
}

/** Ticks until the core pings somebody. */
export function nextPing(core: Membership): {
  readonly to: string;
  readonly sequence: number;
  readonly at: number;
} {
  for (;;) {
    const at = core.nextTickAt;
    for (const { to, message } of sent(core.tick(at))) {
      if (message.type === "ping") return { to, sequence: message.sequence, at };
    }
  }
}
