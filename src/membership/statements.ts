/**
 * What this node believes: it takes statements about members, from others and from its own probes,
 * and lets the one with the higher precedence stand. What changed is passed on as news.
 *
 *                 suspect(≥ i)               time is over, or hard evidence
 *     alive(i) ───────────────▶ suspect(i) ─────────────────────────────────▶ dead(i)
 *        ▲  ▲                       │                                            │
 *        │  └──── alive(> i) ───────┘ the subject refuted                        │
 *        └─────── alive(> i) ────────────────────────────────────────────────────┘
 *     left(i), said by the subject itself, ends its boot; only a later boot comes back.
 *     gone, said by an operator of one who is dead or has left, does the same, whatever it says.
 */
import type { BootId, NodeId } from "../model/ids.ts";
import type { MemberUpdate } from "../wire/membership-messages.ts";
import type { EffectSink } from "./effect-sink.ts";
import type { HardEvidence } from "./hard-evidence.ts";
import type { Health } from "./health.ts";
import type { Member, MemberIdentity } from "./member.ts";
import { isLive, looksDifferent, memberOf, statementOf } from "./member.ts";
import type { News } from "./news.ts";
import { compareIncarnations, comparePrecedence, refutationsMax } from "./precedence.ts";
import { counted, sameRest, type Rest } from "./rest.ts";
import type { Roster } from "./roster.ts";
import type { MembershipSettings } from "./settings.ts";
import { isSound } from "./soundness.ts";
import type { Suspicions } from "./suspicions.ts";

interface StatementParts {
  readonly settings: MembershipSettings;
  readonly roster: Roster;
  readonly suspicions: Suspicions;
  readonly evidence: HardEvidence;
  readonly news: News;
  readonly health: Health;
  readonly rest: Rest;
  readonly sink: EffectSink;
}

export class Statements {
  readonly #parts: StatementParts;
  #outdated = false;
  #isForgotten = false;

  constructor(parts: StatementParts) {
    this.#parts = parts;
  }

