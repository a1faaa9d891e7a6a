/**
 * Drives membership: keeps its time, performs its effects over the links, and turns the members it
 * tells of into a placement. Membership decides, this only does.
 */
import type { BootId, NodeId } from "../../model/ids.ts";
import type { ClusterClock } from "../../membership/cluster-clock.ts";
import { Membership } from "../../membership/membership.ts";
import type { HelloJudgement } from "../../membership/hello-judgement.ts";
import type { MembershipEffect } from "../../membership/effects.ts";
import type { Member } from "../../membership/member.ts";
import type { MembershipSettings } from "../../membership/settings.ts";
import type { NodePlatform, Timer } from "../../platform/platform.ts";
import { placementOf, type Placement } from "../../ring/placement.ts";
import type { MembershipMessage } from "../../wire/membership-messages.ts";
import type { NodeIdentity } from "../../wire/messages.ts";
import type { LinkEvidence } from "../links/link-evidence.ts";
import type { Links } from "../links/links.ts";

/** Changes of the members within this time make one new placement. */
const placementDebounceMs = 200;
/** How often the event-loop delay is reported to membership, and the wall clock looked at. */
const lookIntervalMs = 1_000;

export interface ClusterEvents {
  /** `previous` is absent for a member heard of for the first time. */
  memberChanged(member: Member, previous: Member | undefined): void;
  /** This node was accused and said otherwise. */
  refuted(accuser: NodeId): void;
  /** It answered others, and not this node. */
  linkDoubtful(node: NodeId): void;
  placementChanged(placement: Placement): void;
  /** The clock was so far ahead of (negative: behind) that of the members, and shows theirs now. */
  clockSet(aheadMs: number): void;
  /** About once in a second. */
  secondPassed(): void;
  /** A later life of this node runs elsewhere: this process has to stop. */
  outdated(boot: BootId): void;
  /** An operator has declared this process gone, on node `by`. */
  forgotten(by: NodeId): void;
}

export interface ClusterDriverOptions {
  readonly platform: NodePlatform;
  readonly self: NodeIdentity;
  readonly join: readonly string[];
  readonly settings?: Partial<MembershipSettings>;
  readonly clock: ClusterClock;
  readonly links: Links;
  readonly events: ClusterEvents;
}

export class ClusterDriver {
  readonly #options: ClusterDriverOptions;
  readonly #membership: Membership;
  #tickTimer: Timer | undefined;
  #tickAt = Infinity;
  #placementTimer: Timer | undefined;
  #lookTimer: Timer | undefined;
  #placed: readonly Member[];
  #stopped = false;

