/**
 * Membership cores over a virtual network and clock: delays, loss, black holes, splits, crashes,
 * stalls. Every run is a function of its seed. Only this room is in it; whole nodes are simulated
 * elsewhere.
 */
import type { Member, MemberIdentity } from "../../../src/membership/member.ts";
import { statementOf } from "../../../src/membership/member.ts";
import type { MembershipSettings } from "../../../src/membership/settings.ts";
import type { Random } from "../../../src/model/random.ts";
import type { MemberStatus, MembershipMessage } from "../../../src/wire/membership-messages.ts";
import { EventHeap } from "./event-heap.ts";
import { seededRandom } from "./seeded-random.ts";
import type { DialOutcome, VirtualWorld } from "./virtual-node.ts";
import { VirtualNode } from "./virtual-node.ts";

export interface Observation {
  readonly at: number;
  readonly observer: string;
  readonly subject: string;
  readonly status: MemberStatus;
  readonly previous: MemberStatus | undefined;
}

/** A dial or a link without any answer is given up after this long. */
const dialTimeoutMs = 3000;
const stuckMs = 10_000;

export interface ClusterOptions {
  readonly seed: number;
  readonly lossRate?: number;
  readonly settings?: Partial<MembershipSettings>;
  /** Copies of every partition. @default 3 */
  readonly replicas?: number;
  /** Above 100 members links are few (`sparse-links.ts`). @default false: a full mesh */
  readonly isSparse?: boolean;
}

export class VirtualCluster implements VirtualWorld {
  readonly random: Random;
  readonly settings: Partial<MembershipSettings>;
  readonly replicas: number;
  readonly isSparse: boolean;
  /** The newest life at each address. */
  readonly nodes = new Map<string, VirtualNode>();
  /** No two lives have the same boot. */
  readonly #byBoot = new Map<number, VirtualNode>();
  readonly observations: Observation[] = [];
  readonly refusals: string[] = [];
  readonly #events = new EventHeap();
  readonly #lossRate: number;
  readonly #unplugged = new Set<string>();
  #sideOf: ((id: string) => number) | undefined;
  #now = 0;
  #bootCount = 0;

  constructor({
    seed,
    lossRate = 0,
    settings = {},
    replicas = 3,
    isSparse = false,
  }: ClusterOptions) {
    this.random = seededRandom(seed);
    this.replicas = replicas;
    this.#lossRate = lossRate;
    this.settings = settings;
    this.isSparse = isSparse;
  }

  get now(): number {
    return this.#now;
  }

  get running(): readonly VirtualNode[] {
    return [...this.nodes.values()].filter((node) => !node.crashed);
  }

  /** Starts a node, or another life of one. */
  start(id: string, join: readonly string[] = [], address = `ws://${id}`): VirtualNode {
    const boot = ++this.#bootCount * 1024;
    const identity: MemberIdentity = { id, boot, address, zone: "", weight: 1 };
    const node = new VirtualNode(this, identity, join);
    this.nodes.set(address.slice("ws://".length), node);
    this.#byBoot.set(boot, node);
    return node;
  }

  /** Starts `count` nodes that join through the first, and runs until they know each other. */
  startMany(count: number): readonly VirtualNode[] {
    const started: VirtualNode[] = [];
    for (let index = 0; index < count; index++) {
      const id = `node-${String(index).padStart(3, "0")}`;
      started.push(this.start(id, index === 0 ? [] : ["ws://node-000"]));
      this.run(50);
    }
    this.run(5000 + this.random() * 1000);
    return started;
  }

  /** Starts `count` nodes that know each other from the first, which at 1,000 spares their joining. */
  startAcquainted(count: number): readonly VirtualNode[] {
    const ids = Array.from(
      { length: count },
      (_, index) => `node-${String(index).padStart(4, "0")}`,
    );
    const started = ids.map((id) => this.start(id));
    const rows = started.map(({ core }) => statementOf(core.self, core.self.id));
    for (const [index, node] of started.entries()) {
      const from = ids[index === 0 ? 1 : 0]!;
      node.deliver(from, { type: "state", members: rows, reply: false });
    }
    // Until everybody has told everybody and links stand.
    this.run(12_000 + this.random() * 1000);
    return started;
  }

  after(delayMs: number, run: () => void): void {
    this.#events.add(this.#now + Math.max(0, delayMs), run);
  }

