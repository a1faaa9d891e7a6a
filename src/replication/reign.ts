/**
 * A primary's reign over one partition, from the completion of rule 7 until a higher term: who
 * follows, how far they are, what waits for them. Its identity (the object) changes with every reign.
 */
import { majority } from "../model/acks.ts";
import type { EntityName, ProcessId, WriterId } from "../model/ids.ts";
import { noEffects } from "../model/effect-list.ts";
import type { Term } from "../model/term.ts";
import type { HybridTime } from "../model/time.ts";
import type {
  Commit,
  Owners,
  PartitionMessage,
  StreamPosition,
} from "../wire/replication-messages.ts";
import type { Copy } from "./copy.ts";
import { FollowerLink } from "./follower-link.ts";
import type { CommitId } from "./fork.ts";
import type { Flow } from "./options.ts";
import type { Outlet } from "./outlet.ts";
import { agrees, everyOwner, twoAreEnough } from "./owner-sets.ts";
import type { Peers } from "./peers.ts";
import type { EntityFactory, ReplicatedEntity } from "./replicated-entity.ts";
import type { Service, Slot } from "./slot.ts";
import { limits, timing } from "./timing.ts";
import { Tips } from "./tips.ts";
import { Waiters } from "./waiters.ts";
import type { Progress, Waiter } from "./waiters.ts";

const noBytes = new Uint8Array(0);

interface Merge {
  readonly to: ProcessId;
  readonly commits: readonly CommitId[];
  readonly position: number;
}

export interface ReignOptions<E extends ReplicatedEntity<E>> {
  readonly term: Term;
  readonly writer: WriterId;
  readonly copy: Copy<E>;
  readonly peers: Peers;
  readonly outlet: Outlet;
  readonly entities: EntityFactory<E>;
  readonly flow: Flow | undefined;
}

export class Reign<E extends ReplicatedEntity<E>> implements Progress, Service<E> {
  readonly term: Term;
  readonly writer: WriterId;
  /** Calls may run on its state now; kept by the replica, after every event. */
  isServing = false;
  /**
   * One owner, and nothing waits, moves or is owed: then a commit is committed by being there, and
   * nothing else can come of it. Kept by the replica, after every event; such commits preserve it.
   */
  isCalm = false;
  /** Up to here numbers of `writer` were used on entities that have been reaped. */
  usedUp = 0;
  readonly waiters = new Waiters();
  readonly tips: Tips<E>;
  readonly #copy: Copy<E>;
  readonly #peers: Peers;
  readonly #outlet: Outlet;
  readonly #flow: Flow | undefined;
  readonly #links = new Map<ProcessId, FollowerLink>();
  /** The links of the owners other than this process, for the count of acknowledgements. */
  #ownerLinks: readonly FollowerLink[] = [];
  #merges: Merge[] = [];
  /** Since when the oldest of what is uncommitted makes no progress; `Infinity`: nothing is. */
  stuckSince = Infinity;
  /** When followers that cannot know by themselves must be told what is committed. */
  tellAt = Infinity;
  #told = 0;
  /** The last position that was taken for reads alone. */
  #barrier = -1;
  /** When acknowledgements must be looked at again. */
  resyncAt = Infinity;

  constructor({ term, writer, copy, peers, outlet, entities, flow }: ReignOptions<E>) {
    this.term = term;
    this.writer = writer;
    this.#copy = copy;
    this.#peers = peers;
    this.#outlet = outlet;
    this.#flow = flow;
    this.tips = new Tips(entities, copy);
  }

