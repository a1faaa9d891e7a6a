/** Rules 6–9, 11 and 12: who becomes primary when there is none, and who lets it. */
import { nodeOf } from "../model/ids.ts";
import type { ProcessId } from "../model/ids.ts";
import { compareTerms, sameTerm } from "../model/term.ts";
import type { Owners, PartitionMessage } from "../wire/replication-messages.ts";
import { Candidacy } from "./candidacy.ts";
import type { Offer } from "./candidacy.ts";
import type { Copy } from "./copy.ts";
import { awaitDismissal, answersStale } from "./following.ts";
import { askPrimary } from "./forking.ts";
import { beginReign, endReign, lead, moveOwners, waitForPrimary } from "./leading.ts";
import { deposed, heard, learnPrimary, sameBirth } from "./meeting.ts";
import { presentProcesses } from "./owner-changes.ts";
import { everyOwner } from "./owner-sets.ts";
import type { PartitionState } from "./partition-state.ts";
import type { ReplicatedEntity } from "./replicated-entity.ts";
import { limits, timing } from "./timing.ts";

type Message<T extends PartitionMessage["type"]> = Extract<PartitionMessage, { type: T }>;

/** Rule 9: promise or refuse. Promising and telling what is held are one step. */
export function onPrepare<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  from: ProcessId,
  message: Message<"prepare">,
  now: number,
): void {
  const { term, handover } = message;
  if (!sameBirth(s, from, message, now)) return;
  s.see(term);
  const { copy } = s;
  if (copy === undefined || compareTerms(term, s.promised) <= 0) {
    s.outlet.send(from, { type: "stale", standing: s.standing() });
    return;
  }
  if (!handover && hasPrimary(s, from)) {
    s.outlet.send(from, { type: "refuse", term, standing: s.standing() });
    // It may only have heard of that primary, which tells it whether it is one.
    if (s.reign === undefined && s.promised?.process !== s.primary) s.hello(s.primary);
    return;
  }
  if (handover && s.reign !== undefined) s.gaveAwayAt = now;
  endReign(s, now);
  s.candidacy = undefined;
  s.promised = term;
  s.primary = "";
  waitForPrimary(s, now);
  const { synced, position, committed, owners } = copy;
  s.outlet.send(from, { type: "promise", term, synced, position, committed, owners });
}

/** A primary that can commit, or one who follows a primary that it reaches. */
function hasPrimary<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  asking: ProcessId,
): boolean {
  if (s.reign !== undefined) return s.degraded === undefined;
  return s.primary !== "" && s.primary !== asking && s.options.peers.reachable(s.primary);
}

export function onPromise<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  from: ProcessId,
  message: Message<"promise">,
  now: number,
): void {
  if (s.candidacy === undefined || !sameTerm(s.candidacy.term, message.term)) return;
  s.candidacy.promised(from, message);
  weigh(s, now);
}

export function onRefuse<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  from: ProcessId,
  { term, standing }: Message<"refuse">,
  now: number,
): void {
  if (!sameBirth(s, from, standing, now)) return;
  if (s.candidacy !== undefined && sameTerm(s.candidacy.term, term)) {
    if (!s.candidacy.refused) refused(s, s.candidacy, now);
    s.refusedBy = from;
    s.endDegraded(now);
  }
  heard(s, standing, now);
  learnPrimary(s, from, standing);
  // The primary sends a base to a member that turns up, or learns that this one has promised more
  // than it can follow. Without a link to it this one stays behind.
  const { primary } = standing;
  if (primary !== "" && primary !== s.self && s.options.peers.reachable(primary)) s.hello(primary);
}

/** Rule 6, "retry with jittered delay": soon, for whoever refused may just not have noticed yet. */
function refused<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  candidacy: Candidacy,
  now: number,
): void {
  candidacy.refused = true;
  s.attempts--;
  s.refusals++;
  const delayMs = timing.refusedMs * 1.5 ** (s.refusals - 1);
  const mostMs = timing.attemptMs * timing.attemptGrowthMax;
  candidacy.endsAt = now + Math.min(mostMs, delayMs) * (1 + s.options.random());
  s.refusedUntil = candidacy.endsAt;
}

/** Rule 1's answer: the other one has promised a higher term. */
export function onStale<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  from: ProcessId,
  { standing }: Message<"stale">,
  now: number,
): void {
  if (!sameBirth(s, from, standing, now)) return;
  s.see(standing.promised);
  if (s.reign !== undefined && compareTerms(standing.promised, s.promised) > 0) {
    deposed(s, standing, now);
  } else if (s.candidacy !== undefined && compareTerms(standing.promised, s.candidacy.term) >= 0) {
    s.candidacy = undefined;
    waitForPrimary(s, now);
  }
  heard(s, standing, now);
  learnPrimary(s, from, standing);
  if (s.candidacy === undefined) return;
  s.candidacy.knowsNothing(from);
  weigh(s, now);
}

