/** Rule 13: the way from the present owner set to the one of the table, one step at a time. */
import type { NodeId, ProcessId } from "../model/ids.ts";
import { nodeOf } from "../model/ids.ts";
import type { Copy } from "./copy.ts";
import { agrees, hasMajority } from "./owner-sets.ts";
import type { Peers } from "./peers.ts";
import type { Reign } from "./reign.ts";
import type { ReplicatedEntity } from "./replicated-entity.ts";
import { limits } from "./timing.ts";

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
  /** Owners of a full table. */
  readonly replicas: number;
  /** Only proven dead members may be dropped. */
  readonly degraded: boolean;
}

export function planOwners<E extends ReplicatedEntity<E>>(
  reign: Reign<E>,
  copy: Copy<E>,
  around: Surroundings,
): OwnersPlan {
  const { peers, table } = around;
  const present = copy.owners.processes;
  const wanted = presentProcesses(table, reign.term.process, peers);
  const keep = table.length === 0 ? present : wanted;
  const isMoving =
    keep.some((process) => !present.includes(process)) ||
    present.some((process) => !keep.includes(process));
  if (!isMoving && !present.some((process) => peers.provenDead(process))) {
    return { wanted, next: undefined, isMoving };
  }
  return { wanted, next: nextOwners(reign, copy, around, wanted), isMoving };
}

function nextOwners<E extends ReplicatedEntity<E>>(
  reign: Reign<E>,
  copy: Copy<E>,
  { peers, table, replicas, degraded }: Surroundings,
  wanted: readonly ProcessId[],
): readonly ProcessId[] | undefined {
  const self = reign.term.process;
  const { owners, committed } = copy;
  const present = owners.processes;
  // A majority of the next set, and of the present one, must be connected and caught up.
  const caughtUp = (process: ProcessId): boolean => reign.ackedBy(process) >= committed - 1;
  const live = (process: ProcessId): boolean =>
    process === self || (peers.reachable(process) && caughtUp(process));
  const dead = (process: ProcessId): boolean => peers.provenDead(process);
  const possible = (next: readonly ProcessId[]): boolean =>
    hasMajority(next, live) && agrees(present, live, dead);

  if (owners.previous.length >= limits.previousOwners) return undefined;
  const living = present.filter((process) => !dead(process));
  if (living.length < present.length && possible(living)) return living;
  const settled = committed > owners.position && owners.previous.length === 0;
  if (degraded || !settled || table.length === 0) return undefined;
  const missing = wanted.filter((process) => !present.includes(process));
  const joining = missing.filter(caughtUp).map((process) => [...present, process]);
  const next = joining.find(possible);
  if (next !== undefined || missing.length > 0 || wanted.length < table.length) return next;
  if (!wanted.every(caughtUp)) return undefined;
  // A newcomer's first table names itself and whom it met: that it lacks an owner whom nobody
  // holds dead says that the table has holes, and not that the owner has gone.
  const mayGo = (node: NodeId): boolean => peers.holdsDead(node) || peers.isLeaving(node);
  const isLacking = (process: ProcessId): boolean =>
    table.length < replicas && !mayGo(nodeOf(process));
  const unwanted = present.filter(
    (process) => process !== self && !wanted.includes(process) && !isLacking(process),
  );
  return unwanted.map((gone) => present.filter((owner) => owner !== gone)).find(possible);
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
