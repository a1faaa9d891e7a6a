/**
 * Where calls go, as far as this node knows: the placement says who should own a partition, the
 * primaries say who leads it now. Both are hints, never authority: a wrong one costs a forward.
 * Clients get it as tables, whole at first and then only what changed.
 */
import type { BootId, NodeId, PartitionId } from "../../model/ids.ts";
import type { Placement } from "../../ring/placement.ts";
import type { CatalogueEntry, TableMessage } from "../../wire/messages.ts";

export interface RouteMember {
  readonly id: NodeId;
  readonly address: string;
  readonly boot: number;
}

interface Lead {
  readonly node: NodeId;
  readonly term: number;
}

/** As terms are ordered: two may have one number, and then that of the later process is the later one. */
function isNewer(news: Lead, known: Lead | undefined): boolean {
  if (known?.term !== news.term) return known === undefined || news.term > known.term;
  return `${news.node}#` > `${known.node}#`;
}

const noOwners: readonly NodeId[] = Object.freeze([]);

export class Routes {
  readonly #partitionCount: number;
  readonly #leads: (Lead | undefined)[];
  readonly #catalogue: readonly CatalogueEntry[];
  readonly #members: () => readonly RouteMember[];
  /** The last life of each node that was linked. */
  readonly #lives = new Map<NodeId, BootId>();
  /** Partitions whose owners changed since the last delta; everything when `#all`. */
  readonly #changed = new Set<PartitionId>();
  #all = false;
  /** The members as clients were last told of them. */
  #told = "";
  #placement: Placement | undefined;
  #version = 0;
  /** The whole table as it is now, once somebody wanted it. */
  #whole: TableMessage | undefined;

  constructor(options: {
    readonly partitionCount: number;
    readonly catalogue: readonly CatalogueEntry[];
    /** Everybody that a client may have to dial. */
    members(): readonly RouteMember[];
  }) {
    this.#partitionCount = options.partitionCount;
    this.#leads = new Array<Lead | undefined>(options.partitionCount).fill(undefined);
    this.#catalogue = options.catalogue;
    this.#members = () => options.members();
  }

  get placement(): Placement | undefined {
    return this.#placement;
  }

  /** Identity of the placement; 0 before the first. */
  get tableId(): number {
    return this.#placement?.tableId ?? 0;
  }

  setPlacement(placement: Placement): void {
    this.#placement = placement;
    this.#all = true;
    this.#whole = undefined;
  }

  /**
   * Members changed. Only who came, went, moved or was restarted matters to clients, who then need
   * the whole table; a suspicion does not. Returns whether they do.
   */
  membersChanged(): boolean {
    const told = this.#members()
      .map(({ id, address, boot }) => `${id} ${address} ${String(boot)}`)
      .sort()
      .join("\n");
    if (told === this.#told) return false;
    this.#told = told;
    this.#all = true;
    this.#whole = undefined;
    return true;
  }

  /** Takes news of a primary unless it is not newer than what is known. */
  learn(partition: PartitionId, node: NodeId, term: number): void {
    if (partition >= this.#partitionCount || !isNewer({ node, term }, this.#leads[partition]))
      return;
    this.#leads[partition] = { node, term };
    this.#changed.add(partition);
    this.#whole = undefined;
  }

  /**
   * A link to this life of the node is up, which tells next all that it leads. What an earlier life led
   * is news no more: whoever leads it now may have a lower term, where a majority was lost.
   */
  linked(node: NodeId, boot: BootId): void {
    const earlier = this.#lives.get(node);
    this.#lives.set(node, boot);
    if (earlier === undefined || earlier === boot) return;
    for (const [partition, lead] of this.#leads.entries()) {
      if (lead?.node !== node) continue;
      this.#leads[partition] = undefined;
      this.#changed.add(partition);
      this.#whole = undefined;
    }
  }

  /** The primary as far as this node knows, or "". */
  primaryOf(partition: PartitionId): NodeId {
    return this.#leads[partition]?.node ?? "";
  }

  /** In table order. */
  ownersOf(partition: PartitionId): readonly NodeId[] {
    return this.#placement?.ownersOf(partition) ?? noOwners;
  }

  /** The whole table, for a client that just came: the same object until something changes. */
  full(): TableMessage {
    this.#whole ??= this.#message(true, this.#allPartitions());
    return this.#whole;
  }

  /** What changed since the last call, for the clients that have the rest; undefined if nothing. */
  takeDelta(): TableMessage | undefined {
    const full = this.#all;
    const changed = full ? this.#allPartitions() : [...this.#changed];
    this.#all = false;
    this.#changed.clear();
    if (changed.length === 0) return undefined;
    this.#version += 1;
    this.#whole = undefined;
    return this.#message(full, changed);
  }

  #allPartitions(): number[] {
    return Array.from({ length: this.#partitionCount }, (_, partition) => partition);
  }

  #message(full: boolean, partitions: readonly PartitionId[]): TableMessage {
    const members = this.#members();
    const indexes = new Map(members.map((member, index) => [member.id, index]));
    const owners = partitions.map((partition) => {
      const known: number[] = [];
      const add = (node: NodeId): void => {
        const index = indexes.get(node);
        if (index !== undefined && !known.includes(index)) known.push(index);
      };
      add(this.primaryOf(partition));
      for (const owner of this.ownersOf(partition)) add(owner);
      return { partition, members: known };
    });
    return {
      type: "table",
      version: this.#version,
      tableId: this.tableId,
      partitionCount: this.#partitionCount,
      members,
      full,
      owners,
      ...(full ? { functions: this.#catalogue } : {}),
    };
  }
}
