/** Rule 13: the way from the present owner set to the one of the table, one step at a time. */
import type { NodeId, ProcessId } from "../model/ids.ts";
import { nodeOf } from "../model/ids.ts";
import type { Copy } from "./copy.ts";
import { agrees, hasMajority } from "./owner-sets.ts";
import type { Peers } from "./peers.ts";
import type { Reign } from "./reign.ts";
import type { ReplicatedEntity } from "./replicated-entity.ts";

export interface OwnersPlan {
  /** Present processes of the table's owners, in table order. */
  readonly wanted: readonly ProcessId[];
  /** The set to propose now. */
  readonly next: readonly ProcessId[] | undefined;
  /** The owner set differs from `wanted`: look again after the next acknowledgement. */
  readonly isMoving: boolean;
}

export interface Surroundings {
  readonly peers: Peers;
  readonly table: readonly NodeId[];
  /** Only proven dead members may be dropped. */
  readonly degraded: boolean;
}

export function planOwners<E extends ReplicatedEntity<E>>(
  reign: Reign<E>,
  copy: Copy<E>,
  { peers, table, degraded }: Surroundings,
): OwnersPlan {
  const self = reign.term.process;
  const { owners, committed } = copy;
  const present = owners.processes;
  const wanted = presentProcesses(table, self, peers);
  const keep = table.length === 0 ? present : wanted;
  const isMoving =
    keep.some((process) => !present.includes(process)) ||
    present.some((process) => !keep.includes(process));
  const plan = (next: readonly ProcessId[] | undefined): OwnersPlan => ({ wanted, next, isMoving });

  // A majority of the next set, and of the present one, must be connected and caught up.
  const caughtUp = (process: ProcessId): boolean => reign.ackedBy(process) >= committed - 1;
  const live = (process: ProcessId): boolean =>
    process === self || (peers.reachable(process) && caughtUp(process));
  const dead = (process: ProcessId): boolean => peers.provenDead(process);
  const possible = (next: readonly ProcessId[]): boolean =>
    hasMajority(next, live) && agrees(present, live, dead);

  const living = present.filter((process) => !dead(process));
  if (living.length < present.length && possible(living)) return plan(living);
  if (degraded || committed === 0 || owners.previous.length > 0) return plan(undefined);
  if (owners.position >= committed) return plan(undefined);
  for (const process of wanted) {
    if (present.includes(process) || !caughtUp(process)) continue;
    const next = [...present, process];
    if (possible(next)) return plan(next);
  }
  const allIn = wanted.every((process) => present.includes(process) && caughtUp(process));
  if (table.length === 0 || wanted.length < table.length || !allIn) return plan(undefined);
  for (const process of present) {
    if (process === self || wanted.includes(process)) continue;
    const next = present.filter((owner) => owner !== process);
    if (possible(next)) return plan(next);
  }
  return plan(undefined);
}

/** The processes that live on these nodes now, `self` on its own; unreachable ones are left out. */
export function presentProcesses(
  table: readonly NodeId[],
  self: ProcessId,
  peers: Peers,
): readonly ProcessId[] {
  const processes: ProcessId[] = [];
  for (const node of table) {
    const process = node === nodeOf(self) ? self : peers.presentOf(node);
    if (process !== undefined && (process === self || peers.reachable(process))) {
      processes.push(process);
    }
  }
  return processes;
}
