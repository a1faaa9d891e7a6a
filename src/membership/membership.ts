/**
 * Who is in the cluster as far as this node can tell: SWIM (Das et al. 2002) with Lifeguard's
 * extensions (Dadgar et al. 2018) and the rules of memberlist, over streams. Pure: every method
 * takes the time, and answers with what is to be done; the only timer is `nextTickAt`.
 *
 * It is advisory. It says where data should live and whom to ask first; who may commit is decided by
 * majorities elsewhere. This file is the composition: each part has its own file.
 */
import type { BootId, NodeId } from "../model/ids.ts";
import { LatticeError } from "../model/error.ts";
import type { Random } from "../model/random.ts";
import type { MemberUpdate, MembershipMessage } from "../wire/membership-messages.ts";
import { ClockProbes } from "./clock-probes.ts";
import type { ClusterClock } from "./cluster-clock.ts";
import { EffectSink } from "./effect-sink.ts";
import type { MembershipEffect } from "./effects.ts";
import { Gossip } from "./gossip.ts";
import { HardEvidence } from "./hard-evidence.ts";
import { Health, loopDelayPoints } from "./health.ts";
import type { HelloJudgement } from "./hello-judgement.ts";
import { Links } from "./links.ts";
import type { Member, MemberIdentity } from "./member.ts";
import { isLive, memberOf, statementOf } from "./member.ts";
import { News } from "./news.ts";
import { nextPlacementAt, placementOf, samePlacement, type PlacementRules } from "./placement.ts";
import { Prober } from "./prober.ts";
import { PushPull } from "./push-pull.ts";
import { Relays } from "./relays.ts";
import { Rest } from "./rest.ts";
import { Reunion } from "./reunion.ts";
import { Roster } from "./roster.ts";
import { RoundTrips } from "./round-trips.ts";
import { Sequence } from "./sequence.ts";
import type { MembershipSettings } from "./settings.ts";
import { membershipSettings } from "./settings.ts";
import { isSound } from "./soundness.ts";
import { Statements } from "./statements.ts";
import { Suspicions } from "./suspicions.ts";
import { Verdicts } from "./verdicts.ts";
import { Witness } from "./witness.ts";

export interface MembershipOptions {
  readonly self: MemberIdentity;
  readonly settings?: Partial<MembershipSettings>;
  /** Copies of every partition: so many members are placed, if there are, also such as rest. */
  readonly replicas: number;
  /** Dialled while alone, and by the heal loop for ever. */
  readonly joinAddresses?: readonly string[];
  readonly random: Random;
  /** Read for those who ask, and corrected by what they answer. */
  readonly clock: ClusterClock;
  readonly now: number;
}

/**
 * How a link ended. `goodbye`: the peer said so. `refused`, `replaced`: dialled again, and nobody
 * or another process answered. `unreachable`: dialled again, without any answer.
 */
export type LinkEvidence = "goodbye" | "refused" | "replaced" | "unreachable";

export class Membership {
  readonly #settings: MembershipSettings;
  readonly #sink = new EffectSink();
  readonly #health: Health;
  readonly #news: News;
  readonly #roster: Roster;
  readonly #evidence: HardEvidence;
  readonly #statements: Statements;
  readonly #gossip: Gossip;
  readonly #prober: Prober;
  readonly #relays: Relays;
  readonly #pushPull: PushPull;
  readonly #reunion: Reunion;
  readonly #verdicts: Verdicts;
  readonly #witness: Witness;
  readonly #links: Links;
  readonly #clock: ClusterClock;
  readonly #clockProbes: ClockProbes;
  readonly #rest: Rest;
  readonly #placementRules: PlacementRules;
  #upkeepAt: number;
  #placed: readonly Member[] = [];
  #placedVersion = -1;
  #placementDueAt = Infinity;
  #nextTickAt: number;

