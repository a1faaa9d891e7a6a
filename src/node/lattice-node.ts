/**
 * One node's life: it starts, becomes ready, serves, and leaves in order or stops at once. Its
 * parts do the work (`node-parts.ts`).
 */
import type { AnyFunction } from "../definition/function-definition.ts";
import type { Handle } from "../definition/handle.ts";
import { discardOperation, redeliverOperation } from "../functions/failed-send-operations.ts";
import type { BootId, NodeId } from "../model/ids.ts";
import { randomBelow } from "../model/random.ts";
import type { Connection, ConnectionHandlers } from "../transport/transport.ts";
import type { NodeIdentity } from "../wire/messages.ts";
import { aliveNodes, hasStayingPeer } from "./living.ts";
import { NodeParts, type NodeFoundation } from "./node-parts.ts";
import { EventFeed } from "./events/event-feed.ts";
import type { EventReader } from "./events/event-reader.ts";
import type { FailedSend, FailedSendFilter } from "./failed-send.ts";
import { checkSender, failedSendsOf } from "./failed-sends.ts";
import type { NodeSettings } from "./options.ts";
import { statsOf } from "./stats-of.ts";
import type { NodeStats, StatsOptions } from "./stats.ts";
import { statusOf } from "./status-of.ts";
import type { NodeStatus } from "./status.ts";
import type { CallSession } from "./calls/node-call-request.ts";
import { SessionMarks } from "../routing/session-marks.ts";

const readyPollMs = 20;
const leavePollMs = 50;
/** Time for calls that are under way when everything has been handed over. */
const drainMs = 5_000;
/** A raised boot id is above the remembered one by up to so much, at random. */
const bootSpread = 1_024;
/** Time for the last gossip and the last answers to get away. */
const farewellMs = 200;

/** What a node stands on, before it is known under which boot id it runs. */
export type NodeGround = Omit<NodeFoundation, "bootTooLow" | "feed">;

/** Calls of a node that are one session. */
export interface NodeSession {
  get<F extends AnyFunction>(functionName: string, key: string): Handle<F>;
  token(): string;
}

export class LatticeNode {
  readonly #settings: NodeSettings;
  readonly #feed = new EventFeed();
  #parts: NodeParts;
  readonly #gone: Promise<void>;
  #resolveGone!: () => void;
  #isLeaving = false;
  #isStopped = false;