/** A candidate wants this copy, which has not changed since it was promised. */
export function onFetch<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  from: ProcessId,
  { term, have }: Message<"fetch">,
): void {
  const { copy } = s;
  if (copy === undefined || !sameTerm(s.promised, term) || sameTerm(copy.synced, term)) {
    s.outlet.send(from, { type: "stale", standing: s.standing() });
    return;
  }
  s.outlet.send(from, { type: "copy", term, copy: copy.image(have) });
}

/** Rule 7: the best copy has come. It is installed only if it is still the best and enough promised. */
export function onCopy<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  from: ProcessId,
  { term, copy: image }: Message<"copy">,
  now: number,
): void {
  const { candidacy, copy } = s;
  if (candidacy === undefined || copy === undefined || !sameTerm(candidacy.term, term)) return;
  if (candidacy.fetching !== from) return;
  candidacy.fetching = undefined;
  const best = candidacy.best(ownOffer(s, copy));
  const fits = sameTerm(best.synced, image.synced) && best.position === image.position;
  if (fits && best.process === from && mayReign(s, candidacy, best) && copy.canInstall(image)) {
    const touched: string[] = [];
    if (copy.install(image, touched)) s.outlet.emit({ type: "replaced" });
    else if (touched.length > 0) s.outlet.emit({ type: "committed", entities: touched });
    reign(s, copy, candidacy, now);
    return;
  }
  weigh(s, now);
}

/** Rule 11: the primary wants this process to take over. */
export function onHandover<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  from: ProcessId,
  { term }: Message<"handover">,
  now: number,
): void {
  if (answersStale(s, from, term)) return;
  if (s.reign !== undefined || s.copy === undefined || !s.isOwner || s.primary !== from) return;
  if (!sameTerm(s.promised, term) || !sameTerm(s.copy.synced, term)) return;
  stand(s, true, now);
}

/** Rule 6: looks whether there is a primary, and becomes a candidate when it is this one's turn. */
export function watchPrimary<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  now: number,
): void {
  if (s.reign !== undefined) return;
  if (s.copy === undefined || s.excluded || !s.isOwner) {
    s.candidacy = undefined;
    s.attemptAt = Infinity;
    awaitDismissal(s, now);
    return;
  }
  s.askAt = Infinity;
  if (isLeaderless(s)) tryToLead(s, now);
  else {
    // Refusals go on counting until it follows: the primary may be one by hearsay.
    s.attemptAt = Infinity;
    if (s.degraded !== undefined && s.forkAt === Infinity) askPrimary(s, now);
    const { candidacy } = s;
    if (candidacy?.handover !== true || now >= candidacy.endsAt) s.candidacy = undefined;
  }
}

function tryToLead<E extends ReplicatedEntity<E>>(s: PartitionState<E>, now: number): void {
  const { candidacy } = s;
  if (candidacy === undefined) {
    if (s.attemptAt === Infinity) {
      s.attemptAt = now + turnDelay(s);
      if (s.refusals > 0) s.attemptAt = Math.max(s.attemptAt, s.refusedUntil);
    }
    if (now >= s.attemptAt) stand(s, false, now);
    return;
  }
  const waited = now >= candidacy.startedAt + timing.takeoverWaitMs;
  if (waited && !candidacy.refused && !candidacy.handover) s.beginDegraded();
  if (now >= candidacy.endsAt) stand(s, false, now);
}

/** When `watchPrimary` has something to do. */
export function watchAt<E extends ReplicatedEntity<E>>(s: PartitionState<E>): number {
  const { candidacy } = s;
  if (candidacy === undefined) return s.attemptAt;
  const waits = s.degraded === undefined && !candidacy.refused && !candidacy.handover;
  const degradedAt = waits ? candidacy.startedAt + timing.takeoverWaitMs : Infinity;
  return Math.min(candidacy.endsAt, degradedAt);
}

/** A member may have been proven dead since the promises came. */
export function reconsider<E extends ReplicatedEntity<E>>(s: PartitionState<E>, now: number): void {
  if (s.candidacy !== undefined) weigh(s, now);
}

function isLeaderless<E extends ReplicatedEntity<E>>(s: PartitionState<E>): boolean {
  const { peers } = s.options;
  return s.primary === "" || peers.lost(s.primary) || peers.provenDead(s.primary);
}