  constructor(options: ClusterDriverOptions) {
    this.#options = options;
    const { platform, self } = options;
    this.#membership = new Membership({
      self,
      replicas: self.settings.replicas,
      joinAddresses: options.join,
      random: platform.random,
      clock: options.clock,
      now: platform.clock.now(),
      ...(options.settings === undefined ? {} : { settings: options.settings }),
    });
    this.#placed = this.#membership.placementMembers(platform.clock.now());
  }

  get members(): ReadonlyMap<NodeId, Member> {
    return this.#membership.members;
  }

  /**
   * A node that joins others has no table until it has heard of them: one that names itself alone
   * would let it drop the other owners of whatever it is given to lead.
   */
  start(): void {
    this.#look();
    this.#arm();
  }

  /** This node creates the cluster: whom it knows is all there is. */
  created(): void {
    this.#options.clock.settle();
    this.#place();
  }

  stop(): void {
    this.#stopped = true;
    this.#tickTimer?.cancel();
    this.#placementTimer?.cancel();
    this.#lookTimer?.cancel();
  }

  receive(from: NodeId, message: MembershipMessage): void {
    this.#perform(this.#membership.receive(from, message, this.#now()));
  }

  heardFrom(node: NodeId): void {
    this.#membership.heardFrom(node, this.#now());
  }

  linkUp(peer: NodeIdentity): void {
    this.#perform(this.#membership.linkUp(peer, this.#now()));
  }

  linkLost(node: NodeId, boot: BootId, evidence: LinkEvidence): void {
    this.#perform(this.#membership.linkLost(node, boot, evidence, this.#now()));
  }

  judgeHello(newcomer: NodeIdentity): HelloJudgement {
    const { judgement, effects } = this.#membership.judgeHello(newcomer, this.#now());
    this.#perform(effects);
    return judgement;
  }

  /** A caller used another table: compare member tables with where it came from. */
  compareWith(node: NodeId): void {
    this.#perform(this.#membership.compareWith(node, this.#now()));
  }

  /** @throws LatticeError as `Membership.forget` does */
  forget(node: NodeId): void {
    this.#perform(this.#membership.forget(node, this.#now()));
  }

  announceLeaving(): void {
    this.#perform(this.#membership.leaving(this.#now()));
  }

  announceLeft(): void {
    this.#perform(this.#membership.leave(this.#now()));
  }

  #perform(effects: readonly MembershipEffect[]): void {
    for (const effect of effects) this.#performOne(effect);
    this.#arm();
  }

  #performOne(effect: MembershipEffect): void {
    const { links, events, platform } = this.#options;
    switch (effect.type) {
      case "send":
        links.send(effect.to, "control", { type: "membership", message: effect.message });
        return;
      case "member-changed":
        this.#seekMembers();
        events.memberChanged(effect.member, effect.previous);
        return;
      case "placement-changed":
        this.#placed = effect.members;
        this.#placeSoon();
        return;
      case "dial":
        links.dial(effect.address);
        return;
      case "poll":
        platform.timers.afterPoll(() => {
          platform.timers.afterPoll(() => {
            if (!this.#stopped) this.#perform(this.#membership.polled(this.#now()));
          });
        });
        return;
      case "clock-set":
        events.clockSet(effect.aheadMs);
        return;
      case "outdated":
        events.outdated(effect.boot);
        return;
      case "forgotten":
        events.forgotten(effect.by);
        return;
      case "refuted":
        events.refuted(effect.accuser);
        return;
      case "link-doubtful":
        events.linkDoubtful(effect.node);
        return;
      case "malformed":
      case "table-full":
        platform.logger.warn(`membership: ${effect.type}`, { ...effect });
    }
  }

  #arm(): void {
    const at = this.#membership.nextTickAt;
    if (this.#stopped || at === this.#tickAt) return;
    this.#tickTimer?.cancel();
    this.#tickAt = at;
    if (at === Infinity) return;
    this.#tickTimer = this.#options.platform.timers.after(Math.max(0, at - this.#now()), () => {
      this.#tickAt = Infinity;
      this.#perform(this.#membership.tick(this.#now()));
    });
  }

  /** Links are wanted to everybody who may live. */
  #seekMembers(): void {
    const self = this.#options.self.id;
    const wanted = [...this.members.values()].filter(
      (member) => member.id !== self && (member.status === "alive" || member.status === "suspect"),
    );
    this.#options.links.setWanted(wanted);
  }

  #placeSoon(): void {
    if (this.#placementTimer !== undefined || this.#stopped) return;
    this.#placementTimer = this.#options.platform.timers.after(placementDebounceMs, () => {
      this.#placementTimer = undefined;
      this.#place();
    });
  }

  #place(): void {
    const { settings } = this.#options.self;
    this.#options.events.placementChanged(
      placementOf(this.#placed, {
        partitionCount: settings.partitionCount,
        replicas: settings.replicas,
      }),
    );
  }

  #look(): void {
    const { platform, events } = this.#options;
    this.#lookTimer = platform.timers.after(lookIntervalMs, () => {
      this.#membership.loopDelay(platform.loopDelay.takeP99(), this.#now());
      events.secondPassed();
      this.#look();
    });
  }

  #now(): number {
    return this.#options.platform.clock.now();
  }
}