  run(durationMs: number): void {
    const end = this.#now + durationMs;
    while (this.#events.nextAt <= end) this.#step();
    this.#now = end;
  }

  /** Milliseconds until `holds`; fails after `limitMs`. */
  runUntil(holds: () => boolean, limitMs: number): number {
    const start = this.#now;
    while (!holds()) {
      if (this.#now - start > limitMs || this.#events.nextAt === Infinity) return Infinity;
      this.#step();
    }
    return this.#now - start;
  }

  /** Milliseconds until all who run hold the subject so; Infinity when they do not within the limit. */
  runUntilKnown(subject: string, status: MemberStatus, limitMs: number): number {
    const start = this.#now;
    let seen = -1;
    for (;;) {
      // Looked at after news only: at 1,000 nodes a look costs more than all that happens between.
      if (seen !== this.observations.length && this.everybodyHolds(subject, status)) {
        return this.#now - start;
      }
      seen = this.observations.length;
      if (this.#now - start > limitMs || this.#events.nextAt === Infinity) return Infinity;
      this.#step();
    }
  }

  /** The process ends; its sockets are reset. */
  crash(node: VirtualNode): void {
    node.crashed = true;
    for (const peer of this.running) {
      const boot = peer.links.get(node.id);
      if (boot !== node.identity.boot || !this.#reaches(node.id, peer.id)) continue;
      this.after(this.#delayMs(), () => peer.whenAwake(() => peer.linkClosed(node.id, boot)));
    }
  }

  /** The process ends after it said goodbye on every link. */
  sayGoodbye(node: VirtualNode): void {
    node.crashed = true;
    for (const peer of this.running) {
      const boot = peer.links.get(node.id);
      if (boot !== node.identity.boot) continue;
      peer.links.delete(node.id);
      peer.whenAwake(() => peer.perform(peer.core.linkLost(node.id, boot, "goodbye", this.#now)));
    }
  }

  /** The host is lost: nothing arrives and nothing is refused. */
  unplug(node: VirtualNode): void {
    node.crashed = true;
    this.#unplugged.add(node.id);
  }

  split(sideOf: (id: string) => number): void {
    this.#sideOf = sideOf;
    this.after(stuckMs, () => this.#closeStuckLinks());
  }

  heal(): void {
    this.#sideOf = undefined;
  }

  transmit(from: VirtualNode, to: string, message: MembershipMessage): void {
    if (from.crashed || this.random() < this.#lossRate) return;
    const boot = from.links.get(to);
    this.after(this.#delayMs(), () => {
      const target = this.#holderOf(to, boot);
      if (target === undefined || !this.#reaches(from.id, to)) return;
      target.deliver(from.id, message);
    });
  }

  dial(
    from: VirtualNode,
    address: string,
    done: (outcome: DialOutcome) => void = () => undefined,
  ): void {
    const target = this.nodes.get(address.slice("ws://".length));
    const answer = (delayMs: number, outcome: DialOutcome): void =>
      this.after(delayMs, () => from.whenAwake(() => done(outcome)));
    if (target === undefined || target === from) {
      answer(this.#delayMs(), "refused");
    } else if (!this.#reaches(from.id, target.id)) {
      answer(dialTimeoutMs, "unreachable");
    } else if (target.crashed) {
      answer(this.#delayMs(), "refused");
    } else {
      this.after(this.#delayMs(), () => target.whenAwake(() => this.#greet(from, target, done)));
    }
  }

  closeIdle(from: VirtualNode, to: string): void {
    const target = this.#holderOf(to, from.links.get(to));
    if (from.crashed || target === undefined || from.keeps(to) || target.keeps(from.id)) return;
    from.whenAwake(() => from.linkEnded(to));
    this.after(this.#delayMs(), () => target.whenAwake(() => target.linkEnded(from.id)));
  }

  observe(observer: VirtualNode, member: Member, previous: Member | undefined): void {
    this.observations.push({
      at: this.#now,
      observer: observer.id,
      subject: member.id,
      status: member.status,
      previous: previous?.status,
    });
  }

  get placementChanges(): number {
    return this.running.reduce((sum, node) => sum + node.placementChanges, 0);
  }

  /** Who was declared dead by whom. */
  get deaths(): readonly Observation[] {
    return this.observations.filter(({ status }) => status === "dead");
  }

  /** Whether every running node holds the same set of live members with the same status. */
  viewsAgree(): boolean {
    const views = this.running.map(({ core }) =>
      [...core.members.values()]
        .filter(({ status }) => status === "alive" || status === "suspect")
        .map(({ id, boot, refutations, status, restarts, resting }) =>
          [id, boot, refutations, status, restarts, resting].join(" "),
        )
        .sort()
        .join("\n"),
    );
    return views.every((view) => view === views[0]);
  }

  everybodyHolds(subject: string, ...statuses: readonly MemberStatus[]): boolean {
    return this.running.every(({ id, core }) => {
      const status = core.members.get(subject)?.status;
      return id === subject || (status !== undefined && statuses.includes(status));
    });
  }

  #step(): void {
    const event = this.#events.take();
    if (event === undefined) return;
    this.#now = Math.max(this.#now, event.at);
    event.run();
  }

  #delayMs(): number {
    return 0.5 + 1.5 * this.random();
  }

  #reaches(a: string, b: string): boolean {
    if (this.#unplugged.has(a) || this.#unplugged.has(b)) return false;
    return this.#sideOf === undefined || this.#sideOf(a) === this.#sideOf(b);
  }

  #holderOf(id: string, boot: number | undefined): VirtualNode | undefined {
    const node = boot === undefined ? undefined : this.#byBoot.get(boot);
    return node?.id === id && !node.crashed ? node : undefined;
  }

  #greet(from: VirtualNode, target: VirtualNode, done: (outcome: DialOutcome) => void): void {
    if (from.crashed || target.crashed) return;
    from.sentCount++;
    target.sentCount++;
    const { judgement, effects } = target.core.judgeHello(from.identity, this.#now);
    target.perform(effects);
    if (judgement.type === "wait") {
      this.after(judgement.untilAt - this.#now, () =>
        target.whenAwake(() => this.#greet(from, target, done)),
      );
      return;
    }
    if (judgement.type === "refuse") {
      this.refusals.push(judgement.code);
      return;
    }
    target.linkUp(from.identity);
    this.after(this.#delayMs(), () =>
      from.whenAwake(() => {
        from.linkUp(target.identity);
        done("linked");
      }),
    );
  }

  #closeStuckLinks(): void {
    for (const node of this.running) {
      for (const [peer, boot] of node.links) {
        if (!this.#reaches(node.id, peer)) node.whenAwake(() => node.linkClosed(peer, boot));
      }
    }
  }
}
