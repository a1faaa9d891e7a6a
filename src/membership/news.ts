/**
 * Statements that still have to be passed on. Each is sent a limited number of times; the least
 * often sent goes first, so that fresh news is never behind old. A newer statement about the same
 * member replaces the older one. Kept in tiers by how often they were sent, which makes taking a
 * message's worth cost no more than what is taken.
 */
import type { NodeId } from "../model/ids.ts";
import type { MemberUpdate } from "../wire/membership-messages.ts";
import type { MembershipSettings } from "./settings.ts";
import { statementBytes } from "./statement-size.ts";

/**
 * How often one node tells one piece of news: `factor × ceil(log10(n + 1))`, as memberlist does, but
 * at least `ln n + margin`, because a rumour that everybody tells L times misses about `n × e^−L`
 * members, and never for the margin's sake more often than there are others: told in a cycle, that
 * reaches all. With the logarithm alone, a departure among 99 was missed by somebody once in forty.
 */
export function retransmitLimit(factor: number, margin: number, memberCount: number): number {
  const enough = Math.min(memberCount - 1, Math.ceil(Math.log(memberCount) + margin));
  return Math.max(factor * Math.ceil(Math.log10(memberCount + 1)), enough);
}

interface Sent {
  readonly statement: MemberUpdate;
  readonly tier: number;
}

export class News {
  readonly #settings: MembershipSettings;
  /** Index: times sent. */
  readonly #tiers: Map<NodeId, MemberUpdate>[] = [];
  readonly #tierOf = new Map<NodeId, number>();

  constructor(settings: MembershipSettings) {
    this.#settings = settings;
  }

  get size(): number {
    return this.#tierOf.size;
  }

  add(statement: MemberUpdate): void {
    this.remove(statement.node);
    if (this.#tierOf.size >= this.#settings.newsCountMax) this.#dropMostRepeated();
    this.#place(statement, 0);
  }

  remove(node: NodeId): void {
    const tier = this.#tierOf.get(node);
    if (tier === undefined) return;
    this.#tierOf.delete(node);
    this.#tiers[tier]?.delete(node);
  }

  /** What fits into one message beside `first`, which goes ahead. Not counted as sent. */
  peek(first?: MemberUpdate): readonly MemberUpdate[] {
    const statements = this.#fitting(first).map(({ statement }) => statement);
    if (first === undefined) return statements;
    return [first, ...statements.filter(({ node }) => node !== first.node)];
  }

  /** The same, counted: what was sent often enough is news no more. */
  take(memberCount: number, first?: MemberUpdate): readonly MemberUpdate[] {
    const taken = this.peek(first);
    const { retransmitFactor, retransmitMargin } = this.#settings;
    const limit = retransmitLimit(retransmitFactor, retransmitMargin, Math.max(1, memberCount));
    for (const { statement, tier } of this.#fitting(first)) {
      this.remove(statement.node);
      if (tier + 1 < limit) this.#place(statement, tier + 1);
    }
    return taken;
  }

  #fitting(first: MemberUpdate | undefined): readonly Sent[] {
    const { messageBytesMax, messageMembersMax } = this.#settings;
    const fitting: Sent[] = [];
    const countMax = first === undefined ? messageMembersMax : messageMembersMax - 1;
    let bytes = first === undefined ? 0 : statementBytes(first);
    for (const [tier, statements] of this.#tiers.entries()) {
      for (const statement of statements.values()) {
        bytes += statementBytes(statement);
        if (bytes > messageBytesMax || fitting.length >= countMax) return fitting;
        fitting.push({ statement, tier });
      }
    }
    return fitting;
  }

  #place(statement: MemberUpdate, tier: number): void {
    while (this.#tiers.length <= tier) this.#tiers.push(new Map());
    this.#tiers[tier]?.set(statement.node, statement);
    this.#tierOf.set(statement.node, tier);
  }

  #dropMostRepeated(): void {
    for (let tier = this.#tiers.length - 1; tier >= 0; tier--) {
      const oldest = this.#tiers[tier]?.keys().next();
      if (oldest === undefined || oldest.done === true) continue;
      this.remove(oldest.value);
      return;
    }
  }
}
