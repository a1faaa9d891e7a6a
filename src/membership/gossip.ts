/**
 * Spreads news: at once when there is some, then in rounds, and on every probe and ack. Members are
 * told in the order of a cycle rather than by chance, which leaves nobody out in small clusters;
 * only these rounds count as sending, so that a probe of somebody who knows uses nothing up.
 */
import type { NodeId } from "../model/ids.ts";
import type { MemberUpdate } from "../wire/membership-messages.ts";
import type { EffectSink } from "./effect-sink.ts";
import type { News } from "./news.ts";
import { retransmitLimit } from "./news.ts";
import type { Roster } from "./roster.ts";
import type { MembershipSettings } from "./settings.ts";
import type { Statements } from "./statements.ts";

interface GossipParts {
  readonly settings: MembershipSettings;
  readonly roster: Roster;
  readonly statements: Statements;
  readonly news: News;
  readonly sink: EffectSink;
}

export class Gossip {
  readonly #parts: GossipParts;
  #nextAt = -Infinity;

  constructor(parts: GossipParts) {
    this.#parts = parts;
  }

  /** Infinity while there is nothing to tell or nobody to tell it to. */
  get dueAt(): number {
    const { news, roster } = this.#parts;
    const others = roster.liveCount - (roster.hasLeft ? 0 : 1);
    return news.size > 0 && others > 0 ? this.#nextAt : Infinity;
  }

  spreadDue(now: number): void {
    if (now < this.dueAt) return;
    this.#nextAt = now + this.#parts.settings.gossipIntervalMs;
    this.#tell(this.#parts.settings.gossipFanOut);
  }

  /** Tells as many members at once as this node would over time: it will not be here then. */
  spreadNow(): void {
    const { settings, roster } = this.#parts;
    const { retransmitFactor, retransmitMargin } = settings;
    this.#tell(retransmitLimit(retransmitFactor, retransmitMargin, Math.max(1, roster.liveCount)));
  }

  /**
   * News for a message that is sent anyway. A receiver that we hold suspect or dead is told so
   * first: nobody else has more reason to know (Lifeguard's buddy system).
   */
  piggyback(to: NodeId): readonly MemberUpdate[] {
    return this.#parts.news.peek(this.#accusationOf(to));
  }

  #accusationOf(to: NodeId): MemberUpdate | undefined {
    const { roster, statements } = this.#parts;
    const receiver = roster.members.get(to);
    const accused = receiver?.status === "suspect" || receiver?.status === "dead";
    return accused ? statements.about(receiver) : undefined;
  }

  #tell(count: number): void {
    const { roster, news, sink } = this.#parts;
    for (const node of roster.gossipOrder.take(count)) {
      if (news.size === 0) return;
      const updates = news.take(roster.liveCount, this.#accusationOf(node));
      sink.send(node, { type: "gossip", updates });
    }
  }
}
