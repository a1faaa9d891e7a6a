/** What processes tell each other when they meet: rules 12 and 20. */
import { compareTerms } from "../model/term.ts";
import type { ProcessId } from "../model/ids.ts";
import { forkWriter } from "../model/writer.ts";
import type { Standing } from "../wire/replication-messages.ts";
import { endReign, welcome } from "./leading.ts";
import { everyOwner } from "./owner-sets.ts";
import type { PartitionState } from "./partition-state.ts";
import type { ReplicatedEntity } from "./replicated-entity.ts";

/** Two processes have met, or one asks who leads. */
export function onHello<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  from: ProcessId,
  standing: Standing,
  now: number,
): void {
  if (!sameBirth(s, from, standing, now)) return;
  heard(s, standing, now);
  if (s.reign !== undefined && compareTerms(standing.promised, s.promised) > 0) {
    deposed(s, standing, now);
  }
  if (s.reign !== undefined) {
    welcome(s, from, standing.synced !== undefined, now);
    return;
  }
  learnPrimary(s, from, standing);
  const asks = standing.primary === "" && s.primary !== "" && s.primary !== from;
  // Or it takes this process for the primary that it was, and would refuse whoever wants to lead.
  if (asks || standing.primary === s.self) s.hello(from);
}

/** Rule 10: somebody promised a higher term than this primary's. */
export function deposed<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  standing: Standing,
  now: number,
): void {
  const owners = s.copy === undefined ? [] : everyOwner(s.copy.owners);
  endReign(s, now);
  s.promised = standing.promised;
  for (const process of owners) s.hello(process);
}

/** Rule 12: learns of a later owner set, and whether this process is in it. */
export function heard<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  standing: Standing,
  now: number,
): void {
  s.see(standing.promised);
  if (s.reign !== undefined || s.copy === undefined) return;
  if (compareTerms(standing.synced, s.copy.synced) <= 0) return;
  if (standing.owners.includes(s.self)) return;
  s.excluded = true;
  s.candidacy = undefined;
  s.attemptAt = Infinity;
  s.endDegraded(now);
  if (standing.primary !== "" && standing.primary !== s.self) s.primary = standing.primary;
}

/** Takes over the other's knowledge of who leads where it is not older than one's own. */
export function learnPrimary<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  from: ProcessId,
  standing: Standing,
): void {
  const { primary } = standing;
  if (s.reign !== undefined) return;
  // Of itself everybody knows best. Where each takes the other for the primary, both are wrong.
  if (s.primary === from && primary !== from) s.primary = "";
  if (primary === s.self || isOlder(s, from, standing)) return;
  const isUnknown = s.primary === "" || s.options.peers.lost(s.primary);
  if (primary === from || isUnknown) s.primary = primary;
}

/** Whom it has heard of may have led no later term than that of its copy, whatever it has promised since. */
function isOlder<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  from: ProcessId,
  { primary, promised, synced }: Standing,
): boolean {
  if (compareTerms(promised, s.promised) < 0) return true;
  return primary !== from && compareTerms(synced, s.copy?.synced) < 0;
}

/** Rule 20: of two births the smaller id wins. False when the other one has to give way. */
export function sameBirth<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  from: ProcessId,
  { genesis }: { readonly genesis: string },
  now: number,
): boolean {
  if (s.genesis === "" || genesis === "" || genesis === s.genesis) return true;
  if (genesis > s.genesis) {
    s.hello(from);
    return false;
  }
  switchGenesis(s, genesis, now);
  return true;
}

/** Rule 20: this process belongs to the other birth now, and what it held is a fork. */
function switchGenesis<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  genesis: string,
  now: number,
): void {
  endReign(s, now);
  s.endDegraded(now);
  if (s.copy !== undefined) {
    s.fork ??= s.newFork();
    s.fork.addCopy(s.copy, forkWriter(s.options.random));
    s.forkAt = now;
    s.copy = undefined;
    s.outlet.emit({ type: "replaced" });
  }
  s.genesis = genesis;
  s.promised = undefined;
  s.remembered = undefined;
  s.excluded = false;
  s.infers = false;
  s.candidacy = undefined;
  s.attemptAt = Infinity;
  s.primary = "";
  s.dropAt = Infinity;
  s.departed.clear();
}
