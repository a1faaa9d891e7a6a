/**
 * All links of a client: the join addresses it was given and the members that the tables name. Keeps
 * one link open while the client lives; opens others when a call needs them. Says for every slot of
 * the routing table how this client stands with that node.
 */
import type { PartitionId } from "../model/ids.ts";
import { randomBelow, type Random } from "../model/random.ts";
import type { Platform } from "../platform/platform.ts";
import type { RoutingTable } from "../routing/routing-table.ts";
import { chooseReader, chooseTarget, standings } from "../routing/target.ts";
import type { Transport } from "../transport/transport.ts";
import type { Message, WelcomeMessage } from "../wire/messages.ts";
import { NodeLink, type LinkEnd, type LinkOwner } from "./node-link.ts";

/** Links of one client; calls to nodes beyond it are forwarded by one of these. */
const maxLinks = 128;
/** Links whose problem an error message tells. */
const maxProblemsTold = 4;

export interface NodeLinksOptions {
  readonly platform: Platform;
  readonly transport: Transport;
  readonly table: RoutingTable;
  readonly nodes: readonly string[];
  readonly cluster: string;
  readonly direct: boolean;
  readonly events: NodeLinksEvents;
}

export interface NodeLinksEvents {
  /** Throws to refuse the node. */
  welcomed(link: NodeLink, welcome: WelcomeMessage): void;
  message(link: NodeLink, message: Message): void;
  /** Calls that wait for a node, or for a better one, may find it now. */
  routesChanged(): void;
  drained(link: NodeLink): void;
  ended(link: NodeLink, end: LinkEnd): void;
}

export class NodeLinks implements LinkOwner {
  readonly platform: Platform;
  readonly transport: Transport;
  readonly cluster: string;
  readonly #options: NodeLinksOptions;
  readonly #byAddress = new Map<string, NodeLink>();
  #bySlot: (NodeLink | undefined)[] = [];
  #standing = new Uint8Array(0);
  #boots: ReadonlyMap<string, number> = new Map();
  /** Rises with every call that any node runs. */
  #turn = 0;
  #isClosed = false;
  #whenClosed: (() => void) | undefined;

  constructor(options: NodeLinksOptions) {
    this.#options = options;
    this.platform = options.platform;
    this.transport = options.transport;
    this.cluster = options.cluster;
    for (const address of options.nodes) {
      this.#byAddress.set(address, new NodeLink(this, address));
    }
  }

  get all(): Iterable<NodeLink> {
    return this.#byAddress.values();
  }

  /** Some node can be called now. */
  get isConnected(): boolean {
    return this.anyReady([]) !== undefined;
  }

  start(): void {
    this.#keepOneOpen();
  }

