/**
 * Which members should own which partition: a pure function of the placement set, so that nodes which
 * know the same members compute the same table without asking anybody.
 *
 * For every partition the ring gives candidates; the first `replicas` of them that pass two tests
 * become owners, the first one primary. The tests: no member gets more than its share of the load
 * (consistent hashing with bounded loads, Mirrokni, Thorup, Zadimoghaddam 2018), no zone more than
 * its share of a partition's replicas. When the candidates run out, the zone test is dropped; when
 * they run out again, the least loaded member is taken, so that there are always as many owners as
 * there can be. Partitions are placed in order, because the load so far decides.
 */
import { hash53 } from "../codec/hash53.ts";
import { assert } from "../model/assert.ts";
import type { NodeId, PartitionId } from "../model/ids.ts";
import { Candidates } from "./candidates.ts";
import { defaultPartitionCount } from "./partition.ts";

/** Changes with anything that could make two nodes compute different tables; part of HELLO. */
export const placementVersion = 1;

/** In `Placement.owners`: no member. */
export const noOwner = 0xffff;

const candidatesMax = 24;
const membersMax = noOwner;
const weightMin = 0.1;
const weightMax = 1000;

export interface PlacementMember {
  readonly id: NodeId;
  /** Share of the load relative to others: a multiple of 0.1, 0.1 … 1000. */
  readonly weight: number;
  /** "" when nothing is known; replicas are spread over different zones. */
  readonly zone: string;
}

export interface PlacementSettings {
  /**
   * Q, a power of two, fixed for the life of a cluster.
   * @default 1024
   */
  readonly partitionCount?: number;
  /**
   * R, 1 … 64.
   * @default 3
   */
  readonly replicas?: number;
  /**
   * How much more than its fair share a member may get: its cap is `ceil((1 + ε) · Q · w / Σw)`
   * primaries. A smaller one balances better and moves more when members come and go.
   * @default 0.25
   */
  readonly epsilon?: number;
}

export interface Placement {
  /** 53-bit identity of the table: equal inputs give equal ids. */
  readonly tableId: number;
  readonly partitionCount: number;
  readonly replicas: number;
  /** Sorted by id. */
  readonly members: readonly PlacementMember[];
  /**
   * Indexes into `members`, `replicas` of them per partition, the primary first; `noOwner` where
   * there are fewer members than replicas.
   */
  readonly owners: Uint16Array;
  /** The same array for every call with the same partition. */
  ownersOf(partition: PartitionId): readonly NodeId[];
}

/** A cache only: a member that comes back gives a table that was there, and to make one takes long. */
const lately = new Map<string, Placement>();
const keptMax = 16;

export function placementOf(
  members: readonly PlacementMember[],
  settings: PlacementSettings = {},
): Placement {
  const { partitionCount = defaultPartitionCount, replicas = 3, epsilon = 0.25 } = settings;
  const sorted = sortMembers(members);
  assert(replicas >= 1 && replicas <= 64, `${String(replicas)} replicas`);
  const settled = { partitionCount, replicas, epsilon };
  const inputs = inputsOf(sorted, settled);
  const placement = lately.get(inputs) ?? compute(sorted, settled, inputs);
  lately.delete(inputs);
  lately.set(inputs, placement);
  for (const oldest of lately.keys()) if (lately.size > keptMax) lately.delete(oldest);
  return placement;
}

/** All that the table depends on. */
function inputsOf(members: readonly PlacementMember[], settings: Settled): string {
  const { partitionCount, replicas, epsilon } = settings;
  const inputs = members.map(({ id, weight, zone }) => [id, Math.round(weight * 10), zone]);
  return JSON.stringify([placementVersion, partitionCount, replicas, epsilon, inputs]);
}

function compute(
  sorted: readonly PlacementMember[],
  settings: Settled,
  inputs: string,
): ComputedPlacement {
  const { partitionCount } = settings;
  const table = new Table(sorted, settings);
  const candidates = new Candidates(sorted, candidatesMax);
  const indexes = new Map(sorted.map(({ id }, index) => [id, index]));
  const choice: number[] = [];
  for (let partition = 0; partition < partitionCount; partition += 1) {
    choice.length = 0;
    for (const id of candidates.of(partition)) choice.push(indexes.get(id)!);
    table.place(partition, choice);
  }
  return new ComputedPlacement(sorted, table, settings, hash53(inputs));
}

/** By UTF-16 code units, which is the same everywhere; a locale's order is not. */
function sortMembers(members: readonly PlacementMember[]): readonly PlacementMember[] {
  assert(members.length < membersMax, `${String(members.length)} members are too many`);
  const sorted = members
    .map(({ id, weight, zone }) => ({ id, weight, zone }))
    .sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  for (const [index, { id, weight }] of sorted.entries()) {
    assert(weight >= weightMin && weight <= weightMax, `${id} has the weight ${String(weight)}`);
    assert(sorted[index + 1]?.id !== id, `${id} is in the placement set twice`);
  }
  return sorted;
}

type Settled = Required<PlacementSettings>;

