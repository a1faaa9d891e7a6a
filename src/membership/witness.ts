/**
 * Gives and takes hard evidence. Whoever saw it tells a few others, so that two who saw the same
 * learn of each other: some at random, and some that all witnesses of one subject choose alike, the
 * next members after it by id.
 */
import type { BootId, NodeId } from "../model/ids.ts";
import type { Random } from "../model/random.ts";
import type { EffectSink } from "./effect-sink.ts";
import type { HardEvidence } from "./hard-evidence.ts";
import type { Member } from "./member.ts";
import { isLive } from "./member.ts";
import type { Roster } from "./roster.ts";
import type { MembershipSettings } from "./settings.ts";
import { shuffle } from "./shuffle.ts";

interface WitnessParts {
  readonly settings: MembershipSettings;
  readonly roster: Roster;
  readonly evidence: HardEvidence;
  readonly random: Random;
  readonly sink: EffectSink;
}

/** The `count` ids that follow `subject` in the circle of sorted ids. */
export function successors(
  ids: readonly NodeId[],
  subject: NodeId,
  count: number,
): readonly NodeId[] {
  const sorted = ids.filter((id) => id !== subject).sort();
  const start = sorted.findIndex((id) => id > subject);
  const first = start < 0 ? 0 : start;
  return [...sorted.slice(first), ...sorted.slice(0, first)].slice(0, count);
}

export class Witness {
  readonly #parts: WitnessParts;

  constructor(parts: WitnessParts) {
    this.#parts = parts;
  }

  /** This node saw it. */
  testify(subject: Member, now: number): void {
    const { roster, evidence, sink } = this.#parts;
    const { id: node, boot } = subject;
    evidence.add({ node, boot }, roster.self.id, roster.liveCount, now);
    for (const to of this.#audience(node)) sink.send(to, { type: "link-lost", node, boot });
  }

  /** Another node saw it. */
  hear(from: NodeId, subject: { readonly node: NodeId; readonly boot: BootId }, now: number): void {
    const { roster, evidence } = this.#parts;
    const { node, boot } = subject;
    const concerns = node !== roster.self.id && node !== from;
    // A witness must be a member: strangers and the dead do not count.
    if (!concerns || roster.live(from) === undefined || roster.live(node)?.boot !== boot) return;
    evidence.add({ node, boot }, from, roster.liveCount, now);
  }

  #audience(subject: NodeId): readonly NodeId[] {
    const { settings, roster, random } = this.#parts;
    const others: NodeId[] = [];
    for (const member of roster.members.values()) {
      if (isLive(member) && member.id !== subject && member.id !== roster.self.id) {
        others.push(member.id);
      }
    }
    const audience = new Set(successors(others, subject, Math.ceil(settings.evidenceFanOut / 2)));
    shuffle(others, random);
    for (const node of others) {
      if (audience.size >= settings.evidenceFanOut) break;
      audience.add(node);
    }
    return [...audience];
  }
}
