/**
 * One probe at a time: ping the next member, in turn one of all and one that this node looks after
 * (`watched.ts`); without an answer in time ask helpers to ping it; without any answer accuse it
 * (SWIM, Das et al. 2002, §3.1, with Lifeguard's nacks). Over streams a lost packet is no reason any
 * more, but a broken path or a stuck socket is.
 *
 *     start ── timeoutAt: ask helpers ── verdictAt: accuse
 *       └───────── any frame of the target since the start: success ─────────┘
 */
import type { NodeId } from "../model/ids.ts";
import type { ClockProbes } from "./clock-probes.ts";
import type { EffectSink } from "./effect-sink.ts";
import type { Gossip } from "./gossip.ts";
import type { Health } from "./health.ts";
import { failedProbePoints } from "./health.ts";
import { helpersToAsk, probePeriodMs, probeTimeoutMs, probeVerdictMs } from "./probe-timing.ts";
import type { Links } from "./links.ts";
import type { Roster } from "./roster.ts";
import type { RoundTrips } from "./round-trips.ts";
import type { Sequence } from "./sequence.ts";
import type { MembershipSettings } from "./settings.ts";
import { isLive } from "./member.ts";
import { watchedBy } from "./watched.ts";
import type { Statements } from "./statements.ts";

interface Probe {
  readonly target: NodeId;
  readonly boot: number;
  readonly sequence: number;
  readonly startedAt: number;
  readonly timeoutMs: number;
  helperCount: number;
  nackCount: number;
  askedHelpers: boolean;
  verdictAt: number;
}

interface ProberParts {
  readonly settings: MembershipSettings;
  readonly roster: Roster;
  readonly statements: Statements;
  readonly gossip: Gossip;
  readonly health: Health;
  readonly roundTrips: RoundTrips;
  readonly sequence: Sequence;
  readonly clockProbes: ClockProbes;
  readonly links: Links;
  readonly sink: EffectSink;
}

export class Prober {
  readonly #parts: ProberParts;
  /** Members whose link was lost: probed before their turn. Bounded by the table. */
  readonly #urgent = new Set<NodeId>();
  #current: Probe | undefined;
  #nextAt: number;
  /** Probes in the order of the cycle so far. */
  #turnCount = 0;
  /** Probes of those that this node looks after so far, and who they are. */
  #watchCount = 0;
  #watched: readonly NodeId[] = [];
  #watchedVersion = -1;
  #isTurnOfWatched = false;

  constructor(parts: ProberParts, firstAt: number) {
    this.#parts = parts;
    this.#nextAt = firstAt;
  }

  /** When the running probe needs a decision; Infinity without one. */
  get verdictDueAt(): number {
    const probe = this.#current;
    if (probe === undefined) return Infinity;
    return probe.askedHelpers ? probe.verdictAt : probe.startedAt + probe.timeoutMs;
  }

  /** When the next probe starts; Infinity while one runs. */
  get startDueAt(): number {
    return this.#current === undefined ? this.#nextAt : Infinity;
  }

  urge(node: NodeId): void {
    this.#urgent.add(node);
  }

  startDue(now: number): void {
    if (now < this.startDueAt) return;
    const { settings, roster, health, roundTrips, gossip, sequence, clockProbes, sink } =
      this.#parts;
    this.#nextAt = now + probePeriodMs(settings, health.score);
    const target = this.#nextTarget();
    const member = target === undefined ? undefined : roster.live(target);
    if (member === undefined) return;
    const timeoutMs = probeTimeoutMs(settings, roundTrips.p99Ms, health.score);
    const probe: Probe = {
      target: member.id,
      boot: member.boot,
      sequence: sequence.next(),
      startedAt: now,
      timeoutMs,
      helperCount: 0,
      nackCount: 0,
      askedHelpers: false,
      verdictAt: now + probeVerdictMs(settings, timeoutMs, health.score),
    };
    this.#current = probe;
    clockProbes.sent(member.id, probe.sequence, now);
    sink.send(member.id, {
      type: "ping",
      sequence: probe.sequence,
      target: member.id,
      updates: gossip.piggyback(member.id),
    });
  }

