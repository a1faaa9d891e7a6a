/**
 * The member table: one record for every node ever heard of, this one included, until it has been
 * dead or left for a day. It stores and counts; what a record may become is `statements.ts`.
 */
import { assert } from "../model/assert.ts";
import type { NodeId } from "../model/ids.ts";
import type { Random } from "../model/random.ts";
import { digestPart } from "./digest.ts";
import type { Member } from "./member.ts";
import { isLive } from "./member.ts";
import type { MembershipSettings } from "./settings.ts";
import { ShuffledCycle } from "./shuffled-cycle.ts";

export class Roster {
  readonly #settings: MembershipSettings;
  readonly #selfId: NodeId;
  readonly #members = new Map<NodeId, Member>();
  /** Dead and left members, the longest so first. */
  readonly #records = new Set<NodeId>();
  readonly #heardAt = new Map<NodeId, number>();
  /** All three hold the living but this node; they are walked at their own pace. */
  readonly probeOrder: ShuffledCycle;
  /** For push/pull and for helpers of probes. */
  readonly partnerOrder: ShuffledCycle;
  /** Always the same order, so that n − 1 tellings in a row reach n − 1 members. */
  readonly gossipOrder: ShuffledCycle;
  #liveCount = 0;
  #version = 0;
  #digest = 0;

  constructor(self: Member, settings: MembershipSettings, random: Random) {
    this.#settings = settings;
    this.#selfId = self.id;
    this.probeOrder = new ShuffledCycle(random);
    this.partnerOrder = new ShuffledCycle(random);
    this.gossipOrder = new ShuffledCycle(random, { reshuffled: false });
    this.put(self);
  }

  get members(): ReadonlyMap<NodeId, Member> {
    return this.#members;
  }

  get self(): Member {
    const self = this.#members.get(this.#selfId);
    assert(self !== undefined, "a node is in its own member table");
    return self;
  }

  get hasLeft(): boolean {
    return this.self.status === "left";
  }

  /** Alive and suspect members, this node included: the n of every formula. */
  get liveCount(): number {
    return this.#liveCount;
  }

  get isFull(): boolean {
    return this.#members.size >= this.#settings.memberCountMax;
  }

  /** Rises with every change of a record. */
  get version(): number {
    return this.#version;
  }

  /** All that the table says of living members, as one unsigned 32-bit number (`digest.ts`). */
  get digest(): number {
    return this.#digest;
  }

  /** The record, if the member is alive or suspect. */
  live(node: NodeId): Member | undefined {
    const member = this.#members.get(node);
    return member !== undefined && isLive(member) ? member : undefined;
  }

  put(member: Member): void {
    const { id } = member;
    const previous = this.#members.get(id);
    const wasLive = previous !== undefined && isLive(previous);
    this.#members.set(id, member);
    this.#version++;
    const removed = previous === undefined ? 0 : digestPart(previous);
    this.#digest = (this.#digest - removed + digestPart(member)) >>> 0;
    if (isLive(member)) {
      this.#records.delete(id);
      if (!wasLive) this.#enter(id);
      return;
    }
    if (wasLive) this.#exit(id);
    if (previous?.status !== member.status) this.#records.delete(id);
    this.#records.add(id);
    if (this.#records.size > this.#settings.recordCountMax) this.#forgetOldest();
  }

  /** Any frame of the member has arrived. Constant time: called for every frame. */
  hear(node: NodeId, now: number): void {
    if (this.#members.has(node)) this.#heardAt.set(node, now);
  }

  /** When a frame last arrived; −Infinity for never. */
  heardAt(node: NodeId): number {
    return this.#heardAt.get(node) ?? -Infinity;
  }

  /** Forgets those dead or left for too long. */
  expire(now: number): void {
    for (const node of this.#records) {
      const member = this.#members.get(node);
      if (member === undefined || now - member.statusAt < this.#settings.recordLifeMs) return;
      this.#forget(node);
    }
  }

  #enter(node: NodeId): void {
    this.#liveCount++;
    if (node === this.#selfId) return;
    this.probeOrder.add(node);
    this.partnerOrder.add(node);
    this.gossipOrder.add(node);
  }

  #exit(node: NodeId): void {
    this.#liveCount--;
    this.probeOrder.remove(node);
    this.partnerOrder.remove(node);
    this.gossipOrder.remove(node);
  }

  #forgetOldest(): void {
    for (const node of this.#records) {
      if (node === this.#selfId) continue;
      this.#forget(node);
      return;
    }
  }

  #forget(node: NodeId): void {
    if (node === this.#selfId) return;
    this.#records.delete(node);
    this.#members.delete(node);
    this.#heardAt.delete(node);
    this.#version++;
  }
}
