/**
 * Decides what is due: failed probes, ended suspicions, hard evidence. After a stall of the process,
 * Node runs expired timers before it reads sockets, so the answer that would acquit may already be
 * here, unread. A verdict that comes late is therefore postponed once, until sockets were read
 * ("drain first"). Without this, healthy nodes are declared dead; with it none was, even without
 * Lifeguard.
 */
import type { EffectSink } from "./effect-sink.ts";
import type { HardEvidence } from "./hard-evidence.ts";
import type { Prober } from "./prober.ts";
import type { Relays } from "./relays.ts";
import type { Roster } from "./roster.ts";
import type { MembershipSettings } from "./settings.ts";
import type { Statements } from "./statements.ts";
import type { Suspicions } from "./suspicions.ts";

interface VerdictParts {
  readonly settings: MembershipSettings;
  readonly roster: Roster;
  readonly prober: Prober;
  readonly relays: Relays;
  readonly suspicions: Suspicions;
  readonly evidence: HardEvidence;
  readonly statements: Statements;
  readonly sink: EffectSink;
}

/** Whether a timer ran so late that this process must have stalled. */
export function isLate(dueAt: number, now: number, latenessMs: number): boolean {
  return now - dueAt > latenessMs;
}

export class Verdicts {
  readonly #parts: VerdictParts;
  #postponed = false;

  constructor(parts: VerdictParts) {
    this.#parts = parts;
  }

  /** Infinity while sockets are being read: then `polled` decides. */
  get dueAt(): number {
    return this.#postponed ? Infinity : this.#nextDueAt;
  }

  decideDue(now: number): void {
    const { settings, sink } = this.#parts;
    const dueAt = this.dueAt;
    if (now < dueAt) return;
    if (!isLate(dueAt, now, settings.verdictLatenessMs)) {
      this.#decide(now);
      return;
    }
    this.#postponed = true;
    sink.add({ type: "poll" });
  }

  /** Sockets were read. However late it is by now: nothing that was sent in time is unread. */
  decidePostponed(now: number): void {
    if (!this.#postponed) return;
    this.#postponed = false;
    this.#decide(now);
  }

  get #nextDueAt(): number {
    const { prober, relays, suspicions, evidence } = this.#parts;
    return Math.min(
      prober.verdictDueAt,
      relays.nextDueAt,
      suspicions.nextDueAt,
      evidence.nextDueAt,
    );
  }

  #decide(now: number): void {
    const { roster, prober, relays, suspicions, evidence, statements } = this.#parts;
    prober.decideDue(now);
    relays.decideDue(now);
    for (const node of suspicions.due(now)) statements.declareDead(node, now);
    for (const { node, boot, openedAt } of evidence.due(now)) {
      evidence.clear(node);
      const current = roster.live(node)?.boot === boot;
      if (current && roster.heardAt(node) <= openedAt) statements.declareDead(node, now);
    }
  }
}