  constructor(settings: NodeSettings, ground: NodeGround) {
    this.#settings = settings;
    this.#parts = this.#build(ground);
    this.#gone = new Promise((resolve) => {
      this.#resolveGone = resolve;
    });
  }

  get identity(): NodeIdentity {
    return this.#parts.foundation.identity;
  }

  /** Its insides, for the simulator's invariants. */
  get parts(): NodeParts {
    return this.#parts;
  }

  /** What the listener does with every connection that comes. */
  accept(connection: Connection): ConnectionHandlers {
    return this.#parts.links.accept(connection);
  }

  /** Begins to look for the others. */
  start(): void {
    this.#parts.start();
  }

  /** Its parts under one boot id. */
  #build(ground: NodeGround): NodeParts {
    const parts: NodeParts = new NodeParts(this.#settings, {
      ...ground,
      feed: this.#feed,
      bootTooLow: (remembered) => {
        this.#bootTooLow(parts, remembered);
      },
    });
    return parts;
  }

  /**
   * Others remember a later start of this node than this one: its clock was set back. Before it holds
   * anything it may take a later boot id (`cluster.md` §1); afterwards it may only stop, because what
   * it holds belongs to a life that is over.
   */
  #bootTooLow(parts: NodeParts, remembered: BootId): void {
    if (parts !== this.#parts || this.#isStopped) return;
    const { id, boot } = parts.foundation.identity;
    if (parts.birth.exists || parts.wasLinked) {
      parts.foundation.fatal(
        "outdated",
        `a later start of ${id} is known to others: this one stops`,
      );
      return;
    }
    const { platform, identity } = parts.foundation;
    const later = remembered + 1 + randomBelow(platform.random, bootSpread);
    platform.logger.warn("others remember a later start of this node: its boot id is raised", {
      boot,
      remembered,
    });
    parts.stop();
    this.#parts = this.#build({ ...parts.foundation, identity: { ...identity, boot: later } });
    this.#parts.start();
  }

  /** The cluster exists, as many nodes as wanted are alive, and this one does not leave. */
  get isReady(): boolean {
    const { birth, settings } = this.#parts;
    const enough = aliveNodes(this.#parts.cluster.members).length >= settings.minNodes;
    return birth.exists && enough && !this.#isLeaving && !this.#isStopped;
  }

  /** Resolves when the node is ready, or stopped. */
  async whenReady(): Promise<void> {
    while (!this.isReady && !this.#isStopped) await this.#pause(readyPollMs);
  }

  /** A handle to call a function from this process. */
  get<F extends AnyFunction>(functionName: string, key: string, session?: CallSession): Handle<F> {
    return this.#parts.caller.handle<F>(functionName, key, session);
  }

  /**
   * Calls from this process that are one session.
   * @param token of a session whose past it goes on with; "" for none
   * @throws LatticeError `invalid_argument` for what is no token of this cluster
   */
  session(token: string): NodeSession {
    const session = new SessionMarks(token);
    const { partitionCount } = this.#parts.settings;
    session.checkCluster(partitionCount);
    return {
      get: <F extends AnyFunction>(functionName: string, key: string) =>
        this.get<F>(functionName, key, session),
      token: () => session.token(partitionCount),
    };
  }

  status(): NodeStatus {
    return statusOf(this.#parts, { ready: this.isReady, leaving: this.#isLeaving });
  }

  /** @throws LatticeError as `statsOf` does */
  stats(options: StatsOptions = {}): NodeStats {
    return statsOf(this.#parts, options);
  }

  /** @throws LatticeError as `Membership.forget` does */
  forget(node: NodeId): void {
    this.#parts.cluster.forget(node);
  }

  /** @throws LatticeError `invalid_argument` for a filter that cannot be */
  failedSends(filter: FailedSendFilter): readonly FailedSend[] {
    return failedSendsOf(this.#parts.partitions, filter);
  }

  /** Sends a finally refused call of any entity anew. */
  async redeliver(sender: string, id: string): Promise<void> {
    await this.#parts.caller.change(checkSender(sender), redeliverOperation, id);
  }

  /** Drops one. */
  async discardFailed(sender: string, id: string): Promise<void> {
    await this.#parts.caller.change(checkSender(sender), discardOperation, id);
  }

  /**
   * What happens from now on, until it stops.
   * @throws LatticeError `overloaded` when too many read already
   */
  events(): EventReader {
    const reader = this.#feed.read();
    this.#parts.replicationWatch.start();
    return reader;
  }

  /** Ends what reads its events, as the death of the process would. */
  endEvents(): void {
    this.#feed.close();
  }

  /**
   * Leaves in order: takes no new partitions, hands over those it leads, waits until it owns none,
   * then goes. After `leaveBudgetMs` it goes anyway and says what it leaves behind.
   */
  async leave(): Promise<void> {
    if (this.#isLeaving || this.#isStopped) return this.#gone;
    this.#isLeaving = true;
    const { peers, cluster, partitions, clients, settings, foundation } = this.#parts;
    const { clock, logger } = foundation.platform;
    peers.selfLeaving = true;
    cluster.announceLeaving();
    clients.announceLeaving();
    const until = clock.now() + settings.leaveBudgetMs;
    // Nobody who stays: nothing can be handed over.
    const isAlone = (): boolean => !hasStayingPeer(this.#parts.cluster.members, this.identity.id);
    const hasTime = (): boolean => clock.now() < until && !this.#parts.isStopped;
    while (partitions.neededCount > 0 && !isAlone() && hasTime()) {
      partitions.handOver();
      await this.#pause(leavePollMs);
    }
    if (partitions.neededCount > 0) {
      logger.warn(
        isAlone()
          ? "the last node leaves: what the cluster held in memory goes with it"
          : "left before everything was handed over",
        { partitions: partitions.neededCount },
      );
    }
    await this.#drain(Math.min(until, clock.now() + drainMs));
    cluster.announceLeft();
    await this.#pause(farewellMs);
    await this.stop();
  }

  /** Lets calls that are under way here, or were passed on from here, come to their end. */
  async #drain(until: number): Promise<void> {
    const { clients, foundation } = this.#parts;
    const { clock } = foundation.platform;
    while (clients.callsInFlight > 0 && clock.now() < until && !this.#isStopped) {
      await this.#pause(leavePollMs);
    }
  }

  /** Stops at once: everything in flight ends, and the others will notice. */
  async stop(): Promise<void> {
    if (this.#isStopped) return this.#gone;
    this.#isStopped = true;
    this.#parts.stop();
    this.#feed.close();
    await this.#parts.foundation.listener.close();
    this.#resolveGone();
  }

  /** Resolves when the node has stopped, for whatever reason. */
  get stopped(): Promise<void> {
    return this.#gone;
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.foundation.platform.timers.after(delayMs, resolve);
    });
  }
}
