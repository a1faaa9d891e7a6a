/**
 * Reads the clocks of the others off the answers to pings: those of probes, and one that a newcomer
 * sends over each new link, because it is to know the time of the cluster before it stamps anything.
 */
import type { NodeId } from "../model/ids.ts";
import { hybridTicksPerMs } from "../model/time.ts";
import type { MembershipMessage } from "../wire/membership-messages.ts";
import type { ClusterClock } from "./cluster-clock.ts";
import type { EffectSink } from "./effect-sink.ts";
import type { Roster } from "./roster.ts";
import type { Sequence } from "./sequence.ts";

interface ClockProbeParts {
  readonly clock: ClusterClock;
  readonly roster: Roster;
  readonly sequence: Sequence;
  readonly sink: EffectSink;
}

interface Question {
  readonly sequence: number;
  readonly askedAt: number;
}

type ClockAnswer = Pick<
  Extract<MembershipMessage, { readonly type: "ack" }>,
  "sequence" | "clock" | "clockSettled"
>;

export class ClockProbes {
  readonly #parts: ClockProbeParts;
  /** The last ping that each was sent and has not answered; no more than there are members. */
  readonly #asked = new Map<NodeId, Question>();

  constructor(parts: ClockProbeParts) {
    this.#parts = parts;
  }

  /** A newcomer asks whom it meets. */
  meet(node: NodeId, now: number): void {
    const { clock, sequence, sink } = this.#parts;
    if (clock.isSettled) return;
    const number = sequence.next();
    this.sent(node, number, now);
    sink.send(node, { type: "ping", sequence: number, target: node, updates: [] });
  }

  /** A ping went out. */
  sent(node: NodeId, sequence: number, now: number): void {
    this.#asked.set(node, { sequence, askedAt: now });
  }

  answered(from: NodeId, ack: ClockAnswer, now: number): void {
    const question = this.#asked.get(from);
    if (question?.sequence !== ack.sequence) return;
    this.#asked.delete(from);
    const { clock, roster, sink } = this.#parts;
    if (ack.clock === 0 || roster.live(from) === undefined) return;
    clock.keep((node) => roster.live(node) !== undefined);
    const aheadMs = clock.sample(from, {
      readMs: ack.clock / hybridTicksPerMs,
      isSettled: ack.clockSettled,
      askedAt: question.askedAt,
      answeredAt: now,
    });
    if (aheadMs !== 0) sink.add({ type: "clock-set", aheadMs });
  }

  /** Forgets what those who are gone were asked. */
  expire(): void {
    const { roster } = this.#parts;
    for (const node of this.#asked.keys()) {
      if (roster.live(node) === undefined) this.#asked.delete(node);
    }
  }
}
