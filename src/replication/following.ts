/** How a copy follows a primary's stream: rules 1–3, and the removed one's side of 14. */
import { compareTerms, sameTerm } from "../model/term.ts";
import type { Term } from "../model/term.ts";
import type { ProcessId } from "../model/ids.ts";
import type { Mark } from "../model/mark.ts";
import type { CopyImage, PartitionMessage, StreamPosition } from "../wire/replication-messages.ts";
import { Copy } from "./copy.ts";
import { flushFork } from "./forking.ts";
import { endReign } from "./leading.ts";
import { sameBirth } from "./meeting.ts";
import { presentProcesses } from "./owner-changes.ts";
import { twoAreEnough } from "./owner-sets.ts";
import type { PartitionState } from "./partition-state.ts";
import type { ReplicatedEntity } from "./replicated-entity.ts";
import { timing } from "./timing.ts";

type Message<T extends PartitionMessage["type"]> = Extract<PartitionMessage, { type: T }>;

/**
 * Rule 1: answers a message of a term below one that was promised here; whether it was one. A primary whose
 * partition is idle says nothing but digests and that it would hand over, and may have missed all else.
 */
export function answersStale<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  from: ProcessId,
  term: Term,
): boolean {
  if (compareTerms(term, s.promised) >= 0) return false;
  s.outlet.send(from, { type: "stale", standing: s.standing() });
  return true;
}

/** Rule 2: a base replaces the copy. */
export function onBase<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  from: ProcessId,
  { term, copy: image }: Message<"base">,
  now: number,
): void {
  if (!sameBirth(s, from, image, now)) return;
  s.see(term);
  if (answersStale(s, from, term)) return;
  if (compareTerms(term, s.promised) > 0) endReign(s, now);
  else if (s.reign !== undefined) return;
  s.promised = term;
  s.genesis = image.genesis;
  follow(s, from, now);
  const { copy } = s;
  const goesOn = copy !== undefined && sameTerm(copy.synced, term);
  if (goesOn && image.position < copy.position) {
    s.outlet.send(from, { type: "ack", term, position: copy.position });
    return;
  }
  if (!canInstall(copy, image)) {
    s.needAt = 0;
    need(s, from, { term, have: copy?.at }, now);
    return;
  }
  install(s, image);
  s.outlet.send(from, { type: "ack", term, position: image.position });
  if (s.fork !== undefined && !goesOn) flushFork(s, now);
}

function canInstall<E extends ReplicatedEntity<E>>(
  copy: Copy<E> | undefined,
  image: CopyImage,
): boolean {
  return copy === undefined ? image.from === undefined : copy.canInstall(image);
}

function install<E extends ReplicatedEntity<E>>(s: PartitionState<E>, image: CopyImage): void {
  const touched: string[] = [];
  let replaced = true;
  if (s.copy === undefined) s.copy = Copy.fromImage(s.options.entities, image);
  else replaced = s.copy.install(image, touched);
  const { copy } = s;
  s.excluded = false;
  s.remembered = undefined;
  s.dropAt = Infinity;
  s.needAt = 0;
  s.infers = twoAreEnough(copy.owners, s.self, copy.synced.process);
  if (s.infers) copy.advance(copy.position + 1, touched);
  if (replaced) s.outlet.emit({ type: "replaced" });
  else if (touched.length > 0) s.outlet.emit({ type: "committed", entities: touched });
  s.outlet.emit({ type: "owners-changed", owners: copy.owners });
}

/** Rule 3: a delta extends the copy by one position. */
export function onDelta<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  from: ProcessId,
  message: Message<"delta">,
  now: number,
): void {
  const { term, position } = message;
  s.see(term);
  if (answersStale(s, from, term)) return;
  const { copy } = s;
  // A higher term is not promised here: the base does it, which tells the genesis as well.
  const fits = sameTerm(s.promised, term) && copy !== undefined && sameTerm(copy.synced, term);
  if (!fits || position > copy.position + 1) {
    need(s, from, { term, have: copy?.at }, now);
    return;
  }
  if (s.reign !== undefined) return;
  follow(s, from, now);
  if (position === copy.position + 1) extend(s, copy, message);
  s.outlet.send(from, { type: "ack", term, position: copy.position });
}

function extend<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  copy: Copy<E>,
  { term, position, committed, commit, owners }: Message<"delta">,
): void {
  if (commit !== undefined) copy.append(commit);
  else if (owners !== undefined) {
    copy.appendOwners(owners);
    s.infers = twoAreEnough(copy.owners, s.self, term.process);
    s.excluded = false;
    if (s.isOwner) s.dropAt = Infinity;
    s.outlet.emit({ type: "owners-changed", owners: copy.owners });
  } else copy.appendBarrier();
  learnCommitted(s, s.infers ? position + 1 : committed);
}

export function onCommitted<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  { term, committed }: Message<"committed">,
): void {
  if (s.reign !== undefined || s.copy === undefined || !sameTerm(s.copy.synced, term)) return;
  learnCommitted(s, Math.min(committed, s.copy.position + 1));
}

