/**
 * Which owner to ask. The caller keeps one small number per slot of its table, so that the choice
 * for a healthy cluster is two array reads.
 */
import type { PartitionId } from "../model/ids.ts";
import { randomBelow, type Random } from "../model/random.ts";
import { maxOwnersKept, type RoutingTable } from "./routing-table.ts";

/** How a caller stands with a node; index into an array by slot of the routing table. */
export const standings = {
  /** No link yet, and no reason to think that it cannot be had. */
  unknown: 0,
  linked: 1,
  /** Slow, leaving or long in dialling: asked only when no other owner can be. */
  demoted: 2,
  /** Dialling failed; waiting for the back-off. */
  down: 3,
} as const;

/** Slots asked since the last back-off of a call; shared by all calls that were never retried. */
export const noneTried: readonly number[] = Object.freeze([]);

/** The slot of an owner by chance, among the healthy ones; -1 when none is. */
export function chooseReader(
  table: RoutingTable,
  partition: PartitionId,
  standing: Uint8Array,
  random: Random,
): number {
  let count = 0;
  let chosen = -1;
  for (let rank = 0; rank < maxOwnersKept; rank++) {
    const slot = table.ownerSlot(partition, rank);
    if (slot < 0) break;
    const state = standing[slot] ?? standings.unknown;
    if (state !== standings.unknown && state !== standings.linked) continue;
    count += 1;
    if (randomBelow(random, count) === 0) chosen = slot;
  }
  return chosen;
}

/**
 * The slot of the best owner that was not tried yet: healthy ones in table order, then demoted ones.
 * -1 when none is left: any linked node may then forward the call, or the caller waits.
 */
export function chooseTarget(
  table: RoutingTable,
  partition: PartitionId,
  standing: Uint8Array,
  tried: readonly number[],
): number {
  const primary = table.ownerSlot(partition, 0);
  if (primary >= 0 && standing[primary] === standings.linked && tried.length === 0) return primary;
  let demoted = -1;
  for (let rank = 0; rank < maxOwnersKept; rank++) {
    const slot = table.ownerSlot(partition, rank);
    if (slot < 0) break;
    if (tried.includes(slot)) continue;
    const state = standing[slot] ?? standings.unknown;
    if (state === standings.unknown || state === standings.linked) return slot;
    if (state === standings.demoted && demoted < 0) demoted = slot;
  }
  return demoted;
}
