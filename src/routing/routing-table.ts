/**
 * Who owns which partition, as the nodes tell it: nobody but nodes computes a table. Members live
 * in numbered slots and the owners of all partitions in one flat array of slots, the actual primary
 * first, so that a route is one array access.
 *
 * ```
 * owners   p0: [ 2 0 1 – – – – – ]  p1: [ 0 1 2 – – – – – ] …      maxOwnersKept per partition
 * slots    0: node-a  1: node-b  2: node-c
 * ```
 *
 * A caller may hear tables from several nodes. The newest news wins per partition: every entry is
 * complete in itself, and a wrong one costs a forward, never a wrong answer.
 */
import { LatticeError } from "../model/error.ts";
import type { NodeId, PartitionId } from "../model/ids.ts";
import type { CatalogueEntry, TableMessage } from "../wire/messages.ts";

/** Owners remembered per partition; more than any sensible `replicas` plus the one being added. */
export const maxOwnersKept = 8;
/** Slots a table can hold; an index must fit a signed 16-bit integer. */
export const maxTableMembers = 8_192;
/** Bounds the memory that a table message can make its receiver allocate. */
export const maxPartitionCount = 65_536;

/** A member as routing sees it. */
export interface TableMember {
  readonly id: NodeId;
  readonly address: string;
  readonly boot: number;
}

/** What `apply` found different from before. */
export interface TableChange {
  /** A member came, went, moved to another address or restarted. */
  readonly members: boolean;
  /** Some partition has another primary. */
  readonly primaries: boolean;
}

export class RoutingTable {
  #tableId = 0;
  #partitionCount = 0;
  #owners = new Int16Array(0);
  #members: (TableMember | undefined)[] = [];
  readonly #slots = new Map<NodeId, number>();
  #functions = new Map<string, CatalogueEntry>();

  /** Identity of the placement last heard of; 0 before the first table. */
  get tableId(): number {
    return this.#tableId;
  }

  /** 0 before the first table, then a power of two that never changes. */
  get partitionCount(): number {
    return this.#partitionCount;
  }

  /** Slots in use are below it. */
  get slotCount(): number {
    return this.#members.length;
  }

  /** The functions that the cluster serves, by name. */
  get functions(): ReadonlyMap<string, CatalogueEntry> {
    return this.#functions;
  }

  /** The slot of the owner of `rank` (0 = primary), or -1 when there is none. */
  ownerSlot(partition: PartitionId, rank: number): number {
    if (rank >= maxOwnersKept) return -1;
    return this.#owners[partition * maxOwnersKept + rank] ?? -1;
  }

  member(slot: number): TableMember | undefined {
    return this.#members[slot];
  }

  /** The slot of a member, or -1. Slots stay the same until `apply` reports changed members. */
  slotOf(id: NodeId): number {
    return this.#slots.get(id) ?? -1;
  }

  members(): readonly TableMember[] {
    return this.#members.filter((member) => member !== undefined);
  }

  /**
   * Takes a full table or the entries that changed. Throws `incompatible` when the message
   * contradicts what the cluster has fixed for its life, or is out of all bounds.
   */
  apply(message: TableMessage): TableChange {
    this.#check(message);
    if (message.partitionCount !== this.#partitionCount) {
      this.#partitionCount = message.partitionCount;
      this.#owners = new Int16Array(message.partitionCount * maxOwnersKept).fill(-1);
    }
    this.#tableId = message.tableId;
    const before = message.full ? this.#primaries() : undefined;
    let membersChanged = message.full && this.#forget(message.members);
    for (const member of message.members)
      membersChanged = this.#learnMember(member) || membersChanged;
    if (message.full) this.#owners.fill(-1);
    let primariesChanged = false;
    for (const { partition, members } of message.owners) {
      const previous = this.ownerSlot(partition, 0);
      this.#setOwners(message, partition, members);
      if (this.ownerSlot(partition, 0) !== previous) primariesChanged = true;
    }
    if (before !== undefined) {
      // Slots may stand for other members than before, so changed members count as well.
      primariesChanged =
        membersChanged || before.some((slot, partition) => slot !== this.ownerSlot(partition, 0));
    }
    if (message.functions !== undefined) {
      this.#functions = new Map(message.functions.map((entry) => [entry.name, entry]));
    }
    return { members: membersChanged, primaries: primariesChanged };
  }

