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

/** `factor × ceil(log10(n + 1))`. */
export function retransmitLimit(factor: number, memberCount: number): number {
  return factor * Math.ceil(Math.log10(memberCount + 1));
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

  /** What fits into one message, counted as sent once; `first` goes ahead and is not counted. */
  take(memberCount: number, first?: MemberUpdate): readonly MemberUpdate[] {
    const { messageBytesMax, messageMembersMax, retransmitFactor } = this.#settings;
    const limit = retransmitLimit(retransmitFactor, memberCount);
    const taken = first === undefined ? [] : [first];
    let bytes = first === undefined ? 0 : statementBytes(first);
    const sent: { statement: MemberUpdate; tier: number }[] = [];
    for (const [tier, statements] of this.#tiers.entries()) {
      for (const statement of statements.values()) {
        bytes += statementBytes(statement);
        if (bytes > messageBytesMax || taken.length >= messageMembersMax) {
          this.#count(sent, limit);
          return taken;
        }
        sent.push({ statement, tier });
        if (statement.node !== first?.node) taken.push(statement);
      }
    }
    this.#count(sent, limit);
    return taken;
  }

  #count(sent: readonly { statement: MemberUpdate; tier: number }[], limit: number): void {
    for (const { statement, tier } of sent) {
      this.remove(statement.node);
      if (tier + 1 < limit) this.#place(statement, tier + 1);
    }
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
