/**
 * A membership core with the driver it needs, in the little: links, dials, one timer, and an event
 * loop that can stall. As in Node, expired timers run before anything is read after a stall.
 */
import assert from "node:assert/strict";
import { ClusterClock } from "../../../src/membership/cluster-clock.ts";
import type { MembershipEffect } from "../../../src/membership/effects.ts";
import type { Member, MemberIdentity } from "../../../src/membership/member.ts";
import type { LinkEvidence } from "../../../src/membership/membership.ts";
import { Membership } from "../../../src/membership/membership.ts";
import { compareIncarnations } from "../../../src/membership/precedence.ts";
import type { MembershipSettings } from "../../../src/membership/settings.ts";
import type { Random } from "../../../src/model/random.ts";
import type { MembershipMessage } from "../../../src/wire/membership-messages.ts";
import { SparseLinks } from "./sparse-links.ts";

/** The other node waits this long before it dials as well. */
const politenessMs = 2000;
const redialJitterMs = 250;
const startWallMs = Date.UTC(2026, 0);
/** Changes of members within this time choose links anew once. */
const seekDelayMs = 50;
/** A link that nobody keeps is closed after so long. */
const idleLinkMs = 30_000;
/** Messages that wait for one link to open. */
const waitingMax = 8;

export type DialOutcome = "linked" | LinkEvidence;

/** What surrounds a node: time, chance and the network. */
export interface VirtualWorld {
  readonly now: number;
  readonly random: Random;
  readonly settings: Partial<MembershipSettings>;
  readonly replicas: number;
  /** Whether links are few where members are many; otherwise everybody is linked to everybody. */
  readonly isSparse: boolean;
  after(delayMs: number, run: () => void): void;
  transmit(from: VirtualNode, to: string, message: MembershipMessage): void;
  dial(from: VirtualNode, address: string, done?: (outcome: DialOutcome) => void): void;
  /** Ends a link that neither side keeps. */
  closeIdle(from: VirtualNode, to: string): void;
  observe(observer: VirtualNode, member: Member, previous: Member | undefined): void;
}

export class VirtualNode {
  readonly identity: MemberIdentity;
  readonly core: Membership;
  readonly clock: ClusterClock;
  readonly cluster: VirtualWorld;
  /** Peer id → boot at the other end. */
  readonly links = new Map<string, number>();
  crashed = false;
  sentCount = 0;
  placementChanges = 0;
  readonly outdated: number[] = [];
  /** Links opened because there was something to say. */
  dialCount = 0;
  readonly #sparse: SparseLinks;
  #kept: ReadonlySet<string> = new Set();
  #seeksAt = -Infinity;
  readonly #waiting = new Map<string, MembershipMessage[]>();
  #pausedUntil = -Infinity;
  #inbox: (() => void)[] = [];
  #pollWanted = false;
  #timerAt = Infinity;
  #incarnation: { boot: number; refutations: number };

  constructor(cluster: VirtualWorld, identity: MemberIdentity, joinAddresses: readonly string[]) {
    this.cluster = cluster;
    this.identity = identity;
    this.clock = new ClusterClock(cluster.now, startWallMs + cluster.now);
    if (joinAddresses.length === 0) this.clock.settle();
    this.#sparse = new SparseLinks(cluster.random);
    this.core = new Membership({
      self: identity,
      settings: cluster.settings,
      replicas: cluster.replicas,
      joinAddresses,
      random: cluster.random,
      clock: this.clock,
      now: cluster.now,
    });
    this.#incarnation = this.core.self;
    this.#schedule();
  }

  get id(): string {
    return this.identity.id;
  }

  get isPaused(): boolean {
    return this.cluster.now < this.#pausedUntil;
  }

