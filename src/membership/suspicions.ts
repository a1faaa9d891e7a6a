/** The running suspicions: who accused whom, and when the verdict is due. At most one a member. */
import type { NodeId } from "../model/ids.ts";
import type { MembershipSettings } from "./settings.ts";
import type { SuspicionBounds } from "./suspicion.ts";
import { confirmationsNeeded, suspicionMs, suspicionMsMin } from "./suspicion.ts";

interface Suspicion {
  readonly startedAt: number;
  readonly bounds: SuspicionBounds;
  /** The first accuser, then those who confirmed; at most `needed + 1`. */
  readonly accusers: NodeId[];
  dueAt: number;
}

export class Suspicions {
  readonly #settings: MembershipSettings;
  readonly #running = new Map<NodeId, Suspicion>();

  constructor(settings: MembershipSettings) {
    this.#settings = settings;
  }

  /** Starts, or starts anew for a later incarnation. */
  start(node: NodeId, accuser: NodeId, memberCount: number, now: number): void {
    const { suspicionFactor, suspicionMaxFactor, confirmationCount, probeIntervalMs } =
      this.#settings;
    const msMin = suspicionMsMin(suspicionFactor, memberCount, probeIntervalMs);
    const bounds: SuspicionBounds = {
      msMin,
      msMax: msMin * suspicionMaxFactor,
      needed: confirmationsNeeded(confirmationCount, memberCount),
    };
    const dueAt = now + suspicionMs(bounds, 0);
    this.#running.set(node, { startedAt: now, bounds, accusers: [accuser], dueAt });
  }

  /** True when `accuser` is a new one that shortens the wait: then it is worth telling others. */
  confirm(node: NodeId, accuser: NodeId): boolean {
    const suspicion = this.#running.get(node);
    if (suspicion === undefined) return false;
    const { accusers, bounds } = suspicion;
    if (accusers.length > bounds.needed || accusers.includes(accuser)) return false;
    accusers.push(accuser);
    suspicion.dueAt = suspicion.startedAt + suspicionMs(bounds, accusers.length - 1);
    return true;
  }

  /** Who accused first, so that passing a suspicion on does not confirm it. */
  accuserOf(node: NodeId): NodeId | undefined {
    return this.#running.get(node)?.accusers[0];
  }

  clear(node: NodeId): void {
    this.#running.delete(node);
  }

  get nextDueAt(): number {
    let next = Infinity;
    for (const { dueAt } of this.#running.values()) next = Math.min(next, dueAt);
    return next;
  }

  /** Members whose time to refute is over. They stay until cleared. */
  due(now: number): readonly NodeId[] {
    const nodes: NodeId[] = [];
    for (const [node, { dueAt }] of this.#running) if (dueAt <= now) nodes.push(node);
    return nodes;
  }
}