  /** An ack that may belong to the running probe, from its target or through a helper. */
  ack(from: NodeId, sequence: number, now: number): void {
    const probe = this.#current;
    if (probe?.sequence !== sequence) return;
    if (from === probe.target) this.#parts.roundTrips.add(now - probe.startedAt);
    else if (this.#parts.roster.heardAt(probe.target) <= probe.startedAt) {
      this.#parts.sink.add({ type: "link-doubtful", node: probe.target });
    }
    this.#succeed(probe, now);
  }

  nack(sequence: number): void {
    if (this.#current?.sequence === sequence) this.#current.nackCount++;
  }

  decideDue(now: number): void {
    const probe = this.#current;
    if (probe === undefined || now < this.verdictDueAt) return;
    const { roster, health, statements } = this.#parts;
    if (roster.live(probe.target)?.boot !== probe.boot) {
      this.#end(probe, now);
    } else if (roster.heardAt(probe.target) > probe.startedAt) {
      this.#succeed(probe, now);
    } else if (!probe.askedHelpers) {
      this.#askHelpers(probe, now);
    } else {
      this.#end(probe, now);
      health.change(failedProbePoints(probe.helperCount, probe.nackCount));
      statements.accuse(probe.target, now);
    }
  }

  #nextTarget(): NodeId | undefined {
    const { roster } = this.#parts;
    for (const node of this.#urgent) {
      this.#urgent.delete(node);
      if (roster.live(node) !== undefined) return node;
    }
    this.#isTurnOfWatched = !this.#isTurnOfWatched;
    return this.#isTurnOfWatched ? this.#nextWatched() : this.#nextInTurn();
  }

  #nextWatched(): NodeId | undefined {
    const { settings, roster } = this.#parts;
    if (this.#watchedVersion !== roster.version) {
      this.#watchedVersion = roster.version;
      const living = [...roster.members.values()].filter(isLive).map(({ id }) => id);
      this.#watched = watchedBy(roster.self.id, living, settings.watchedCount);
    }
    return this.#watched[this.#watchCount++ % this.#watched.length];
  }

  /**
   * Above a full mesh, those whom a link stands to: a probe of anybody else opens one, which costs
   * both sides more messages than the probe. Each member is linked to, and so probed by, many. Now
   * and then it is anybody's turn, and always a suspect's, of whom others must be able to say as much.
   */
  #nextInTurn(): NodeId | undefined {
    const { settings, roster, links } = this.#parts;
    this.#turnCount++;
    const isAnybody =
      roster.liveCount <= settings.fullMeshCountMax ||
      this.#turnCount % settings.unlinkedProbePeriod === 0;
    let node = roster.probeOrder.next();
    if (isAnybody) return node;
    const first = node;
    for (let passed = 0; node !== undefined && passed < roster.liveCount; passed++) {
      if (links.isOpen(node) || roster.live(node)?.status === "suspect") return node;
      node = roster.probeOrder.next();
    }
    return first;
  }

  #askHelpers(probe: Probe, now: number): void {
    const { settings, roster, gossip, sink } = this.#parts;
    const { target, sequence } = probe;
    const wanted = helpersToAsk(settings.helperCount, roster.liveCount);
    // One more than wanted, in case the target itself is among them.
    const helpers = roster.partnerOrder.take(wanted + 1).filter((node) => node !== target);
    for (const helper of helpers.slice(0, wanted)) {
      const updates = gossip.piggyback(helper);
      sink.send(helper, { type: "ping-request", sequence, target, updates });
      probe.helperCount++;
    }
    probe.askedHelpers = true;
    // After a stall of this process the verdict may be overdue; helpers get their time all the same.
    probe.verdictAt = Math.max(probe.verdictAt, now + probe.timeoutMs);
  }

  #succeed(probe: Probe, now: number): void {
    this.#parts.health.change(-1);
    this.#end(probe, now);
  }

  #end(probe: Probe, now: number): void {
    this.#current = undefined;
    const period = probePeriodMs(this.#parts.settings, this.#parts.health.score);
    this.#nextAt = Math.max(now, probe.startedAt + period);
  }
}