  /** @throws LatticeError `invalid_argument` for a setting or an identity out of bounds */
  constructor(options: MembershipOptions) {
    const { self, replicas, joinAddresses = [], random, clock, now } = options;
    const me = memberOf(birthStatement(self), now);
    this.#settings = membershipSettings(options.settings);
    this.#placementRules = { ...this.#settings, replicas };
    this.#rest = new Rest(this.#settings, now);
    this.#health = new Health(this.#settings.healthMax);
    this.#news = new News(this.#settings);
    this.#roster = new Roster(me, this.#settings, random);
    this.#evidence = new HardEvidence(this.#settings);
    const common = { settings: this.#settings, roster: this.#roster, sink: this.#sink };
    const suspicions = new Suspicions(this.#settings);
    const beliefs = { suspicions, evidence: this.#evidence, news: this.#news };
    const own = { health: this.#health, rest: this.#rest };
    const statements = new Statements({ ...common, ...beliefs, ...own });
    this.#statements = statements;
    this.#gossip = new Gossip({ ...common, statements, news: this.#news });
    const sequence = new Sequence();
    this.#clock = clock;
    this.#clockProbes = new ClockProbes({ ...common, clock, sequence });
    this.#links = new Links(common);
    const probing = {
      ...common,
      links: this.#links,
      statements,
      gossip: this.#gossip,
      health: this.#health,
      roundTrips: new RoundTrips(this.#settings.roundTripCount),
      sequence,
      clockProbes: this.#clockProbes,
    };
    // A random phase, so that nodes started together do not act together.
    this.#prober = new Prober(probing, now + random() * this.#settings.probeIntervalMs);
    this.#relays = new Relays(probing);
    const pushPullAt = now + random() * this.#settings.pushPullIntervalMs;
    this.#pushPull = new PushPull({ ...common, statements }, pushPullAt);
    this.#reunion = new Reunion({ ...common, random }, joinAddresses, now);
    const judged = { prober: this.#prober, relays: this.#relays, suspicions };
    this.#verdicts = new Verdicts({ ...common, ...judged, evidence: this.#evidence, statements });
    this.#witness = new Witness({ ...common, evidence: this.#evidence, random });
    this.#upkeepAt = now + upkeepIntervalMs;
    this.#placed = this.placementMembers(now);
    this.#news.add(statementOf(me, me.id));
    this.#nextTickAt = now;
  }

  /** Every node heard of, this one included, until dead or left for a day. */
  get members(): ReadonlyMap<NodeId, Member> {
    return this.#roster.members;
  }

  /** This node's own record. */
  get self(): Member {
    return this.#roster.self;
  }

  /** How well this node itself does: 0 is well, `healthMax` is worst. */
  get healthScore(): number {
    return this.#health.score;
  }

  /** When `tick` must be called next, in milliseconds of the injected clock; Infinity for never. */
  get nextTickAt(): number {
    return this.#nextTickAt;
  }

  /** Does what is due. */
  tick(now: number): readonly MembershipEffect[] {
    if (!this.#roster.hasLeft) {
      this.#verdicts.decideDue(now);
      this.#prober.startDue(now);
      this.#pushPull.beginDue(now);
      this.#reunion.dialDue(now);
      if (now >= this.#rest.dueAt(this.self)) this.#statements.announce(this.#rest.at(now), now);
    }
    this.#gossip.spreadDue(now);
    if (now >= this.#upkeepAt) this.#upkeep(now);
    return this.#finish(now);
  }

  /** Answers the effect `poll`: sockets were read, so what is still due may be decided. */
  polled(now: number): readonly MembershipEffect[] {
    if (!this.#roster.hasLeft) this.#verdicts.decidePostponed(now);
    return this.#finish(now);
  }

  receive(from: NodeId, message: MembershipMessage, now: number): readonly MembershipEffect[] {
    if (from === this.self.id) return this.#finish(now);
    this.#roster.hear(from, now);
    // A node that left only acknowledges, so that nobody doubts how it went.
    if (!this.#roster.hasLeft || message.type === "ping") this.#take(from, message, now);
    return this.#finish(now);
  }

  /** Any frame from `node`, on any channel, counts as an ack of a running probe. Cheap. */
  heardFrom(node: NodeId, now: number): void {
    this.#roster.hear(node, now);
  }

  /** A hello with `peer` was completed, by either side. Both sides must report it. */
  linkUp(peer: MemberIdentity, now: number): readonly MembershipEffect[] {
    if (peer.id !== this.self.id && !this.#roster.hasLeft) {
      this.#rest.meet(now);
      this.#statements.meet(peer, now);
      this.#roster.hear(peer.id, now);
      this.#links.open(peer);
      this.#clockProbes.meet(peer.id, now);
      if (this.members.get(peer.id)?.boot === peer.boot) this.#evidence.clear(peer.id);
      // One side is enough to compare tables, but not for those who hold each other dead: nothing
      // would make them speak again.
      const isHeldDead = this.#roster.live(peer.id) === undefined;
      if (isHeldDead || this.self.id < peer.id) this.#pushPull.begin(peer.id, now);
    }
    return this.#finish(now);
  }

  /** The last link to this life of `node` is gone, and the next dial ended as `evidence` says. */
  linkLost(
    node: NodeId,
    boot: BootId,
    evidence: LinkEvidence,
    now: number,
  ): readonly MembershipEffect[] {
    this.#links.close(node, boot);
    const member = this.#roster.live(node);
    if (member?.boot === boot && node !== this.self.id && !this.#roster.hasLeft) {
      this.#pushPull.end(node);
      if (evidence !== "goodbye") this.#prober.urge(node);
      const hard = evidence === "refused" || evidence === "replaced";
      // An address that was never reached may be wrong, which is no proof of death.
      if (hard && this.#links.hasMet(node, boot)) this.#witness.testify(member, now);
    }
    return this.#finish(now);
  }

  /**
   * Whether a newcomer may hold its id; see `hello-judgement.ts`. After `wait` ask again with the
   * same newcomer when the old link closes or at `untilAt`, then close the old link if accepted.
   */
  judgeHello(
    newcomer: { readonly id: NodeId; readonly boot: BootId },
    now: number,
  ): { readonly judgement: HelloJudgement; readonly effects: readonly MembershipEffect[] } {
    const judgement = this.#links.judge(newcomer, now);
    return { judgement, effects: this.#finish(now) };
  }

  /** Reports the p99 of the event-loop delay over the last second or so. */
  loopDelay(p99Ms: number, _now: number): void {
    this.#health.change(loopDelayPoints(p99Ms, this.#settings));
  }

  /** Compares tables with `node`, as after an unknown table id. Repeats within a second do nothing. */
  compareWith(node: NodeId, now: number): readonly MembershipEffect[] {
    const wanted = this.#roster.live(node) !== undefined && node !== this.self.id;
    if (wanted && !this.#roster.hasLeft && !this.#pushPull.isRecent(node, now)) {
      this.#pushPull.begin(node, now);
    }
    return this.#finish(now);
  }

  /** Announces that this node takes no more partitions. */
  leaving(now: number): readonly MembershipEffect[] {
    if (!this.self.leaving) this.#statements.announce({ leaving: true }, now);
    return this.#finish(now);
  }

  /** Announces that this node has left, to many at once. Final for this boot. */
  leave(now: number): readonly MembershipEffect[] {
    if (!this.#roster.hasLeft) {
      this.#statements.announce({ leaving: true, status: "left" }, now);
      this.#gossip.spreadNow();
    }
    return this.#finish(now);
  }

  /**
   * An operator's word that the process known as `node` will not return; spreads to all.
   * @throws LatticeError `invalid_argument` for this node, `not_found` for one that is not known,
   *   `failed_precondition` for one that is not known to be dead or to have left
   */
  forget(node: NodeId, now: number): readonly MembershipEffect[] {
    this.#statements.declareGone(forgettable(this.#roster, node), now);
    return this.#finish(now);
  }

  /** The highest boot id known for a node. */
  rememberedBoot(node: NodeId): BootId | undefined {
    return this.members.get(node)?.boot;
  }

  /** What placement is computed from, sorted by id. Its changes are the effect of that name. */
  placementMembers(now: number): readonly Member[] {
    return placementOf(this.members.values(), now, this.#placementRules);
  }

  #take(from: NodeId, message: MembershipMessage, now: number): void {
    switch (message.type) {
      case "ping":
        this.#hearAll(message.updates, from, now);
        if (message.target === this.self.id) this.#acknowledge(from, message.sequence, now);
        return;
      case "ack":
        this.#hearAll(message.updates, from, now);
        this.#prober.ack(from, message.sequence, now);
        this.#relays.ack(from, message.sequence);
        this.#clockProbes.answered(from, message, now);
        return;
      case "ping-request":
        this.#hearAll(message.updates, from, now);
        this.#relays.ask(from, message.sequence, message.target, now);
        return;
      case "nack":
        this.#prober.nack(message.sequence);
        return;
      case "gossip":
        this.#hearAll(message.updates, from, now);
        return;
      case "digest":
        this.#pushPull.answer(from, message.digest, message.reply);
        return;
      case "state":
        this.#pushPull.receive(from, message, now);
        return;
      case "link-lost":
        this.#witness.hear(from, message, now);
    }
  }

  #hearAll(updates: readonly MemberUpdate[], from: NodeId, now: number): void {
    if (this.#roster.hasLeft) return;
    for (const update of updates) this.#statements.hear(update, from, now);
  }

  #acknowledge(to: NodeId, sequence: number, now: number): void {
    const clock = this.#clock.reading(now);
    const clockSettled = this.#clock.isSettled;
    const updates = this.#gossip.piggyback(to);
    this.#sink.send(to, { type: "ack", sequence, clock, clockSettled, updates });
  }

  #upkeep(now: number): void {
    this.#upkeepAt = now + upkeepIntervalMs;
    this.#roster.expire(now);
    this.#evidence.expire(now);
    this.#links.expire(now);
    this.#clockProbes.expire();
  }

  #finish(now: number): readonly MembershipEffect[] {
    if (this.#placedVersion !== this.#roster.version || now >= this.#placementDueAt) {
      this.#placedVersion = this.#roster.version;
      const placed = this.placementMembers(now);
      const same = samePlacement(placed, this.#placed);
      this.#placed = placed;
      this.#placementDueAt = nextPlacementAt(placed, this.#settings.reassignDelayMs);
      if (!same) this.#sink.add({ type: "placement-changed", members: placed });
    }
    this.#nextTickAt = this.#findNextTick();
    return this.#sink.take();
  }

  #findNextTick(): number {
    const passive = Math.min(this.#gossip.dueAt, this.#placementDueAt);
    if (this.#roster.hasLeft) return passive;
    return Math.min(
      passive,
      this.#upkeepAt,
      this.#verdicts.dueAt,
      this.#prober.startDueAt,
      this.#pushPull.dueAt,
      this.#reunion.dueAt,
      this.#rest.dueAt(this.self),
    );
  }
}

function forgettable({ members, self }: Roster, node: NodeId): Member {
  const member = members.get(node);
  if (node === self.id) {
    throw new LatticeError("invalid_argument", `${node} cannot forget itself: let it leave`);
  }
  if (member === undefined) {
    const known = [...members.keys()].sort().join(", ");
    throw new LatticeError("not_found", `no node ${node} is known: there are ${known}`);
  }
  if (isLive(member)) {
    const advice = "stop it first, and wait until it is held dead";
    throw new LatticeError("failed_precondition", `${node} is ${member.status}: ${advice}`);
  }
  return member;
}

/** Pause between passes over what is only kept for a time. */
const upkeepIntervalMs = 10_000;

function birthStatement(self: MemberIdentity): MemberUpdate {
  const { id, boot, address, zone, weight } = self;
  const says = { node: id, boot, address, zone, weight, refutations: 0, restarts: 0, from: id };
  if (!isSound(says)) {
    throw new LatticeError(
      "invalid_argument",
      `node identity ${JSON.stringify(self)} is out of bounds: the id needs 1 to 128 characters, ` +
        "address at most 512, zone at most 128, the weight must be within 0.1 and 1000",
    );
  }
  return { ...says, status: "alive", leaving: false, resting: false };
}
