/**
 * Giving the primary role away (rule 11): to the table's first owner some time after it has come
 * back ("going home"), to any owner when this process is not in the table or leaves.
 *
 *   idle ──at──▶ draining (no new calls) ──quiet──▶ asked ──higher term──▶ the reign ends
 *     ▲              │ wait is over                   │ wait is over
 *     └──────────────┴────────────────────────────────┘  nothing changed
 */
import type { NodeId, ProcessId } from "../model/ids.ts";
import { nodeOf } from "../model/ids.ts";
import type { Copy } from "./copy.ts";
import { presentProcesses } from "./owner-changes.ts";
import type { Outlet } from "./outlet.ts";
import type { Peers } from "./peers.ts";
import type { Reign } from "./reign.ts";
import type { ReplicatedEntity } from "./replicated-entity.ts";
import { timing } from "./timing.ts";

export interface HandoverSurroundings {
  readonly peers: Peers;
  readonly table: readonly NodeId[];
}

/** How the reign began. */
interface Beginning {
  readonly now: number;
  /** Who gave the role to this process, if it was given. */
  readonly giver: ProcessId | undefined;
  /** When this process itself gave it away last. */
  readonly gaveAwayAt: number;
}

export class Handover<E extends ReplicatedEntity<E>> {
  readonly #reign: Reign<E>;
  readonly #copy: Copy<E>;
  readonly #bornAt: number;
  readonly #giver: ProcessId | undefined;
  readonly #joinedAt = new Map<ProcessId, number>();
  #phase: "idle" | "draining" | "asked" = "idle";
  #target: ProcessId | undefined;
  #nextTickAt = Infinity;
  #notBefore: number;
  /** This node leaves: any other owner will do, at once. */
  #leaving = false;

  constructor(reign: Reign<E>, copy: Copy<E>, { now, giver, gaveAwayAt }: Beginning) {
    this.#reign = reign;
    this.#copy = copy;
    this.#bornAt = now;
    this.#giver = giver;
    // It has the role again: whoever was to have it did not get it, or lost it.
    this.#notBefore = gaveAwayAt + timing.handoverRetryMs;
    this.noteOwners(now);
  }

  /** No new calls are to be run meanwhile. */
  get isUnderWay(): boolean {
    return this.#phase !== "idle";
  }
  /** The target weighs the position that it was told of: nothing may come behind it meanwhile. */
  get isAsked(): boolean {
    return this.#phase === "asked";
  }
  get nextTickAt(): number {
    return this.#nextTickAt;
  }

  leave(now: number): void {
    this.#leaving = true;
    if (this.#phase === "idle") this.#notBefore = now;
  }

  /** Remembers since when each owner is one. */
  noteOwners(now: number): void {
    const { processes } = this.#copy.owners;
    for (const process of this.#joinedAt.keys()) {
      if (!processes.includes(process)) this.#joinedAt.delete(process);
    }
    for (const process of processes) {
      if (!this.#joinedAt.has(process)) this.#joinedAt.set(process, now);
    }
  }

  /** To be called when something that it depends on may have changed, and at `nextTickAt`. */
  step(around: HandoverSurroundings, outlet: Outlet, now: number): void {
    if (this.#phase === "idle") this.#plan(around, now);
    if (this.#phase === "idle") return;
    if (now >= this.#nextTickAt) {
      this.#giveUp(now);
      return;
    }
    const target = this.#target!;
    if (this.#phase !== "draining" || !this.#reign.isQuiet) return;
    if (this.#reign.ackedBy(target) < this.#copy.position) return;
    this.#phase = "asked";
    this.#nextTickAt = now + timing.handoverWaitMs;
    outlet.send(target, { type: "handover", term: this.#reign.term });
  }

  #plan(around: HandoverSurroundings, now: number): void {
    this.#nextTickAt = Infinity;
    const target = this.#pickTarget(around);
    if (target === undefined) return;
    const dueAt = Math.max(this.#notBefore, this.#dueAt(target, around.table));
    if (now < dueAt) {
      this.#nextTickAt = dueAt;
      return;
    }
    this.#phase = "draining";
    this.#target = target;
    this.#nextTickAt = now + timing.handoverWaitMs;
  }

  #dueAt(target: ProcessId, table: readonly NodeId[]): number {
    if (this.#leaving) return 0;
    // By the giver's table it belongs here: until the tables are equal it would go to and fro.
    if (target === this.#giver) return this.#bornAt + timing.homeAfterMs;
    if (this.#copy.isEmpty) return this.#bornAt + timing.homeEmptyAfterMs;
    if (!table.includes(nodeOf(this.#reign.term.process))) return 0;
    return (this.#joinedAt.get(target) ?? Infinity) + timing.homeAfterMs;
  }

  #pickTarget({ peers, table }: HandoverSurroundings): ProcessId | undefined {
    const self = this.#reign.term.process;
    const { owners } = this.#copy;
    const home = table[0];
    if (!this.#leaving && (home === undefined || home === nodeOf(self))) return undefined;
    const inTable = table.includes(nodeOf(self));
    const candidates =
      this.#leaving || !inTable
        ? [...presentProcesses(table, self, peers), ...owners.processes]
        : presentProcesses(table.slice(0, 1), self, peers);
    const able = candidates.filter(
      (process) =>
        process !== self &&
        owners.processes.includes(process) &&
        peers.reachable(process) &&
        !peers.isLeaving(nodeOf(process)),
    );
    const caughtUp = (process: ProcessId): boolean =>
      this.#reign.ackedBy(process) >= this.#copy.committed - 1;
    return able.find(caughtUp) ?? able[0];
  }

  #giveUp(now: number): void {
    this.#phase = "idle";
    this.#target = undefined;
    this.#notBefore = now + timing.handoverRetryMs / (this.#leaving ? 10 : 1);
    this.#nextTickAt = this.#notBefore;
  }
}