  /** Runs when the event loop is free: now, or after the stall in the order of arrival. */
  whenAwake(run: () => void): void {
    if (this.crashed) return;
    if (this.isPaused || this.#inbox.length > 0) this.#inbox.push(run);
    else run();
  }

  /** Stalls the event loop. */
  pause(durationMs: number): void {
    this.#pausedUntil = this.cluster.now + durationMs;
    this.cluster.after(durationMs, () => this.#resume());
  }

  perform(effects: readonly MembershipEffect[]): void {
    for (const effect of effects) this.#performOne(effect);
    const { self } = this.core;
    assert.ok(compareIncarnations(self, this.#incarnation) >= 0, "own incarnation fell");
    this.#incarnation = self;
    this.#schedule();
  }

  deliver(from: string, message: MembershipMessage): void {
    this.whenAwake(() => this.perform(this.core.receive(from, message, this.cluster.now)));
  }

  linkUp(peer: MemberIdentity): void {
    const old = this.links.get(peer.id);
    this.links.set(peer.id, peer.boot);
    const { now } = this.cluster;
    if (old !== undefined && old !== peer.boot) {
      this.perform(this.core.linkLost(peer.id, old, "replaced", now));
    }
    this.perform(this.core.linkUp(peer, now));
  }

  /** The socket closed without a goodbye: dial again, then report. */
  linkClosed(peer: string, boot: number): void {
    if (this.links.get(peer) !== boot) return;
    this.links.delete(peer);
    const address = this.core.members.get(peer)?.address;
    if (address === undefined) return;
    this.cluster.after(this.cluster.random() * redialJitterMs, () => {
      this.whenAwake(() => {
        this.cluster.dial(this, address, (outcome) => {
          if (outcome === "linked" || this.links.get(peer) === boot) return;
          this.perform(this.core.linkLost(peer, boot, outcome, this.cluster.now));
        });
      });
    });
  }

  #performOne(effect: MembershipEffect): void {
    const { cluster } = this;
    switch (effect.type) {
      case "send":
        this.sentCount++;
        this.#send(effect.to, effect.message);
        return;
      case "dial":
        cluster.dial(this, effect.address);
        return;
      case "poll":
        this.#pollWanted = true;
        if (!this.isPaused && this.#inbox.length === 0) cluster.after(0.1, () => this.#poll());
        return;
      case "member-changed": {
        cluster.observe(this, effect.member, effect.previous);
        if (cluster.isSparse) this.#seekSoon();
        else this.#linkTo(effect.member);
        return;
      }
      case "placement-changed":
        this.placementChanges++;
        return;
      case "outdated":
        this.outdated.push(effect.boot);
        return;
      default:
        return;
    }
  }

  #linkTo({ id, status, address }: Member): void {
    const { cluster } = this;
    if (status !== "alive" || id === this.id || this.links.has(id)) return;
    cluster.after(this.id < id ? 0 : politenessMs, () => {
      this.whenAwake(() => {
        if (!this.links.has(id)) cluster.dial(this, address);
      });
    });
  }

  #seekSoon(): void {
    const { cluster } = this;
    if (cluster.now < this.#seeksAt) return;
    this.#seeksAt = cluster.now + seekDelayMs;
    cluster.after(seekDelayMs, () => this.whenAwake(() => this.#seek()));
  }

  /** Chooses whom links are kept to, and dials those without one. */
  #seek(): void {
    const others: string[] = [];
    for (const { id, status } of this.core.members.values()) {
      if (id !== this.id && (status === "alive" || status === "suspect")) others.push(id);
    }
    this.#kept = this.#sparse.wanted(this.id, others);
    for (const id of this.#kept) {
      const address = this.core.members.get(id)?.address;
      if (address !== undefined && !this.links.has(id)) this.cluster.dial(this, address);
    }
  }

  /** Whether this node keeps its link to a member although there is nothing to say. */
  keeps(id: string): boolean {
    return !this.cluster.isSparse || this.#kept.has(id);
  }

  #send(to: string, message: MembershipMessage): void {
    const { cluster } = this;
    if (this.links.has(to)) {
      cluster.transmit(this, to, message);
      return;
    }
    const address = this.core.members.get(to)?.address;
    if (address === undefined) return;
    const waiting = this.#waiting.get(to);
    if (waiting !== undefined) {
      if (waiting.length < waitingMax) waiting.push(message);
      return;
    }
    this.#waiting.set(to, [message]);
    this.dialCount++;
    cluster.dial(this, address, (outcome) => {
      const messages = this.#waiting.get(to) ?? [];
      this.#waiting.delete(to);
      if (outcome !== "linked") return;
      for (const one of messages) cluster.transmit(this, to, one);
      if (cluster.isSparse) cluster.after(idleLinkMs, () => cluster.closeIdle(this, to));
    });
  }

  /** The link was closed in order, by either side. */
  linkEnded(peer: string): void {
    const boot = this.links.get(peer);
    if (boot === undefined) return;
    this.links.delete(peer);
    this.perform(this.core.linkLost(peer, boot, "goodbye", this.cluster.now));
  }

  #poll(): void {
    if (!this.#pollWanted || this.crashed || this.isPaused) return;
    this.#pollWanted = false;
    this.perform(this.core.polled(this.cluster.now));
  }

  #resume(): void {
    if (this.crashed || this.isPaused) return;
    this.#runTimer();
    const { now } = this.cluster;
    while (this.#inbox.length > 0) {
      const batch = this.#inbox;
      this.#inbox = [];
      for (const run of batch) run();
      assert.equal(this.cluster.now, now);
    }
    this.#poll();
  }

  #schedule(): void {
    const at = Math.max(this.core.nextTickAt, this.cluster.now);
    if (at >= this.#timerAt || at === Infinity) return;
    this.#timerAt = at;
    this.cluster.after(at - this.cluster.now, () => {
      if (this.#timerAt !== at) return;
      if (this.crashed || this.isPaused) return;
      this.#runTimer();
    });
  }

  #runTimer(): void {
    this.#timerAt = Infinity;
    const { now } = this.cluster;
    if (this.core.nextTickAt <= now) this.perform(this.core.tick(now));
    else this.#schedule();
  }
}
