/**
 * One node's life: it starts, becomes ready, serves, and leaves in order or stops at once. Its
 * parts do the work (`node-parts.ts`).
 */
import type { AnyFunction } from "../definition/function-definition.ts";
import type { Handle } from "../definition/handle.ts";
import type { Timer } from "../platform/platform.ts";
import type { Connection, ConnectionHandlers } from "../transport/transport.ts";
import type { NodeIdentity } from "../wire/messages.ts";
import { NodeParts, type NodeFoundation } from "./node-parts.ts";
import type { NodeSettings } from "./options.ts";
import { statusOf } from "./status-of.ts";
import type { NodeStatus } from "./status.ts";

/** How often suspects are asked whether their data channel still works. */
const echoIntervalMs = 500;
const readyPollMs = 20;
const leavePollMs = 50;
/** Time for the last gossip and the last answers to get away. */
const farewellMs = 200;

export class LatticeNode {
  readonly #parts: NodeParts;
  readonly #gone: Promise<void>;
  #resolveGone!: () => void;
  #echoTimer: Timer | undefined;
  #isLeaving = false;
  #isStopped = false;

  constructor(settings: NodeSettings, foundation: NodeFoundation) {
    this.#parts = new NodeParts(settings, foundation);
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
    this.#parts.cluster.start();
    this.#parts.birth.start();
    this.#echoSuspects();
  }

  /** The cluster exists, as many nodes as wanted are alive, and this one does not leave. */
  get isReady(): boolean {
    const { birth, settings } = this.#parts;
    const enough = this.#parts.aliveNodes().length >= settings.minNodes;
    return birth.exists && enough && !this.#isLeaving && !this.#isStopped;
  }

  /** Resolves when the node is ready, or stopped. */
  async whenReady(): Promise<void> {
    while (!this.isReady && !this.#isStopped) await this.#pause(readyPollMs);
  }

  /** A handle to call a function from this process. */
  get<F extends AnyFunction>(functionName: string, key: string): Handle<F> {
    return this.#parts.caller.handle<F>(functionName, key);
  }

  status(): NodeStatus {
    return statusOf(this.#parts, { ready: this.isReady, leaving: this.#isLeaving });
  }

  /**
   * Leaves in order: takes no new partitions, hands over those it leads, waits until it owns none,
   * then goes. After `leaveBudgetMs` it goes anyway and says what it leaves behind.
   */
  async leave(): Promise<void> {
    if (this.#isLeaving || this.#isStopped) return this.#gone;
    this.#isLeaving = true;
    const { peers, cluster, partitions, settings, foundation } = this.#parts;
    const { clock, logger } = foundation.platform;
    peers.selfLeaving = true;
    cluster.announceLeaving();
    const until = clock.now() + settings.leaveBudgetMs;
    // Nobody who stays: nothing can be handed over.
    const isAlone = (): boolean => !this.#parts.hasStayingPeer();
    while (partitions.ownedCount > 0 && !isAlone() && clock.now() < until && !this.#isStopped) {
      partitions.handOver();
      await this.#pause(leavePollMs);
    }
    if (partitions.ownedCount > 0 && !isAlone()) {
      logger.warn("left before everything was handed over", { partitions: partitions.ownedCount });
    }
    cluster.announceLeft();
    await this.#pause(farewellMs);
    await this.stop();
  }

  /** Stops at once: everything in flight ends, and the others will notice. */
  async stop(): Promise<void> {
    if (this.#isStopped) return this.#gone;
    this.#isStopped = true;
    this.#echoTimer?.cancel();
    const parts = this.#parts;
    parts.birth.stop();
    parts.turns.stop();
    parts.caller.close();
    parts.outbox.stop();
    parts.watches.stop();
    parts.clients.close();
    parts.cluster.stop();
    parts.partitions.stop();
    parts.links.close();
    await parts.foundation.listener.close();
    this.#resolveGone();
  }

  /** Resolves when the node has stopped, for whatever reason. */
  get stopped(): Promise<void> {
    return this.#gone;
  }

  /** A suspect that still answers on its data channel is not lost (`replication.md` rule 6). */
  #echoSuspects(): void {
    const { platform } = this.#parts.foundation;
    this.#echoTimer = platform.timers.after(echoIntervalMs, () => {
      let found = false;
      for (const member of this.#parts.cluster.members.values()) {
        if (member.status !== "suspect") continue;
        found = true;
        this.#parts.links.send(member.id, "data", { type: "echo", reply: false });
      }
      if (found) this.#parts.partitions.peersChanged();
      this.#echoSuspects();
    });
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.foundation.platform.timers.after(delayMs, resolve);
    });
  }
}