/** "First reachable in table order": every reachable owner that comes first is given some time. */
function turnDelay<E extends ReplicatedEntity<E>>(s: PartitionState<E>): number {
  const { peers, random } = s.options;
  const rank = (process: ProcessId): number => {
    const at = s.table.indexOf(nodeOf(process));
    return at < 0 ? s.table.length : at;
  };
  const own = rank(s.self);
  let before = 0;
  for (const process of s.copy?.owners.processes ?? []) {
    if (process === s.self || process === s.primary) continue;
    const first = rank(process) - own || (process < s.self ? -1 : 1);
    if (first < 0 && peers.reachable(process) && !peers.isLeaving(nodeOf(process))) before++;
  }
  return before === 0 ? 0 : timing.rankDelayMs * (before + random() * 0.5);
}

/** Begins an attempt with a number above the highest seen, without raising `promised`. */
function stand<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  handover: boolean,
  now: number,
): void {
  s.highest++;
  s.attempts++;
  const growth = Math.min(timing.attemptGrowthMax, 1.5 ** (s.attempts - 1));
  const lastsMs = timing.attemptMs * growth * (1 + s.options.random());
  const term = { number: s.highest, process: s.self };
  s.candidacy = new Candidacy(term, handover, now, now + lastsMs);
  s.attemptAt = Infinity;
  weigh(s, now);
}

/** Asks whoever is to be asked, and takes over once enough have promised (rules 7 and 8). */
function weigh<E extends ReplicatedEntity<E>>(s: PartitionState<E>, now: number): void {
  const { candidacy, copy } = s;
  if (candidacy === undefined || copy === undefined) return;
  const best = candidacy.best(ownOffer(s, copy));
  const { term, handover } = candidacy;
  for (const owners of [best.owners, copy.owners]) {
    for (const process of everyOwner(owners)) {
      if (!candidacy.ask(process)) continue;
      s.outlet.send(process, { type: "prepare", term, handover, genesis: s.genesis });
    }
  }
  if (!best.owners.processes.includes(s.self)) {
    s.excluded = true;
    s.candidacy = undefined;
    s.endDegraded(now);
    return;
  }
  if (!mayReign(s, candidacy, best)) return;
  if (best.process === s.self) {
    reign(s, copy, candidacy, now);
  } else if (candidacy.fetching !== best.process) {
    candidacy.fetching = best.process;
    s.outlet.send(best.process, { type: "fetch", term, have: copy.at });
  }
}

function mayReign<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  candidacy: Candidacy,
  best: Offer,
): boolean {
  if (compareTerms(candidacy.term, s.promised) <= 0) return false;
  if (candidacy.isComplete(best.owners, nobody)) return true;
  const { peers } = s.options;
  if (!candidacy.isComplete(best.owners, (process) => peers.provenDead(process))) return false;
  return askWitnesses(s, candidacy, best.owners);
}

const nobody = (): boolean => false;

/**
 * Where dead members fill the majority (rule 8), nobody who promised need know that this process was
 * removed long ago, while it was cut off, and that others lead. Whoever is there and may know it is
 * asked: the nodes of the dead ones, and the table's.
 * @returns whether all of them that are there have answered
 */
function askWitnesses<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  candidacy: Candidacy,
  owners: Owners,
): boolean {
  const nodes = new Set([...everyOwner(owners).map(nodeOf), ...s.table]);
  const { term, handover } = candidacy;
  let isAnswered = true;
  for (const process of presentProcesses([...nodes], s.self, s.options.peers)) {
    if (candidacy.ask(process)) {
      s.outlet.send(process, { type: "prepare", term, handover, genesis: s.genesis });
    }
    isAnswered &&= candidacy.hasAnswerOf(process);
  }
  return isAnswered;
}

function ownOffer<E extends ReplicatedEntity<E>>(s: PartitionState<E>, copy: Copy<E>): Offer {
  return { process: s.self, synced: copy.synced, position: copy.position, owners: copy.owners };
}

/** Rule 7: the copy becomes the base of the term; proven dead members are left out of it. */
function reign<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  copy: Copy<E>,
  candidacy: Candidacy,
  now: number,
): void {
  const { peers } = s.options;
  const { owners, at: before } = copy;
  const giver = candidacy.handover ? before.synced.process : undefined;
  const previous = owners.previous.map(({ processes }) => ({ processes, position: 0 }));
  let living = owners.processes;
  if (previous.length < limits.previousOwners) {
    living = living.filter((process) => !peers.provenDead(process));
    if (living.length < owners.processes.length) {
      previous.push({ processes: owners.processes, position: 0 });
    }
  }
  copy.inherit(candidacy.term, { processes: living, position: 0, previous });
  const begun = beginReign(s, copy, now, giver);
  for (const link of begun.links()) {
    link.before = candidacy.standsAt(link.process) ?? before;
    begun.sendBaseByAck(link, now);
  }
  s.outlet.emit({ type: "owners-changed", owners: copy.owners });
  lead(s, now);
  moveOwners(s, now);
}
