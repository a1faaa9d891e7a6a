/**
 * Probes made for others. The helper passes an answer on; without one it says so (a nack), which
 * tells the asker that the helper at least is well, and so that the asker is too.
 */
import type { NodeId } from "../model/ids.ts";
import type { EffectSink } from "./effect-sink.ts";
import type { Gossip } from "./gossip.ts";
import { probeTimeoutMs, relayMs } from "./probe-timing.ts";
import type { Roster } from "./roster.ts";
import type { RoundTrips } from "./round-trips.ts";
import type { Sequence } from "./sequence.ts";
import type { MembershipSettings } from "./settings.ts";

interface Relay {
  readonly asker: NodeId;
  readonly askerSequence: number;
  readonly target: NodeId;
  readonly startedAt: number;
  readonly dueAt: number;
}

interface RelayParts {
  readonly settings: MembershipSettings;
  readonly roster: Roster;
  readonly gossip: Gossip;
  readonly roundTrips: RoundTrips;
  readonly sequence: Sequence;
  readonly sink: EffectSink;
}

export class Relays {
  readonly #parts: RelayParts;
  /** By the sequence number of our own ping; at most `relayCountMax`. */
  readonly #waiting = new Map<number, Relay>();

  constructor(parts: RelayParts) {
    this.#parts = parts;
  }

  get nextDueAt(): number {
    let next = Infinity;
    for (const { dueAt } of this.#waiting.values()) next = Math.min(next, dueAt);
    return next;
  }

  ask(asker: NodeId, askerSequence: number, target: NodeId, now: number): void {
    const { settings, roster, gossip, roundTrips, sequence, sink } = this.#parts;
    const cannot = roster.live(target) === undefined || target === roster.self.id;
    if (cannot || this.#waiting.size >= settings.relayCountMax) {
      sink.send(asker, { type: "nack", sequence: askerSequence });
      return;
    }
    // Not scaled by our own health: the asker's patience is what counts.
    const dueAt = now + relayMs(probeTimeoutMs(settings, roundTrips.p99Ms, 0));
    const own = sequence.next();
    this.#waiting.set(own, { asker, askerSequence, target, startedAt: now, dueAt });
    sink.send(target, {
      type: "ping",
      sequence: own,
      target,
      updates: gossip.piggyback(target),
    });
  }

  ack(from: NodeId, sequence: number): void {
    const relay = this.#waiting.get(sequence);
    if (relay?.target !== from) return;
    this.#waiting.delete(sequence);
    this.#answer(relay);
  }

  decideDue(now: number): void {
    const { roster, sink } = this.#parts;
    for (const [sequence, relay] of this.#waiting) {
      if (relay.dueAt > now) continue;
      this.#waiting.delete(sequence);
      if (roster.heardAt(relay.target) > relay.startedAt) this.#answer(relay);
      else sink.send(relay.asker, { type: "nack", sequence: relay.askerSequence });
    }
  }

  #answer(relay: Relay): void {
    const { gossip, sink } = this.#parts;
    const updates = gossip.piggyback(relay.asker);
    const answer = { sequence: relay.askerSequence, clock: 0, clockSettled: false, updates };
    sink.send(relay.asker, { type: "ack", ...answer });
  }
}