  /** News from gossip or a piggyback: believed as it is. */
  hear(statement: MemberUpdate, sender: NodeId, now: number): void {
    if (!this.#check(statement, sender)) return;
    this.#settle(attested(statement), now);
  }

  /**
   * A row of another node's table. A death in it may be old or the belief of a wrong minority, so it
   * only raises a suspicion, and the subject, if we hold it alive, is told at once so that it can
   * refute. Deaths of unknown members are ignored: they may be records that we forgot in time.
   * Returns our own record when it beats the row, for the sender to learn.
   */
  import(row: MemberUpdate, sender: NodeId, now: number): Member | undefined {
    if (!this.#check(row, sender)) return undefined;
    const { roster, sink } = this.#parts;
    const statement = attested(row);
    const known = roster.members.get(row.node);
    if (known === undefined && !isLive(statement)) return undefined;
    const better =
      known !== undefined && comparePrecedence(known, statement) > 0 ? known : undefined;
    if (statement.status !== "dead" || row.node === roster.self.id) {
      this.#settle(statement, now);
      return better;
    }
    const accusation: MemberUpdate = { ...statement, status: "suspect" };
    const isNews = known?.status === "alive" && comparePrecedence(accusation, known) > 0;
    this.#settle(accusation, now);
    if (isNews) sink.send(row.node, { type: "gossip", updates: [accusation] });
    return better;
  }

  /** This node could not reach the member. */
  accuse(node: NodeId, now: number): void {
    const { roster } = this.#parts;
    const member = roster.live(node);
    if (member === undefined || node === roster.self.id) return;
    this.#settle({ ...statementOf(member, roster.self.id), status: "suspect" }, now);
  }

  declareDead(node: NodeId, now: number): void {
    const { roster } = this.#parts;
    const member = roster.live(node);
    if (member === undefined || node === roster.self.id) return;
    this.#settle({ ...statementOf(member, roster.self.id), status: "dead" }, now);
  }

  /** An operator's word about a member that is dead or has left: its process will not return. */
  declareGone(member: Member, now: number): void {
    const statement = statementOf(member, this.#parts.roster.self.id);
    this.#settle({ ...statement, status: "gone", refutations: refutationsMax }, now);
  }

  /**
   * A hello was completed: the peer lives. Its incarnation is not ours to raise, so if we hold it
   * suspect or dead it is told, and answers for itself. So it is when we count its restarts, of which
   * it may know nothing.
   */
  meet(peer: MemberIdentity, now: number): void {
    const { roster, sink } = this.#parts;
    const { id, ...identity } = peer;
    const met: MemberUpdate = {
      node: id,
      ...identity,
      refutations: 0,
      status: "alive",
      leaving: false,
      restarts: 0,
      resting: false,
      from: roster.self.id,
    };
    if (!this.#check(met, id)) return;
    if (roster.members.get(id)?.boot !== peer.boot) this.#settle(met, now);
    const known = roster.members.get(id);
    if (known?.boot !== peer.boot) return;
    const isDoubted = known.status === "suspect" || known.status === "dead";
    const isCounted = known.restarts > 0 && known.refutations === 0;
    if (isDoubted || isCounted) {
      sink.send(id, { type: "gossip", updates: [this.about(known)] });
    }
  }

  /** This node announces a change of itself, under a new incarnation. */
  announce(
    change: Partial<Pick<Member, "status" | "leaving" | "restarts" | "resting">>,
    now: number,
  ): void {
    const { self } = this.#parts.roster;
    this.#replaceSelf({ ...self, ...change, refutations: self.refutations + 1 }, now);
  }

  /** Our record as a statement. A suspicion keeps its accuser: passing it on confirms nothing. */
  about(member: Member): MemberUpdate {
    const { roster, suspicions } = this.#parts;
    const accuser = member.status === "suspect" ? suspicions.accuserOf(member.id) : undefined;
    return statementOf(member, accuser ?? roster.self.id);
  }

  #check(statement: MemberUpdate, sender: NodeId): boolean {
    if (isSound(statement)) return true;
    this.#parts.sink.add({ type: "malformed", from: sender, node: statement.node.slice(0, 128) });
    return false;
  }

  #settle(statement: MemberUpdate, now: number): void {
    const { roster, suspicions, news, sink } = this.#parts;
    if (statement.node === roster.self.id) {
      this.#hearAboutSelf(statement, now);
      return;
    }
    const known = roster.members.get(statement.node);
    if (known === undefined) {
      if (roster.isFull) sink.add({ type: "table-full", node: statement.node });
      else this.#record(statement, undefined, now);
      return;
    }
    const order = comparePrecedence(statement, known);
    if (order > 0) this.#record(statement, known, now);
    const confirms = order === 0 && statement.status === "suspect";
    if (confirms && suspicions.confirm(statement.node, statement.from)) news.add(statement);
  }

  #record(heard: MemberUpdate, known: Member | undefined, now: number): void {
    const { settings, roster, suspicions, evidence, news, sink } = this.#parts;
    const statement = counted(heard, known, now, settings);
    const sameStatus = known?.boot === statement.boot && known.status === statement.status;
    const member = memberOf(statement, sameStatus ? known.statusAt : now);
    roster.put(member);
    if (member.status === "suspect") {
      suspicions.start(member.id, statement.from, roster.liveCount, now);
    } else {
      // Alive again, or past a verdict: either way what was held against it is settled.
      suspicions.clear(member.id);
      evidence.clear(member.id);
    }
    news.add(statement);
    if (known === undefined || looksDifferent(known, member)) {
      sink.add({ type: "member-changed", member, previous: known });
    }
  }

  #hearAboutSelf(statement: MemberUpdate, now: number): void {
    const { roster, news } = this.#parts;
    const { self } = roster;
    if (statement.boot > self.boot) {
      this.#hearOfLater(statement.boot);
      return;
    }
    // Having left, nothing said about this boot matters; an earlier boot is not this process.
    if (self.status === "left") return;
    if (statement.boot === self.boot && statement.status === "gone") {
      this.#hearOfEnd(statement.from);
      return;
    }
    if (this.#answersForRest(statement, now)) return;
    const order = compareIncarnations(statement, self);
    const accused = statement.status !== "alive";
    if (order < 0) {
      // Somebody has not heard of this incarnation yet.
      if (statement.boot === self.boot ? accused : isLive(statement)) {
        news.add(statementOf(self, self.id));
      }
      return;
    }
    if (order === 0 && !accused) return;
    this.#refute(statement, now);
  }

  /**
   * Takes what others count of its restarts, and says what follows where that is not known or where a
   * statement of this incarnation says otherwise. A refutation says it anyway.
   */
  #answersForRest(statement: MemberUpdate, now: number): boolean {
    const { roster, rest } = this.#parts;
    const { self } = roster;
    if (statement.boot !== self.boot) return false;
    rest.learn(statement.restarts, now);
    const order = compareIncarnations(statement, self);
    if (order > 0 || (order === 0 && statement.status !== "alive")) return false;
    const state = rest.at(now);
    if (sameRest(self, state) && (order < 0 || sameRest(statement, state))) return false;
    this.announce(state, now);
    return true;
  }

  /** Another process of this id was started after this one. */
  #hearOfLater(boot: BootId): void {
    if (!this.#outdated) this.#parts.sink.add({ type: "outdated", boot });
    this.#outdated = true;
  }

  /** An operator has given this process up, on node `by`. */
  #hearOfEnd(by: NodeId): void {
    if (!this.#isForgotten) this.#parts.sink.add({ type: "forgotten", by });
    this.#isForgotten = true;
  }

  #refute(accusation: MemberUpdate, now: number): void {
    const { roster, health, rest, sink } = this.#parts;
    const refutations = accusation.refutations + 1;
    health.change(1);
    sink.add({ type: "refuted", refutations, accuser: accusation.from });
    this.#replaceSelf({ ...roster.self, ...rest.at(now), refutations }, now);
  }

  #replaceSelf(next: Member, now: number): void {
    const { roster, news, sink } = this.#parts;
    const previous = roster.self;
    const member = next.status === previous.status ? next : { ...next, statusAt: now };
    roster.put(member);
    news.add(statementOf(member, member.id));
    if (looksDifferent(previous, member)) {
      sink.add({ type: "member-changed", member, previous });
    }
  }
}

/** Nobody can leave on another's behalf: from anybody else it is a claim of death. */
function attested(statement: MemberUpdate): MemberUpdate {
  if (statement.status !== "left" || statement.from === statement.node) return statement;
  return { ...statement, status: "dead" };
}
