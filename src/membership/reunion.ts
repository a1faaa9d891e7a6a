/**
 * Finds the others: join addresses while this node knows nobody, and for ever after, now and then, a
 * join address or a dead member. Halves of a split declare each other dead and would never speak
 * again (ringpop's healer). The number of dials does not grow with the cluster.
 */
import type { NodeId } from "../model/ids.ts";
import type { Random } from "../model/random.ts";
import { randomBelow } from "../model/random.ts";
import type { EffectSink } from "./effect-sink.ts";
import { isLive } from "./member.ts";
import type { Roster } from "./roster.ts";
import type { MembershipSettings } from "./settings.ts";

/** `min(1, factor / n)`: how likely one node of n makes an attempt. */
export function healProbability(factor: number, memberCount: number): number {
  return Math.min(1, factor / Math.max(1, memberCount));
}

interface ReunionParts {
  readonly settings: MembershipSettings;
  readonly roster: Roster;
  readonly random: Random;
  readonly sink: EffectSink;
}

export class Reunion {
  readonly #parts: ReunionParts;
  readonly #joinAddresses: readonly string[];
  #healAt: number;
  #joinAt: number;

  constructor(parts: ReunionParts, joinAddresses: readonly string[], now: number) {
    this.#parts = parts;
    this.#joinAddresses = joinAddresses.filter((address) => address !== parts.roster.self.address);
    this.#joinAt = now;
    this.#healAt = now + parts.random() * parts.settings.healIntervalMs;
  }

  get dueAt(): number {
    const joins = this.#isAlone && this.#joinAddresses.length > 0;
    return joins ? Math.min(this.#joinAt, this.#healAt) : this.#healAt;
  }

  dialDue(now: number): void {
    if (this.#isAlone && now >= this.#joinAt) this.#join(now);
    if (now >= this.#healAt) this.#heal(now);
  }

  get #isAlone(): boolean {
    return this.#parts.roster.liveCount <= 1;
  }

  #join(now: number): void {
    const { settings, random, sink } = this.#parts;
    // Nodes started together do not dial together for ever.
    this.#joinAt = now + settings.joinRetryMs * (0.75 + random() / 2);
    for (const address of this.#joinAddresses) {
      sink.add({ type: "dial", address, node: undefined });
    }
  }

  #heal(now: number): void {
    const { settings, roster, random, sink } = this.#parts;
    this.#healAt = now + settings.healIntervalMs;
    if (random() >= healProbability(settings.healFactor, roster.liveCount)) return;
    const candidates = [...this.#candidates()];
    // Few nodes dial as often together as many do: whoever is alone tries several at once.
    const dialCount = Math.max(1, Math.floor(settings.healFactor / roster.liveCount));
    for (let i = 0; i < dialCount && candidates.length > 0; i++) {
      const [chosen] = candidates.splice(randomBelow(random, candidates.length), 1);
      if (chosen !== undefined) sink.add({ type: "dial", ...chosen });
    }
  }

  #candidates(): readonly { readonly address: string; readonly node: NodeId | undefined }[] {
    const { roster } = this.#parts;
    const reached = new Set<string>();
    const candidates: { address: string; node: NodeId | undefined }[] = [];
    for (const member of roster.members.values()) {
      if (isLive(member)) reached.add(member.address);
      if (member.status === "dead") candidates.push({ address: member.address, node: member.id });
    }
    for (const address of this.#joinAddresses) candidates.push({ address, node: undefined });
    return candidates.filter(({ address }) => !reached.has(address));
  }
}