  get ownerCount(): number {
    return this.#copy.owners.processes.length;
  }
  get committed(): number {
    return this.#copy.committed;
  }
  /** Nothing waits: no answer, no merge, no uncommitted position. */
  get isQuiet(): boolean {
    return this.waiters.size === 0 && this.#merges.length === 0 && this.isCommitted;
  }
  get isCommitted(): boolean {
    return this.#copy.committed > this.#copy.position;
  }
  /** No other owner, and nobody follows. */
  get isAlone(): boolean {
    const { processes, previous } = this.#copy.owners;
    return this.#links.size === 0 && processes.length === 1 && previous.length === 0;
  }
  /** Takes no more commits before some of the last are committed. */
  get isFull(): boolean {
    return this.#copy.tailCount >= limits.tailCommits;
  }
  links(): IterableIterator<FollowerLink> {
    return this.#links.values();
  }
  link(process: ProcessId): FollowerLink | undefined {
    return this.#links.get(process);
  }
  /** Highest position it acknowledged in this term; this process has them all. */
  ackedBy(process: ProcessId): number {
    if (process === this.term.process) return this.#copy.position;
    return this.#links.get(process)?.acked ?? -1;
  }

  copiesAt(position: number): number {
    let copies = 1;
    for (const link of this.#ownerLinks) if (link.acked >= position) copies++;
    return copies;
  }

  /** Begins or goes on to follow this process; `before`: where its copy stands, as far as known. */
  follow(process: ProcessId, before: StreamPosition | undefined): FollowerLink {
    let link = this.#links.get(process);
    if (link === undefined) {
      link = new FollowerLink(process, before);
      this.#links.set(process, link);
    }
    return link;
  }

  /** Follows every owner of the present sets, and drops whoever is neither that nor `wanted`. */
  alignLinks(wanted: readonly ProcessId[]): void {
    const self = this.term.process;
    const owners = this.#copy.owners;
    const everyone = everyOwner(owners);
    for (const process of everyone) if (process !== self) this.follow(process, undefined);
    for (const process of this.#links.keys()) {
      if (!everyone.includes(process) && !wanted.includes(process)) this.#links.delete(process);
    }
    const others = owners.processes.filter((process) => process !== self);
    this.#ownerLinks = others.map((process) => this.follow(process, undefined));
  }

  /** Sends whole images to those who do not follow yet. */
  invite(wanted: readonly ProcessId[], now: number): void {
    for (const process of wanted) {
      if (process === this.term.process || this.#links.has(process)) continue;
      if (this.#flow?.mayInvite(process) === false) continue;
      this.sendBase(this.follow(process, undefined), undefined, now);
    }
  }

  /** Rule 2: sends what brings `have`, or what the link is known to hold, up to date. */
  sendBase(link: FollowerLink, have: StreamPosition | undefined, now: number): void {
    const copy = this.#copy.image(have);
    this.#outlet.send(link.process, { type: "base", term: this.term, copy });
    link.sentBase(copy.position, now);
    this.watchAcks(now);
  }

  /** A base that builds upon what the link has acknowledged, or upon where it stood before. */
  sendBaseByAck(link: FollowerLink, now: number): void {
    const { acked, before } = link;
    this.sendBase(link, acked < 0 ? before : { synced: this.term, position: acked }, now);
  }

  /** Rule 4: gives a commit the next position. */
  commit(commit: Commit, now: number): void {
    if (this.#links.size === 0 && this.ownerCount === 1 && this.isCommitted) {
      this.tips.unite(commit.entity);
      this.#copy.appendCommitted(commit);
      this.#outlet.emit({ type: "committed", entities: [commit.entity] });
      return;
    }
    this.tips.apply(commit, this.#copy.append(commit));
    this.#stream(commit, undefined, commit.delta.byteLength, now);
  }

  /** Rule 4 while `isCalm`, for an entity that has commits. */
  commitAlone(slot: Slot<E>, commit: Commit): void {
    this.#copy.appendCommittedTo(slot, commit);
  }

  /** Rule 4: gives a change of the owner set the next position. */
  changeOwners(processes: readonly ProcessId[], now: number): Owners {
    const { owners, position } = this.#copy;
    const replaced = { processes: owners.processes, position: position + 1 };
    const previous = [...owners.previous, replaced];
    this.#copy.appendOwners({ processes, position: position + 1, previous });
    this.alignLinks([...this.#links.keys()]);
    this.#stream(undefined, this.#copy.owners, 0, now);
    return this.#copy.owners;
  }

  /** Rule 5: the answer waits for the present position. */
  wait(waiter: Waiter, outlet: Outlet): void {
    if (waiter.acks === 1 && this.ownerCount > 1) {
      const outcome = { type: "ok", copies: 1, degraded: false } as const;
      outlet.emit({ type: "release", token: waiter.token, outcome });
      return;
    }
    this.waiters.waitFor(this.#copy.position, waiter, this, outlet);
  }

  /**
   * Rule 5 for a read that must not be older than its asking: the answer waits for a position that is
   * taken after it. Whoever acknowledges that has promised no higher term by then, so nobody else
   * had one that could commit. One such position is under way at a time; those who ask meanwhile
   * share the next.
   */
  waitForTerm(waiter: Waiter, outlet: Outlet, now: number): void {
    const { processes, previous } = this.#copy.owners;
    if (processes.length === 1 && previous.length === 0) {
      this.waiters.waitFor(this.#copy.position, waiter, this, outlet);
      return;
    }
    this.waiters.hold(waiter);
    this.#takeBarrier(now);
  }

  #takeBarrier(now: number): void {
    if (this.#barrier >= this.#copy.committed || !this.waiters.holdsSome) return;
    this.#barrier = this.#copy.appendBarrier();
    this.waiters.place(this.#barrier);
    this.#stream(undefined, undefined, 0, now);
  }

  /** Rule 17: gives unknown commits of a fork a position; `to` is told when all are committed. */
  merge(to: ProcessId, commits: readonly Commit[], ids: readonly CommitId[], now: number): void {
    if (this.#merges.some((merge) => merge.to === to)) return;
    const late: EntityName[] = [];
    for (const commit of commits) {
      if (this.tips.isLate(commit)) late.push(commit.entity);
      else if (!this.tips.holds(commit)) this.commit(commit, now);
    }
    if (late.length > 0) this.#outlet.emit({ type: "fork-refused", from: to, entities: late });
    this.#merges.push({ to, commits: ids, position: this.#copy.position });
  }

  /**
   * Forgets entities that were deleted before `time`, `limits.reaped` at most: a commit for each, which
   * empties its place. Costs one pass.
   * @param isBusy whether somebody works on it
   */
  reap(time: HybridTime, isBusy: (name: EntityName) => boolean, now: number): void {
    const { writer } = this;
    const old: EntityName[] = [];
    for (const [name, slot] of this.#copy.slots()) {
      if (old.length === limits.reaped) break;
      const entity = slot.newest;
      if (slot.pending > 0 || entity?.mayBeReaped(time) !== true || isBusy(name)) continue;
      this.usedUp = Math.max(this.usedUp, entity.sequenceOf(writer));
      old.push(name);
    }
    for (const entity of old) {
      this.commit({ entity, writer, sequence: 0, delta: noBytes, kind: "reap" }, now);
    }
    if (old.length > 0) this.#outlet.emit({ type: "reaped", count: old.length });
  }

  isMerging(from: ProcessId): boolean {
    return this.#merges.some(({ to }) => to === from);
  }

  /** Forks are being merged. */
  get hasMerges(): boolean {
    return this.#merges.length > 0;
  }

  /** Merges whose last position is committed, each returned once. */
  takeMerged(): readonly Merge[] {
    if (this.#merges.length === 0) return noEffects;
    const done = this.#merges.filter(({ position }) => position < this.committed);
    if (done.length > 0) {
      this.#merges = this.#merges.filter(({ position }) => position >= this.committed);
    }
    return done;
  }

  /** Rule 4: passes on what enough owners hold; true when something became committed. */
  advance(now: number): boolean {
    const count = this.#committedCount();
    const before = this.#copy.committed;
    if (count > before) {
      const touched: EntityName[] = [];
      const owners = this.#copy.owners;
      const told = this.#followersKnow();
      this.#copy.advance(count, touched);
      this.tips.settle(touched);
      if (owners !== this.#copy.owners) this.alignLinks([...this.#links.keys()]);
      if (touched.length > 0) this.#outlet.emit({ type: "committed", entities: touched });
      if (!told) this.tellAt = Math.min(this.tellAt, now + timing.tellCommittedMs);
      this.stuckSince = this.isCommitted ? Infinity : now;
    }
    if (this.waiters.size > 0) this.waiters.release(this, this.#outlet);
    this.#takeBarrier(now);
    return count > before;
  }

  /** Rule 3: whoever acknowledges nothing gets a base; tells what is committed. */
  tick(now: number): void {
    this.waiters.expire(now, this.#outlet);
    if (now >= this.tellAt) this.#tell();
    if (now < this.resyncAt) return;
    this.resyncAt = Infinity;
    for (const link of this.#links.values()) {
      if (link.acked >= this.#copy.position || !this.#peers.reachable(link.process)) continue;
      if (now >= link.resyncAt) {
        if (this.#flow?.isSending(link.process) === true) link.progressAt = now;
        else this.sendBaseByAck(link, now);
      }
      this.resyncAt = Math.min(this.resyncAt, link.resyncAt);
    }
  }

  get nextTickAt(): number {
    return Math.min(this.waiters.deadlineAt, this.tellAt, this.resyncAt);
  }

  #stream(
    commit: Commit | undefined,
    owners: Owners | undefined,
    bytes: number,
    now: number,
  ): void {
    const { position, committed } = this.#copy;
    const message = {
      type: "delta",
      term: this.term,
      position,
      committed,
      commit,
      owners,
    } as const;
    for (const link of this.#links.values()) {
      if (!link.takes(position)) continue;
      this.#outlet.send(link.process, message satisfies PartitionMessage);
      link.sentDelta(position, bytes, now);
    }
    this.#told = committed;
    this.tellAt = Infinity;
    if (this.stuckSince === Infinity) this.stuckSince = now;
    this.watchAcks(now);
  }

  /** Looks at acknowledgements again after a while. */
  watchAcks(now: number): void {
    if (this.resyncAt === Infinity && this.#links.size > 0) this.resyncAt = now + timing.resyncMs;
  }

  /** Every follower can conclude by itself what is committed. */
  #followersKnow(): boolean {
    const { owners } = this.#copy;
    return this.#ownerLinks.every(({ process }) =>
      twoAreEnough(owners, process, this.term.process),
    );
  }

  #tell(): void {
    this.tellAt = Infinity;
    const { committed } = this.#copy;
    if (committed <= this.#told) return;
    this.#told = committed;
    for (const { process } of this.#links.values()) {
      this.#outlet.send(process, { type: "committed", term: this.term, committed });
    }
  }

  /** How many positions a majority of the owners holds, and of each uncommitted predecessor. */
  #committedCount(): number {
    const { owners, position } = this.#copy;
    const needed = majority(owners.processes.length);
    let best = this.copiesAt(position) >= needed ? position : -1;
    for (const { acked } of this.#ownerLinks) {
      if (acked > best && this.copiesAt(acked) >= needed) best = acked;
    }
    for (const { processes } of owners.previous) best = this.#agreed(processes, best);
    return best + 1;
  }

  /** The highest position up to `limit` that a replaced set agrees to, or −1. */
  #agreed(set: readonly ProcessId[], limit: number): number {
    const dead = (process: ProcessId): boolean => this.#peers.provenDead(process);
    const steps = [limit, ...set.map((process) => Math.min(limit, this.ackedBy(process)))];
    steps.sort((a, b) => b - a);
    for (const step of steps) {
      if (step >= 0 && agrees(set, (process) => this.ackedBy(process) >= step, dead)) return step;
    }
    return -1;
  }
}
