/**
 * One partition in one process: the state machine of `docs/replication.md`, rules 1–21. It is given
 * events and the time and returns effects; it never waits, reads a clock or draws a number by itself.
 *
 *   absent ──base──▶ removed ──owners──▶ follower ──primary lost──▶ candidate ──rule 7──▶ primary
 *      ▲               │ 60 s               ▲                          │  ▲                 │
 *      └───────────────┘                    └── base, delta, promise ──┘  └── higher term ──┘
 *
 * Degraded service (rule 15) lies across: a candidate or primary without a majority has a fork.
 */
import { assert } from "../model/assert.ts";
import { noEffects } from "../model/effect-list.ts";
import type { EntityName, NodeId, ProcessId, WriterId } from "../model/ids.ts";
import type { Mark } from "../model/mark.ts";
import { sameTerm } from "../model/term.ts";
import type { Term } from "../model/term.ts";
import type { HybridTime } from "../model/time.ts";
import type { Commit, Owners, PartitionMessage, Standing } from "../wire/replication-messages.ts";
import { Copy } from "./copy.ts";
import type { ReplicationEffect, Role, Serving } from "./effect.ts";
import * as following from "./following.ts";
import { flushFork, onForked, onMerged } from "./forking.ts";
import * as leading from "./leading.ts";
import { onHello } from "./meeting.ts";
import type { ReplicaOptions } from "./options.ts";
import { PartitionState } from "./partition-state.ts";
import * as reading from "./reading.ts";
import type { ReplicatedEntity } from "./replicated-entity.ts";
import type { Slot } from "./slot.ts";
import * as takeover from "./taking-over.ts";
import { limits, timing } from "./timing.ts";
import type { Waiter } from "./waiters.ts";

type Effects = readonly ReplicationEffect[];

export class Replica<E extends ReplicatedEntity<E>> {
  /** What of it may be read while somebody else leads. */
  readonly reads: reading.Reads<E>;
  readonly #state: PartitionState<E>;
  #toldRole: Role = "absent";
  #toldServing: Serving;
  #toldPrimary: ProcessId = "";
  #toldTerm: Term | undefined;