  /**
   * The link by which to call a partition, dialled if need be: to its best owner not tried yet, else
   * to any node, which forwards. `undefined` when no node can be reached now.
   */
  route(partition: PartitionId, tried: readonly number[]): NodeLink | undefined {
    if (!this.#options.direct) return this.anyReady(tried) ?? this.anyReady([]);
    const slot = chooseTarget(this.#options.table, partition, this.#standing, tried);
    const link = slot < 0 ? undefined : this.#linkAt(slot);
    if (link === undefined) return this.anyReady(tried) ?? this.anyReady([]);
    if (link.isIdle) link.dial();
    return link;
  }

  /** The link to an owner by chance, dialled if need be; `undefined` when none is healthy. */
  routeToAny(partition: PartitionId, random: Random): NodeLink | undefined {
    if (!this.#options.direct) return undefined;
    const slot = chooseReader(this.#options.table, partition, this.#standing, random);
    const link = slot < 0 ? undefined : this.#linkAt(slot);
    if (link?.isIdle === true) link.dial();
    return link;
  }

  /** Whether `route` would find an owner that was not tried yet and is not known to be away. */
  hasOther(partition: PartitionId, tried: readonly number[]): boolean {
    if (!this.#options.direct) return this.anyReady(tried) !== undefined;
    return chooseTarget(this.#options.table, partition, this.#standing, tried) >= 0;
  }

  slotOf(link: NodeLink): number {
    return link.node === "" ? -1 : this.#options.table.slotOf(link.node);
  }

  /** The link leads to the first owner of the table, as far as this client can tell. */
  isPrimary(partition: PartitionId, link: NodeLink): boolean {
    const slot = this.#options.table.ownerSlot(partition, 0);
    return slot >= 0 && this.#options.table.member(slot)?.id === link.node;
  }

  anyReady(tried: readonly number[]): NodeLink | undefined {
    let leaving: NodeLink | undefined;
    for (const link of this.#byAddress.values()) {
      if (!link.isReady || (tried.length > 0 && tried.includes(this.slotOf(link)))) continue;
      if (link.standing === standings.linked) return link;
      leaving = link;
    }
    return leaving;
  }

  /** A link for a call that any node runs: each time another one, of those that are open already. */
  nextReady(tried: readonly number[]): NodeLink | undefined {
    const isUsable = (link: NodeLink): boolean =>
      link.isReady && link.standing === standings.linked && !tried.includes(this.slotOf(link));
    let count = 0;
    for (const link of this.#byAddress.values()) if (isUsable(link)) count += 1;
    if (count === 0) return this.anyReady(tried) ?? this.anyReady([]);
    let skipped = this.#turn++ % count;
    for (const link of this.#byAddress.values()) {
      if (isUsable(link) && skipped-- === 0) return link;
    }
    return undefined;
  }

  /** Why no node can be reached, for messages. */
  problem(): string {
    const problems: string[] = [];
    for (const { address, problem } of this.#byAddress.values()) {
      if (problem !== "") problems.push(`${address}: ${problem}`);
    }
    return problems.slice(0, maxProblemsTold).join("; ");
  }

  /** The table has other members, or some of them moved or were restarted. */
  membersChanged(): void {
    const { table, nodes, direct } = this.#options;
    const wanted = new Set(nodes);
    for (const { address, boot } of table.members()) {
      wanted.add(address);
      const link = this.#byAddress.get(address);
      // A newer life of the node: what its last life did to its links says nothing of this one.
      if (link !== undefined && (this.#boots.get(address) ?? boot) < boot) link.forgive();
      if (link === undefined && direct && this.#byAddress.size < maxLinks) {
        this.#byAddress.set(address, new NodeLink(this, address));
      }
    }
    this.#boots = new Map(table.members().map(({ address, boot }) => [address, boot]));
    for (const link of [...this.#byAddress.values()]) {
      if (wanted.has(link.address) || link.isOpenOrOpening) continue;
      this.#byAddress.delete(link.address);
      link.close();
    }
    this.#remap();
  }

  /** Ends all links; resolves through `done` when their connections are gone. */
  close(reason: "closed" | "done", done: () => void): void {
    this.#isClosed = true;
    for (const link of this.#byAddress.values()) link.close(reason);
    this.#whenClosed = done;
    this.#settleClose();
  }

  terminate(): void {
    for (const link of this.#byAddress.values()) link.terminate();
  }

  welcomed(link: NodeLink, welcome: WelcomeMessage): void {
    this.#options.events.welcomed(link, welcome);
  }

  message(link: NodeLink, message: Message): void {
    this.#options.events.message(link, message);
  }

  drained(link: NodeLink): void {
    this.#options.events.drained(link);
  }

  changed(link: NodeLink): void {
    if (this.#isClosed) return;
    if (link.isReady && !this.#options.direct) this.#abandonOthers();
    this.#remap();
    this.#keepOneOpen();
    this.#options.events.routesChanged();
  }

  ended(link: NodeLink, end: LinkEnd): void {
    if (this.#isClosed) {
      this.#settleClose();
      return;
    }
    this.#remap();
    this.#options.events.ended(link, end);
    this.#keepOneOpen();
    this.#options.events.routesChanged();
  }

  /** The first attempt after a lost link goes at once to another known node. */
  #keepOneOpen(): void {
    if (this.#isClosed) return;
    const idle: NodeLink[] = [];
    let lateCount = 0;
    for (const link of this.#byAddress.values()) {
      if (link.isPromising || (link.isReady && link.standing === standings.linked)) return;
      if (link.isIdle) idle.push(link);
      if (link.isLate) lateCount += 1;
    }
    idle[randomBelow(this.platform.random, idle.length)]?.dial(lateCount);
  }

  /** One link is enough: a late one would stay, and be one more connection for its node for good. */
  #abandonOthers(): void {
    for (const link of this.#byAddress.values()) link.abandon();
  }

  #linkAt(slot: number): NodeLink | undefined {
    return this.#bySlot[slot];
  }

  #remap(): void {
    const { table, direct } = this.#options;
    const count = table.slotCount;
    if (this.#standing.length !== count) this.#standing = new Uint8Array(count);
    this.#bySlot = new Array<NodeLink | undefined>(count).fill(undefined);
    // A join address may be another name of a member: what is open counts first.
    for (const link of this.#byAddress.values()) {
      const slot = this.slotOf(link);
      if (slot >= 0 && link.isReady) this.#bySlot[slot] = link;
    }
    for (let slot = 0; slot < count; slot++) {
      const member = table.member(slot);
      if (member === undefined) continue;
      if (direct) this.#bySlot[slot] ??= this.#byAddress.get(member.address);
      this.#standing[slot] = this.#bySlot[slot]?.standing ?? standings.down;
    }
  }

  #settleClose(): void {
    for (const link of this.#byAddress.values()) if (link.isClosing) return;
    this.#whenClosed?.();
    this.#whenClosed = undefined;
  }
}