/** Anti-entropy within a term: equal positions must hold equal state, and know it to be committed. */
export function onDigest<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  from: ProcessId,
  { term, position, digest, content }: Message<"digest">,
  now: number,
): void {
  if (answersStale(s, from, term)) return;
  const { copy } = s;
  if (s.reign !== undefined || copy === undefined || !sameTerm(copy.synced, term)) return;
  s.isFollowing = true;
  // Digests are of committed positions: whoever missed that these are so learns it here.
  learnCommitted(s, Math.min(position, copy.position) + 1);
  if (copy.position !== position || copy.tailCount > 0) return;
  const isEqual = copy.digest() === digest;
  if (isEqual && (content === undefined || copy.contentOf(content.share) === content.sum)) return;
  s.outlet.emit({ type: "diverged", primary: from, position });
  need(s, from, { term, have: undefined }, now);
}

/** Rule 14: all owners have what this removed process holds. */
export function onRemoved<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  from: ProcessId,
  { term, owners }: Message<"removed">,
  now: number,
): void {
  if (s.reign !== undefined || s.copy === undefined) return;
  if (compareTerms(term, s.copy.synced) < 0 || owners.processes.includes(s.self)) return;
  s.excluded = true;
  s.candidacy = undefined;
  s.attemptAt = Infinity;
  s.endDegraded(now);
  s.primary = from;
  s.remembered = { synced: term, owners: owners.processes };
  s.dropAt = Math.min(s.dropAt, now + timing.retentionMs);
}

/**
 * The removed one's side of rule 14: whoever was to dismiss it may have given the role away, or died,
 * before all owners had acknowledged. Nobody else knows that it waits, so it asks who leads.
 */
export function awaitDismissal<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  now: number,
): void {
  if (!s.isNeeded) {
    s.askAt = Infinity;
    s.asked = 0;
  } else if (s.askAt === Infinity || now >= s.askAt) {
    if (now >= s.askAt) {
      askWhoLeads(s);
      s.asked++;
    }
    s.askAt = now + timing.dismissalMs * Math.min(2 ** s.asked, timing.resyncGrowthMax);
  }
}

/** A copy that no stream reaches asks who leads: it may have been removed unheard (rule 14). */
export function askWhetherFollowing<E extends ReplicatedEntity<E>>(s: PartitionState<E>): void {
  const silent = !s.isFollowing;
  s.isFollowing = false;
  if (!silent || s.reign !== undefined || s.copy === undefined || s.dropAt < Infinity) return;
  askWhoLeads(s);
}

/**
 * Somebody has seen what this follower lacks: it asks for it, not waiting for the primary to notice. Whoever
 * leads the term of the mark knows best. Marks are what callers say, so they make it ask once in
 * `timing.resyncMs` at most, and only processes that are there.
 */
export function catchUp<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  { term, position }: Mark,
  now: number,
): void {
  const { copy, role } = s;
  if (role !== "follower" || copy === undefined || now < s.catchUpAt) return;
  const order = compareTerms(copy.synced, term);
  if (order > 0 || (order === 0 && copy.position >= position)) return;
  s.catchUpAt = now + timing.resyncMs;
  if (s.options.peers.reachable(term.process)) s.hello(term.process);
  else askWhoLeads(s);
}

function askWhoLeads<E extends ReplicatedEntity<E>>(s: PartitionState<E>): void {
  const { peers } = s.options;
  if (s.primary !== "" && peers.reachable(s.primary)) s.hello(s.primary);
  else for (const process of presentProcesses(s.table, s.self, peers)) s.hello(process);
}

/** The retention of rule 14 is over: a few bytes stay. */
export function dropCopy<E extends ReplicatedEntity<E>>(s: PartitionState<E>): void {
  s.dropAt = Infinity;
  if (s.isOwner) return;
  s.copy = undefined;
  s.infers = false;
  s.outlet.emit({ type: "replaced" });
}

function learnCommitted<E extends ReplicatedEntity<E>>(s: PartitionState<E>, count: number): void {
  const { copy } = s;
  if (copy === undefined || count <= copy.committed) return;
  const touched: string[] = [];
  const { owners } = copy;
  copy.advance(count, touched);
  if (owners !== copy.owners) {
    s.infers = twoAreEnough(copy.owners, s.self, copy.synced.process);
    if (s.infers) copy.advance(copy.position + 1, touched);
  }
  if (touched.length > 0) s.outlet.emit({ type: "committed", entities: touched });
}

/** Somebody leads: no candidacy, no degraded service. */
function follow<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  primary: ProcessId,
  now: number,
): void {
  s.primary = primary;
  s.isFollowing = true;
  s.candidacy = undefined;
  s.attemptAt = Infinity;
  s.attempts = 0;
  s.refusals = 0;
  s.endDegraded(now);
}

/** Asks for a base, but not once more for every delta that is already under way. */
function need<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  from: ProcessId,
  wish: { readonly term: Term; readonly have: StreamPosition | undefined },
  now: number,
): void {
  if (now < s.needAt) return;
  s.needAt = now + timing.resyncMs;
  s.outlet.send(from, { type: "need", ...wish });
}
