/** What a primary does: rules 4, 5, 10, 11, 13 and the primary's side of 14 and 17. */
import type { ProcessId } from "../model/ids.ts";
import type { PartitionMessage } from "../wire/replication-messages.ts";
import { flushFork, onMerged } from "./forking.ts";
import { Handover } from "./handover.ts";
import { planOwners } from "./owner-changes.ts";
import { everyOwner } from "./owner-sets.ts";
import type { PartitionState } from "./partition-state.ts";
import type { ReplicatedEntity } from "./replicated-entity.ts";
import { Reign } from "./reign.ts";
import { timing } from "./timing.ts";
import { termWriter } from "../model/writer.ts";
import type { Copy } from "./copy.ts";

/**
 * Begins a reign on a copy that has been made the base of its term.
 * @param giver the primary that handed over
 */
export function beginReign<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  copy: Copy<E>,
  now: number,
  giver?: ProcessId,
): Reign<E> {
  const reign = new Reign({
    term: copy.synced,
    writer: termWriter(s.options.random),
    copy,
    peers: s.options.peers,
    outlet: s.outlet,
    entities: s.options.entities,
    flow: s.options.flow,
  });
  s.reign = reign;
  s.handover = new Handover(reign, copy, { now, giver, gaveAwayAt: s.gaveAwayAt });
  s.promised = copy.synced;
  s.see(copy.synced);
  s.primary = s.self;
  s.candidacy = undefined;
  s.attemptAt = Infinity;
  s.attempts = 0;
  s.refusals = 0;
  s.askAt = Infinity;
  s.departed.clear();
  // Whose removal is inherited without being known to be committed was not told so by anybody.
  const { processes } = copy.owners;
  for (const process of everyOwner(copy.owners)) {
    if (!processes.includes(process)) s.departed.set(process, copy.position);
  }
  reign.alignLinks([]);
  reign.stuckSince = now;
  s.endDegraded(now);
  // A fork that was on its way to another primary, or to an earlier reign here, begins anew.
  if (s.fork !== undefined) s.forkAt = now;
  return reign;
}

/** Rule 10: a higher term exists. What was run and not answered may or may not stay. */
export function endReign<E extends ReplicatedEntity<E>>(s: PartitionState<E>, now: number): void {
  if (s.reign === undefined || s.copy === undefined) return;
  s.reign.waiters.abandon(s.outlet);
  s.reign.tips.close();
  s.reign.isServing = false;
  s.reign.isCalm = false;
  s.reign = undefined;
  s.handover = undefined;
  s.isMoving = false;
  s.primary = "";
  s.endDegraded(now);
  if (s.fork !== undefined) s.forkAt = now + timing.forkRetryMs;
  waitForPrimary(s, now);
}

/** Notes on the reign what calls may rely on until the next event (`Slot`). */
export function noteService<E extends ReplicatedEntity<E>>(s: PartitionState<E>): void {
  const { reign } = s;
  if (reign === undefined) return;
  reign.isServing = s.serving === "primary";
  const isOwing = s.isMoving || s.departed.size > 0 || s.fork !== undefined || s.forkAt < Infinity;
  reign.isCalm =
    reign.isServing && !isOwing && reign.isAlone && reign.isQuiet && reign.tips.aheadCount === 0;
}

/** Gives whoever is about to become primary time to do so. */
export function waitForPrimary<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  now: number,
): void {
  s.attemptAt = now + timing.attemptMs * (1 + s.options.random());
}

/** Looks at what is committed now, and does what that allows. */
export function lead<E extends ReplicatedEntity<E>>(s: PartitionState<E>, now: number): void {
  const { reign, copy } = s;
  if (reign === undefined || copy === undefined) return;
  const { owners } = copy;
  reign.advance(now);
  // A change is committed: the next one may follow, and who was removed is followed no more.
  if (owners !== copy.owners) s.isMoving = true;
  mergeForks(s, reign, now);
  if (s.isMoving) moveOwners(s, now);
  if (s.departed.size > 0) dismiss(s);
  if (s.handover?.isUnderWay === true) stepHandover(s, now);
}

/** Rule 17: tells whose forks are merged, and goes on with this process's own. */
function mergeForks<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  reign: Reign<E>,
  now: number,
): void {
  if (reign.hasMerges) {
    for (const { to, commits } of reign.takeMerged()) {
      if (to === s.self) onMerged(s, commits, now);
      else s.outlet.send(to, { type: "merged", commits });
    }
  }
  if (s.degraded !== undefined && reign.isCommitted) {
    s.endDegraded(now);
    s.isMoving = true; // what had to wait: owner changes, a handover
  }
  if (s.forkAt > now) return;
  flushFork(s, now);
  reign.advance(now);
}

