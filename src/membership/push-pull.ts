/**
 * Compares whole tables, because gossip can die out before it reached everybody, and because two
 * halves of a cluster meet with much to tell. Only what differs travels once the digests differ:
 *
 *     A ── digest ───────────▶ B    equal: over
 *     A ◀─ state, all living ─ B    (in parts; the last asks for a reply)
 *     A ── state ────────────▶ B    what A knows better, and the living that B did not name
 *     A ◀─ state ───────────── B    what B knows better of those, deaths above all
 */
import type { NodeId } from "../model/ids.ts";
import type { MemberUpdate } from "../wire/membership-messages.ts";
import type { EffectSink } from "./effect-sink.ts";
import type { Member } from "./member.ts";
import { isLive } from "./member.ts";
import type { Roster } from "./roster.ts";
import type { MembershipSettings } from "./settings.ts";
import { splitStatements } from "./statement-size.ts";
import type { Statements } from "./statements.ts";

/** Comparisons awaiting an answer; of a forgotten one the answer only costs a longer reply. */
const openCountMax = 16;

/** Within this time a second comparison with the same member tells nothing new. */
const comparePauseMs = 1000;

/** Factor of the interval: `ceil(log2 n − 5) + 1` above 32 members. */
export function pushPullFactor(memberCount: number): number {
  return memberCount <= 32 ? 1 : Math.ceil(Math.log2(memberCount) - 5) + 1;
}

interface PushPullParts {
  readonly settings: MembershipSettings;
  readonly roster: Roster;
  readonly statements: Statements;
  readonly sink: EffectSink;
}

interface Comparison {
  readonly startedAt: number;
  /** Named by the parts of the answer so far. */
  readonly named: Set<NodeId>;
}

export class PushPull {
  readonly #parts: PushPullParts;
  readonly #open = new Map<NodeId, Comparison>();
  #nextAt: number;

  constructor(parts: PushPullParts, firstAt: number) {
    this.#parts = parts;
    this.#nextAt = firstAt;
  }

  get dueAt(): number {
    return this.#nextAt;
  }

  beginDue(now: number): void {
    if (now < this.#nextAt) return;
    const { settings, roster } = this.#parts;
    this.#nextAt = now + settings.pushPullIntervalMs * pushPullFactor(roster.liveCount);
    const partner = roster.partnerOrder.next();
    if (partner !== undefined) this.begin(partner, now);
  }

  begin(partner: NodeId, now: number): void {
    const { roster, sink } = this.#parts;
    this.#open.delete(partner);
    for (const oldest of this.#open.keys()) {
      if (this.#open.size < openCountMax) break;
      this.#open.delete(oldest);
    }
    this.#open.set(partner, { startedAt: now, named: new Set() });
    sink.send(partner, { type: "digest", digest: roster.digest, reply: true });
  }

  /** Whether a comparison with the member began a moment ago. */
  isRecent(partner: NodeId, now: number): boolean {
    const open = this.#open.get(partner);
    return open !== undefined && now - open.startedAt < comparePauseMs;
  }

  end(partner: NodeId): void {
    this.#open.delete(partner);
  }

  answer(from: NodeId, digest: number, reply: boolean): void {
    const { roster } = this.#parts;
    if (!reply || digest === roster.digest) return;
    this.#send(from, [...roster.members.values()].filter(isLive), true);
  }

  receive(
    from: NodeId,
    {
      members: rows,
      reply,
    }: { readonly members: readonly MemberUpdate[]; readonly reply: boolean },
    now: number,
  ): void {
    const { roster, statements } = this.#parts;
    const named = this.#open.get(from)?.named ?? new Set<NodeId>();
    const better: Member[] = [];
    for (const row of rows) {
      named.add(row.node);
      const known = statements.import(row, from, now);
      if (known !== undefined) better.push(known);
    }
    if (reply) {
      this.end(from);
      for (const member of roster.members.values()) {
        if (isLive(member) && !named.has(member.id)) better.push(member);
      }
    }
    if (better.length > 0) this.#send(from, better, false);
  }

  #send(to: NodeId, members: readonly Member[], replyToLast: boolean): void {
    const { settings, statements, sink } = this.#parts;
    const rows = members.map((member) => statements.about(member));
    const parts = splitStatements(rows, settings.messageBytesMax, settings.messageMembersMax);
    for (const [index, part] of parts.entries()) {
      const reply = replyToLast && index === parts.length - 1;
      sink.send(to, { type: "state", members: part, reply });
    }
  }
}
