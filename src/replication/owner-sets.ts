/**
 * When a set of owners agrees. Rules 4, 7, 8 and 13 ask in slightly different words; all of them come
 * down to these functions, so that quorums which must intersect are written side by side.
 *
 * Between neighbouring sets a majority of each intersects; half of a set, which rule 8 allows when
 * proven dead members fill it, does not. Therefore a replaced set must agree too until its
 * replacement is committed (`README.md`, "Neighbouring sets").
 */
import { majority } from "../model/acks.ts";
import type { ProcessId } from "../model/ids.ts";
import type { Owners } from "../wire/replication-messages.ts";

type Test = (process: ProcessId) => boolean;

function count(set: readonly ProcessId[], test: Test): number {
  let found = 0;
  for (const process of set) if (test(process)) found++;
  return found;
}

/** More than half of `set` does. */
export function hasMajority(set: readonly ProcessId[], does: Test): boolean {
  return count(set, does) >= majority(set.length);
}

/** Rule 8: a majority does, or half with proven dead ones filling it, or all that may live. */
export function agrees(set: readonly ProcessId[], does: Test, dead: Test): boolean {
  const present = count(set, does);
  if (present >= majority(set.length)) return true;
  const filled = present + count(set, (process) => !does(process) && dead(process));
  if (filled === set.length) return true;
  return present >= Math.ceil(set.length / 2) && filled >= majority(set.length);
}

/** Rule 7: may the owner of these promises take over from a copy with these owners? */
export function mayTakeOver(owners: Owners, promised: Test, dead: Test): boolean {
  if (!agrees(owners.processes, promised, dead)) return false;
  return owners.previous.every(({ processes }) => {
    const present = count(processes, promised);
    if (present >= Math.ceil(processes.length / 2)) return true;
    return present + count(processes, (p) => !promised(p) && dead(p)) === processes.length;
  });
}

/** Everybody that a set or one of its uncommitted predecessors names, each once. */
export function everyOwner(owners: Owners): readonly ProcessId[] {
  if (owners.previous.length === 0) return owners.processes;
  const all = new Set(owners.processes);
  for (const { processes } of owners.previous) for (const process of processes) all.add(process);
  return [...all];
}

/** Forgets predecessors whose replacement is committed. */
export function settledOwners(owners: Owners, committed: number): Owners {
  if (owners.previous.length === 0) return owners;
  const previous = owners.previous.filter(({ position }) => position >= committed);
  if (previous.length === owners.previous.length) return owners;
  return { processes: owners.processes, position: owners.position, previous };
}

/**
 * Whether a follower may conclude by itself that what it and the primary hold is committed: the two
 * are a majority of the set and of each uncommitted predecessor.
 */
export function twoAreEnough(owners: Owners, follower: ProcessId, primary: ProcessId): boolean {
  const enough = (set: readonly ProcessId[]): boolean =>
    majority(set.length) <= 2 && set.includes(follower) && set.includes(primary);
  return enough(owners.processes) && owners.previous.every(({ processes }) => enough(processes));
}