/** Rule 13: makes the next change of the owner set if there is one to make. */
export function moveOwners<E extends ReplicatedEntity<E>>(s: PartitionState<E>, now: number): void {
  const { reign, copy, table } = s;
  const { peers, replicas = 0 } = s.options;
  if (reign === undefined || copy === undefined) return;
  for (;;) {
    const degraded = s.degraded !== undefined;
    const plan = planOwners(reign, copy, { peers, table, replicas, degraded });
    s.isMoving = plan.isMoving;
    reign.alignLinks(plan.wanted);
    reign.invite(plan.wanted, now);
    if (plan.next === undefined || s.handover?.isAsked === true) break;
    const before = copy.owners.processes;
    const owners = reign.changeOwners(plan.next, now);
    for (const process of before) {
      if (!plan.next.includes(process)) s.departed.set(process, copy.position);
    }
    s.outlet.emit({ type: "owners-changed", owners });
    s.handover?.noteOwners(now);
    reign.advance(now);
  }
  stepHandover(s, now);
}

/** Rule 14: tells removed processes once all owners have what they had. */
function dismiss<E extends ReplicatedEntity<E>>(s: PartitionState<E>): void {
  const { reign, copy } = s;
  if (reign === undefined || copy === undefined || copy.owners.previous.length > 0) return;
  const { owners } = copy;
  for (const [process, position] of s.departed) {
    if (owners.processes.includes(process)) {
      s.departed.delete(process);
      continue;
    }
    // It may be about to become an owner again, or not after all.
    if (reign.link(process) !== undefined) continue;
    if (owners.processes.every((owner) => reign.ackedBy(owner) >= position)) {
      s.departed.delete(process);
      s.outlet.send(process, { type: "removed", term: reign.term, owners });
    }
  }
}

function stepHandover<E extends ReplicatedEntity<E>>(s: PartitionState<E>, now: number): void {
  if (s.degraded !== undefined && s.handover?.isUnderWay !== true) return;
  s.handover?.step({ peers: s.options.peers, table: s.table }, s.outlet, now);
}

/** Time passes for a primary. */
export function tickPrimary<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  now: number,
): void {
  const { reign } = s;
  if (reign === undefined) return;
  reign.tick(now);
  if (now >= reign.stuckSince + timing.takeoverWaitMs) s.beginDegraded();
  if (s.handover !== undefined && now >= s.handover.nextTickAt) stepHandover(s, now);
  lead(s, now);
}

/** When `tickPrimary` has something to do. */
export function primaryTickAt<E extends ReplicatedEntity<E>>(s: PartitionState<E>): number {
  const { reign, handover } = s;
  if (reign === undefined || handover === undefined) return Infinity;
  if (s.degraded === undefined) {
    const degradedAt = reign.stuckSince + timing.takeoverWaitMs;
    return Math.min(reign.nextTickAt, handover.nextTickAt, degradedAt);
  }
  // A handover that has not begun waits for the end of degraded service, whenever it was due.
  return handover.isUnderWay ? Math.min(reign.nextTickAt, handover.nextTickAt) : reign.nextTickAt;
}

export function onAck<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  from: ProcessId,
  position: number,
  now: number,
): void {
  const link = s.reign?.link(from);
  if (s.reign === undefined || s.copy === undefined || link === undefined) return;
  if (!link.ack(position, now)) return;
  if (link.needsBase(s.copy.position)) s.reign.sendBaseByAck(link, now);
  lead(s, now);
}

export function onNeed<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  from: ProcessId,
  { have }: Extract<PartitionMessage, { type: "need" }>,
  now: number,
): void {
  const link = s.reign?.link(from);
  if (link !== undefined) s.reign?.sendBase(link, have, now);
}

/** Anti-entropy: tells followers that should be equal what it holds. Costs one pass over the entities. */
export function sendDigests<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  share: number | undefined,
): void {
  const { reign, copy } = s;
  if (reign === undefined || copy === undefined || !reign.isCommitted) return;
  const links = [...reign.links()].filter(({ acked }) => acked === copy.position);
  if (links.length === 0) return;
  const message = {
    type: "digest",
    term: reign.term,
    position: copy.position,
    digest: copy.digest(),
    content: share === undefined ? undefined : { share, sum: copy.contentOf(share) },
  } as const;
  for (const { process } of links) s.outlet.send(process, message);
}

/** A process that holds a copy has turned up: it is brought up to date, dismissed, or told who leads. */
export function welcome<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  from: ProcessId,
  holdsCopy: boolean,
  now: number,
): void {
  const { reign, copy } = s;
  if (reign === undefined || copy === undefined) return;
  moveOwners(s, now);
  const link = reign.link(from);
  if (link === undefined) {
    if (holdsCopy && !everyOwner(copy.owners).includes(from)) s.departed.set(from, copy.position);
    s.hello(from);
    lead(s, now);
    return;
  }
  // A whole image that is under way is not sent twice; the watch over acknowledgements repeats it.
  const isWhole = link.acked < 0 && link.before === undefined;
  if (isWhole && link.sent >= 0 && now - link.progressAt < timing.resyncMs) return;
  reign.sendBaseByAck(link, now);
}