/** The table while it is filled: who owns what so far, and how much. */
class Table {
  readonly owners: Uint16Array;
  readonly #members: readonly PlacementMember[];
  readonly #replicas: number;
  readonly #primaryCaps: Uint32Array;
  readonly #replicaCaps: Uint32Array;
  readonly #primaries: Uint32Array;
  readonly #held: Uint32Array;
  /** Zone of each member as a number, and how many replicas of one partition a zone may hold. */
  readonly #zones: Uint16Array;
  readonly #zoneCap: number;

  constructor(members: readonly PlacementMember[], settings: Settled) {
    const { partitionCount, replicas, epsilon } = settings;
    this.#members = members;
    this.#replicas = replicas;
    this.owners = new Uint16Array(partitionCount * replicas).fill(noOwner);
    this.#primaries = new Uint32Array(members.length);
    this.#held = new Uint32Array(members.length);
    // In tenths, because sums of 0.1 depend on their order.
    const tenths = members.map(({ weight }) => Math.round(weight * 10));
    const sum = tenths.reduce((total, weight) => total + weight, 0);
    this.#primaryCaps = Uint32Array.from(tenths, (weight) =>
      Math.ceil(((1 + epsilon) * partitionCount * weight) / sum),
    );
    this.#replicaCaps = this.#primaryCaps.map((cap) => cap * replicas);
    const zones = new Map<string, number>();
    for (const { zone } of members) if (!zones.has(zone)) zones.set(zone, zones.size);
    this.#zones = Uint16Array.from(members, ({ zone }) => zones.get(zone)!);
    this.#zoneCap = Math.ceil(replicas / Math.max(1, zones.size));
  }

  /** @param candidates member indexes in the order of the ring */
  place(partition: PartitionId, candidates: readonly number[]): void {
    const start = partition * this.#replicas;
    const count = Math.min(this.#replicas, this.#members.length);
    for (let slot = 0; slot < count; slot += 1) {
      const member =
        this.#firstFitting(start, slot, candidates, true) ??
        this.#firstFitting(start, slot, candidates, false) ??
        this.#leastLoaded(start, slot);
      this.owners[start + slot] = member;
      this.#held[member]! += 1;
      if (slot === 0) this.#primaries[member]! += 1;
    }
  }

  #firstFitting(
    start: number,
    slot: number,
    candidates: readonly number[],
    minZones: boolean,
  ): number | undefined {
    for (const member of candidates) {
      if (this.#owns(start, slot, member) || !this.#hasRoom(member, slot)) continue;
      if (!minZones || this.#zoneCount(start, slot, member) < this.#zoneCap) return member;
    }
    return undefined;
  }

  #hasRoom(member: number, slot: number): boolean {
    if (slot === 0 && this.#primaries[member]! >= this.#primaryCaps[member]!) return false;
    return this.#held[member]! < this.#replicaCaps[member]!;
  }

  #owns(start: number, slot: number, member: number): boolean {
    for (let at = start; at < start + slot; at += 1) if (this.owners[at] === member) return true;
    return false;
  }

  /** Owners so far in the zone of `member`. */
  #zoneCount(start: number, slot: number, member: number): number {
    let count = 0;
    for (let at = start; at < start + slot; at += 1) {
      if (this.#zones[this.owners[at]!] === this.#zones[member]) count += 1;
    }
    return count;
  }

  /** The member that uses the least of its cap and does not own the partition yet; ties by id. */
  #leastLoaded(start: number, slot: number): number {
    const loads = slot === 0 ? this.#primaries : this.#held;
    const caps = slot === 0 ? this.#primaryCaps : this.#replicaCaps;
    let least = -1;
    for (let member = 0; member < this.#members.length; member += 1) {
      if (this.#owns(start, slot, member)) continue;
      if (least < 0 || loads[member]! * caps[least]! < loads[least]! * caps[member]!)
        least = member;
    }
    return least;
  }
}

class ComputedPlacement implements Placement {
  readonly tableId: number;
  readonly partitionCount: number;
  readonly replicas: number;
  readonly members: readonly PlacementMember[];
  readonly owners: Uint16Array;
  readonly #lists: (readonly NodeId[] | undefined)[];

  constructor(
    members: readonly PlacementMember[],
    table: Table,
    { partitionCount, replicas }: Settled,
    tableId: number,
  ) {
    this.tableId = tableId;
    this.members = members;
    this.owners = table.owners;
    this.partitionCount = partitionCount;
    this.replicas = replicas;
    this.#lists = new Array<undefined>(partitionCount).fill(undefined);
  }

  ownersOf(partition: PartitionId): readonly NodeId[] {
    const known = this.#lists[partition];
    if (known !== undefined) return known;
    assert(partition >= 0 && partition < this.partitionCount, `no partition ${String(partition)}`);
    const list: NodeId[] = [];
    const start = partition * this.replicas;
    for (let at = start; at < start + this.replicas; at += 1) {
      const member = this.members[this.owners[at]!];
      if (member !== undefined) list.push(member.id);
    }
    this.#lists[partition] = list;
    return list;
  }
}