  /**
   * Puts a node named by `not_owner` first among the owners of a partition. Returns whether the
   * node is a known member; an unknown one is left to the next table.
   */
  learnPrimary(partition: PartitionId, id: NodeId): boolean {
    const slot = this.slotOf(id);
    if (slot < 0 || partition >= this.#partitionCount) return false;
    const start = partition * maxOwnersKept;
    let rank = 0;
    while (rank < maxOwnersKept - 1 && this.#owners[start + rank] !== slot) rank++;
    this.#owners.copyWithin(start + 1, start, start + rank);
    this.#owners[start] = slot;
    return true;
  }

  #check(message: TableMessage): void {
    const count = message.partitionCount;
    if (count < 1 || count > maxPartitionCount || (count & (count - 1)) !== 0) {
      throw new LatticeError(
        "incompatible",
        `a routing table came with ${String(count)} partitions; a power of two up to ` +
          `${String(maxPartitionCount)} is possible: run one version of latticework everywhere`,
      );
    }
    if (this.#partitionCount !== 0 && count !== this.#partitionCount) {
      throw new LatticeError(
        "incompatible",
        `a routing table came with ${String(count)} partitions, this cluster has ` +
          `${String(this.#partitionCount)}: the join addresses lead to different clusters`,
      );
    }
    if (message.members.length > maxTableMembers) {
      throw new LatticeError(
        "incompatible",
        `a routing table names ${String(message.members.length)} members, ` +
          `at most ${String(maxTableMembers)} are possible`,
      );
    }
  }

  #primaries(): Int16Array {
    const primaries = new Int16Array(this.#partitionCount);
    for (let p = 0; p < primaries.length; p++) primaries[p] = this.ownerSlot(p, 0);
    return primaries;
  }

  /** Frees the slots of members that a full table no longer names. */
  #forget(keep: readonly TableMember[]): boolean {
    const kept = new Set(keep.map((member) => member.id));
    let changed = false;
    for (const [id, slot] of this.#slots) {
      if (kept.has(id)) continue;
      this.#slots.delete(id);
      this.#members[slot] = undefined;
      changed = true;
    }
    return changed;
  }

  #learnMember(member: TableMember): boolean {
    const known = this.#slots.get(member.id);
    if (known !== undefined) {
      const old = this.#members[known];
      if (old?.address === member.address && old.boot === member.boot) return false;
      this.#members[known] = {
        id: member.id,
        address: member.address,
        boot: member.boot,
      };
      return true;
    }
    const free = this.#members.indexOf(undefined);
    const slot = free < 0 ? this.#members.length : free;
    // Deltas alone could add members for ever; a sender prunes them with its next full table.
    if (slot >= maxTableMembers) return false;
    this.#members[slot] = {
      id: member.id,
      address: member.address,
      boot: member.boot,
    };
    this.#slots.set(member.id, slot);
    return true;
  }

  #setOwners(message: TableMessage, partition: PartitionId, members: readonly number[]): void {
    if (partition >= this.#partitionCount) return;
    const start = partition * maxOwnersKept;
    this.#owners.fill(-1, start, start + maxOwnersKept);
    let rank = 0;
    for (const index of members) {
      const member = message.members[index];
      const slot = member === undefined ? -1 : this.slotOf(member.id);
      if (slot < 0 || rank === maxOwnersKept) continue;
      this.#owners[start + rank++] = slot;
    }
  }
}