  private constructor(options: ReplicaOptions<E>) {
    this.#state = new PartitionState(options);
    this.reads = new reading.Reads(this.#state);
  }

  /**
   * Rule 19: the one process that creates a cluster creates each partition with itself as the owner.
   * Of two births the smaller `genesis` wins: begin it with the time, so that the older one does.
   */
  static birth<E extends ReplicatedEntity<E>>(
    options: ReplicaOptions<E>,
    genesis: string,
    now: number,
  ): Replica<E> {
    const replica = new Replica(options);
    const s = replica.#state;
    s.genesis = genesis;
    s.copy = new Copy(options.entities, genesis, { number: 1, process: s.self }, s.self);
    leading.beginReign(s, s.copy, now);
    leading.lead(s, now);
    return replica;
  }

  /** A process without a copy: it waits for a primary to send one and never starts empty. */
  static absent<E extends ReplicatedEntity<E>>(options: ReplicaOptions<E>): Replica<E> {
    return new Replica(options);
  }

  get role(): Role {
    return this.#state.role;
  }
  get serving(): Serving {
    return this.#state.serving;
  }
  /** Takes no more commits for now: refuse calls with `overloaded` before running them. */
  get isFull(): boolean {
    const { degraded, fork, reign } = this.#state;
    if (degraded !== undefined) return fork?.isFull ?? false;
    return reign?.isFull ?? false;
  }
  /** A handover is under way: calls do better to wait a moment than to fail. */
  get isHandingOver(): boolean {
    return this.#state.handover?.isUnderWay ?? false;
  }
  get term(): Term | undefined {
    return this.#state.reign?.term ?? this.#state.copy?.synced;
  }
  /** Whom to ask, as far as known; "" when unknown. */
  get primary(): ProcessId {
    return this.#state.primary;
  }
  /** Who refuses this candidate again and again: it reaches a primary that this process does not. */
  get wayToPrimary(): ProcessId | undefined {
    const { candidacy, refusals, refusedBy } = this.#state;
    return candidacy !== undefined && refusals >= timing.refusalsOfLiving ? refusedBy : undefined;
  }
  get owners(): Owners | undefined {
    return this.#state.copy?.owners;
  }
  /** Numbers the commits made here now; new with every term and fork. 0 when nothing is served. */
  get writer(): WriterId {
    const { degraded, fork, reign } = this.#state;
    return (degraded !== undefined ? fork?.writer : reign?.writer) ?? 0;
  }
  /** Up to here numbers of `writer` may have been used on what was reaped. */
  get usedUp(): number {
    const { degraded, reign } = this.#state;
    return degraded === undefined ? (reign?.usedUp ?? 0) : 0;
  }
  /** Changes with every reign and every beginning of degraded service. */
  get reign(): object | undefined {
    return this.#state.degraded ?? this.#state.reign;
  }
  /**
   * Others count on this copy: the owner set names this process, or one does whose replacement is not
   * known to be committed, and nobody has said that all owners hold what it has.
   */
  get isNeeded(): boolean {
    return this.#state.isNeeded;
  }
  get standing(): Standing {
    return this.#state.standing();
  }
  /** Last stream position applied here, and how many positions are known to be committed. */
  get progress(): { readonly position: number; readonly committed: number } | undefined {
    const { copy } = this.#state;
    return copy && { position: copy.position, committed: copy.committed };
  }
  /** A primary with so many owners at least, all of them reachable and holding what is committed. */
  isReplicated(ownerCount: number): boolean {
    const { reign, copy, options } = this.#state;
    if (reign === undefined || copy === undefined) return false;
    const { processes } = copy.owners;
    const holds = (process: ProcessId): boolean =>
      process === options.self ||
      (options.peers.reachable(process) && reign.ackedBy(process) >= copy.committed - 1);
    return processes.length >= ownerCount && processes.every(holds);
  }
  /** Degraded commits that wait to be merged. */
  get forkCommits(): number {
    return this.#state.fork?.commitCount ?? 0;
  }
  /** Of the known-committed part; equal for equal sets of commits. Costs one pass. */
  get digest(): number {
    return this.#state.copy?.digest() ?? 0;
  }
  /** When `tick` must be called next; `Infinity` at rest. */
  get nextTickAt(): number {
    const s = this.#state;
    return Math.min(leading.primaryTickAt(s), takeover.watchAt(s), s.forkAt, s.askAt, s.dropAt);
  }

  /**
   * The state that handlers and queries run on: the newest of a primary, committed part and fork of a
   * degraded process, `undefined` when nothing is served. With `create`, an empty one for a new name.
   */
  tip(name: EntityName, create: boolean): E | undefined {
    const { degraded, fork, copy, reign } = this.#state;
    if (degraded !== undefined && fork !== undefined && copy !== undefined) {
      return fork.tip(copy, name, create);
    }
    return reign?.tips.get(name, create);
  }

  /** The same with its place, to be kept while that `isServed`; only of what has a commit. */
  servedSlot(name: EntityName): Slot<E> | undefined {
    return reading.servedSlot(this.#state, name);
  }

  /** What watchers and replica reads may see. Read only. */
  committedEntity(name: EntityName): E | undefined {
    return this.#state.copy?.entity(name);
  }

  /** Entities that have a commit here, committed or not. */
  entityNames(): Iterable<EntityName> {
    return this.#state.copy?.entityNames() ?? [];
  }

  /**
   * Gives a turn's change its place. The tip shows it on return; `waiter` is released when enough
   * copies hold it. Throws `internal` outside a reign (compare `reign` before and after a turn).
   */
  commit(commit: Commit, waiter: Waiter | undefined, now: number): Effects {
    const s = this.#state;
    if (s.degraded !== undefined && s.fork !== undefined && s.copy !== undefined) {
      s.fork.add(s.copy, commit);
      this.#releaseDegraded(waiter);
      return s.outlet.take();
    }
    assert(
      s.reign !== undefined,
      `partition ${String(s.options.partition)}: commit without a reign`,
    );
    s.reign.commit(commit, now);
    if (waiter !== undefined) s.reign.wait(waiter, s.outlet);
    leading.lead(s, now);
    return this.#effects();
  }

  /** Releases `waiter` when the present state of the tip is committed (rule 5). */
  confirm(waiter: Waiter, now: number): Effects {
    const s = this.#state;
    if (s.degraded !== undefined) {
      this.#releaseDegraded(waiter);
      return s.outlet.take();
    }
    assert(s.reign !== undefined, `partition ${String(s.options.partition)}: read without a reign`);
    s.reign.wait(waiter, s.outlet);
    leading.lead(s, now);
    return this.#effects();
  }

  /**
   * The same for a read that must not be older than this call: releases `waiter` when a majority has
   * confirmed since that no higher term exists. Indeterminate without a reign, or while it ends.
   */
  confirmTerm(waiter: Waiter, now: number): Effects {
    reading.confirmTerm(this.#state, waiter, now);
    leading.lead(this.#state, now);
    return this.#effects();
  }

  receive(from: ProcessId, message: PartitionMessage, now: number): Effects {
    if (from === this.#state.self) return noEffects;
    this.#dispatch(from, message, now);
    takeover.watchPrimary(this.#state, now);
    return this.#effects();
  }

  tick(now: number): Effects {
    const s = this.#state;
    leading.tickPrimary(s, now);
    takeover.watchPrimary(s, now);
    if (now >= s.forkAt) {
      flushFork(s, now);
      leading.lead(s, now);
    }
    if (now >= s.dropAt) following.dropCopy(s);
    return this.#effects();
  }

  /** An answer of `peers` has changed. */
  peersChanged(now: number): Effects {
    const s = this.#state;
    if (s.reign !== undefined) {
      s.reign.watchAcks(now);
      leading.lead(s, now);
      leading.moveOwners(s, now);
    }
    takeover.watchPrimary(s, now);
    takeover.reconsider(s, now);
    return this.#effects();
  }

  /** The table has other owners now, first one first. */
  tableChanged(owners: readonly NodeId[], now: number): Effects {
    const s = this.#state;
    s.table = owners;
    leading.moveOwners(s, now);
    takeover.watchPrimary(s, now);
    return this.#effects();
  }

  /** A link to this process is up: tell it how this one stands. Then call `peersChanged`. */
  linkUp(process: ProcessId): Effects {
    const s = this.#state;
    if (s.promised !== undefined || s.fork !== undefined) s.hello(process);
    return this.#effects();
  }

  /**
   * This node leaves: gives the primary role to any other owner that stays, as soon as it can. Holds
   * for this reign; to be called again should another one begin meanwhile.
   */
  handOver(now: number): Effects {
    this.#state.handover?.leave(now);
    leading.moveOwners(this.#state, now);
    return this.#effects();
  }

  /**
   * The driver's slow round, every 15 s with jitter: a primary at rest tells its followers its digest
   * (anti-entropy), and a copy that no stream reaches asks who leads.
   * @param round counts them: each compares one share of the contents too, which costs more than
   *   digests and finds nothing while the code is right; without it only digests
   */
  compareCopies(round?: number): Effects {
    const share = round === undefined ? undefined : round % limits.contentShares;
    leading.sendDigests(this.#state, share);
    following.askWhetherFollowing(this.#state);
    return this.#effects();
  }

  /** Somebody has seen `mark`: a follower that lacks it asks for it now, once in a while. */
  catchUp(mark: Mark, now: number): Effects {
    following.catchUp(this.#state, mark, now);
    return this.#effects();
  }

  /**
   * In the same round: a primary forgets entities that were deleted before `time`, some hundred at
   * once. Only while all owners hold what it has: hardly one will need a whole image for it then.
   * Costs one pass.
   * @param isBusy whether a call works on this entity
   */
  reap(time: HybridTime, isBusy: (name: EntityName) => boolean, now: number): Effects {
    const s = this.#state;
    if (s.reign?.isServing !== true || s.isMoving || !this.isReplicated(1)) return noEffects;
    s.reign.reap(time, isBusy, now);
    leading.lead(s, now);
    return this.#effects();
  }

  #dispatch(from: ProcessId, message: PartitionMessage, now: number): void {
    const s = this.#state;
    switch (message.type) {
      case "delta":
        return following.onDelta(s, from, message, now);
      case "ack":
        if (sameTerm(s.reign?.term, message.term)) leading.onAck(s, from, message.position, now);
        return;
      case "committed":
        return following.onCommitted(s, message);
      case "base":
        return following.onBase(s, from, message, now);
      case "need":
        if (sameTerm(s.reign?.term, message.term)) leading.onNeed(s, from, message, now);
        return;
      case "prepare":
        return takeover.onPrepare(s, from, message, now);
      case "promise":
        return takeover.onPromise(s, from, message, now);
      case "refuse":
        return takeover.onRefuse(s, from, message, now);
      case "stale":
        return takeover.onStale(s, from, message, now);
      case "fetch":
        return takeover.onFetch(s, from, message);
      case "copy":
        return takeover.onCopy(s, from, message, now);
      case "handover":
        return takeover.onHandover(s, from, message, now);
      case "forked":
        onForked(s, from, message, now);
        return leading.lead(s, now);
      case "merged":
        return onMerged(s, message.commits, now);
      case "digest":
        return following.onDigest(s, from, message, now);
      case "removed":
        return following.onRemoved(s, from, message, now);
      case "hello":
        return onHello(s, from, message.standing, now);
    }
  }

  #releaseDegraded(waiter: Waiter | undefined): void {
    if (waiter === undefined) return;
    this.#state.outlet.emit({
      type: "release",
      token: waiter.token,
      outcome: { type: "ok", copies: 1, degraded: true },
    });
  }

  /** What has come of the event, and a change of role if that is part of it. */
  #effects(): Effects {
    const s = this.#state;
    const { role, serving, primary } = s;
    const term = this.term;
    leading.noteService(s);
    if (
      role !== this.#toldRole ||
      serving !== this.#toldServing ||
      primary !== this.#toldPrimary ||
      term !== this.#toldTerm
    ) {
      this.#toldRole = role;
      this.#toldServing = serving;
      this.#toldPrimary = primary;
      this.#toldTerm = term;
      s.outlet.emit({ type: "role-changed", role, serving, term, primary });
    }
    return s.outlet.take();
  }
}
