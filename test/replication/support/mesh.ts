/** A handful of replicas, a queue of what they sent, and full control over who hears whom. */
import { nodeOf, processId } from "../../../src/model/ids.ts";
import type { ProcessId } from "../../../src/model/ids.ts";
import type { ReleaseOutcome, ReplicationEffect } from "../../../src/replication/effect.ts";
import { Replica } from "../../../src/replication/replica.ts";
import type { Waiter } from "../../../src/replication/waiters.ts";
import type { PartitionMessage } from "../../../src/wire/replication-messages.ts";
import type { CommitSet } from "./commit-set.ts";
import { commitSets, commitThat } from "./commit-set.ts";
import { nextId } from "./slates.ts";
import { seeded } from "./world.ts";

export interface Sent {
  readonly from: ProcessId;
  readonly to: ProcessId;
  readonly message: PartitionMessage;
}

export const entity = "f/k";

export class Mesh {
  now = 0;
  readonly replicas = new Map<ProcessId, Replica<CommitSet>>();
  /** Under way, in order. */
  readonly sent: Sent[] = [];
  readonly effects: { readonly at: ProcessId; readonly effect: ReplicationEffect }[] = [];
  readonly outcomes = new Map<unknown, ReleaseOutcome>();
  /** `a>b`: nothing from a reaches b, and neither believes in the other. */
  readonly cuts = new Set<string>();
  readonly gone = new Set<ProcessId>();
  table: readonly string[];

  constructor(table: readonly string[]) {
    this.table = table;
  }

  start(node: string, genesis?: string, boot = 1): ProcessId {
    const self = processId(node, boot);
    const reachable = (process: ProcessId): boolean =>
      this.replicas.has(process) && this.connected(self, process);
    const options = {
      partition: 7,
      self,
      random: seeded(node.length * 31 + node.charCodeAt(0) + boot),
      entities: commitSets,
      table: this.table,
      peers: {
        reachable,
        lost: (process: ProcessId) => !reachable(process),
        provenDead: (process: ProcessId) => {
          const present = this.presentOf(nodeOf(process));
          const newer = present !== undefined && present !== process && reachable(present);
          return this.gone.has(process) || newer;
        },
        presentOf: (name: string) => this.presentOf(name),
        holdsDead: () => false,
        isLeaving: () => false,
      },
    };
    const replica =
      genesis === undefined
        ? Replica.absent<CommitSet>(options)
        : Replica.birth(options, genesis, this.now);
    this.replicas.set(self, replica);
    return self;
  }

  presentOf(node: string): ProcessId | undefined {
    return [...this.replicas.keys()].find((process) => nodeOf(process) === node);
  }

  at(process: ProcessId): Replica<CommitSet> {
    const replica = this.replicas.get(process);
    if (replica === undefined) throw new Error(`${process} is not running`);
    return replica;
  }

  connected(a: ProcessId, b: ProcessId): boolean {
    return !this.cuts.has(`${a}>${b}`) && !this.cuts.has(`${b}>${a}`);
  }

  perform(at: ProcessId, effects: readonly ReplicationEffect[]): void {
    for (const effect of effects) {
      this.effects.push({ at, effect });
      if (effect.type === "send") this.sent.push({ from: at, ...effect });
      if (effect.type === "release") this.outcomes.set(effect.token, effect.outcome);
    }
  }

  /** Delivers what is under way and what comes of it; what does not `pass` is lost. */
  deliver(pass: (sent: Sent) => boolean = () => true): void {
    for (let count = 0; this.sent.length > 0; count++) {
      if (count > 10_000) throw new Error("the messages do not end");
      const next = this.sent.shift()!;
      const replica = this.replicas.get(next.to);
      if (replica === undefined || this.cuts.has(`${next.from}>${next.to}`) || !pass(next))
        continue;
      this.perform(next.to, replica.receive(next.from, next.message, this.now));
    }
  }

  /** Time passes step by step; every timer that is due fires. */
  pass(ms: number, stepMs = 10): void {
    const until = this.now + ms;
    while (this.now < until) {
      this.now = Math.min(until, this.now + stepMs);
      for (const [process, replica] of this.replicas) {
        if (replica.nextTickAt <= this.now) this.perform(process, replica.tick(this.now));
      }
      this.deliver();
    }
  }

  /** Everybody looks at its peers again. */
  look(): void {
    for (const [process, replica] of this.replicas) {
      this.perform(process, replica.peersChanged(this.now));
    }
    this.deliver();
  }

  cut(a: ProcessId, b: ProcessId): void {
    this.cuts.add(`${a}>${b}`);
    this.cuts.add(`${b}>${a}`);
    this.look();
  }

  heal(a: ProcessId, b: ProcessId): void {
    this.cuts.delete(`${a}>${b}`);
    this.cuts.delete(`${b}>${a}`);
    this.perform(a, this.at(a).linkUp(b));
    this.perform(b, this.at(b).linkUp(a));
    this.look();
  }

  crash(process: ProcessId): void {
    this.replicas.delete(process);
    this.look();
  }

  setTable(table: readonly string[]): void {
    this.table = table;
    for (const [process, replica] of this.replicas) {
      this.perform(process, replica.tableChanged(table, this.now));
    }
    this.deliver();
  }

  /** Commits at `process` without delivering anything; what is deleted begins anew. */
  commit(process: ProcessId, says: string, options: Partial<Waiter> = {}): void {
    const { mark } = this.at(process).tip(entity, true)!;
    this.#commit(process, says, mark + (mark % 2), options);
  }

  /** Deletes the entity at `process`, without delivering anything. */
  wipe(process: ProcessId): void {
    this.#commit(process, "wipe", this.at(process).tip(entity, true)!.mark + 1, {});
  }

  /** Everything that is deleted may be forgotten by `process`, if it leads. */
  reap(process: ProcessId): void {
    this.perform(
      process,
      this.at(process).reap(0, () => false, this.now),
    );
  }

  #commit(process: ProcessId, says: string, mark: number, options: Partial<Waiter>): void {
    const replica = this.at(process);
    const tip = replica.tip(entity, true)!;
    const commit = commitThat(says, entity, nextId(replica, tip), mark);
    const waiter = { acks: 2, token: says, deadlineAt: Infinity, ...options };
    this.perform(process, replica.commit(commit, waiter, this.now));
  }

  /** What `process` knows to be committed, sorted. */
  committed(process: ProcessId): readonly string[] {
    return [...(this.at(process).committedEntity(entity)?.commits.values() ?? [])].sort();
  }

  tip(process: ProcessId): readonly string[] {
    return [...(this.at(process).tip(entity, false)?.commits.values() ?? [])].sort();
  }

  kinds(): readonly string[] {
    return this.sent.map(({ message }) => message.type);
  }
}

/** Three owners a, b and c; a leads. */
export function trio(): { mesh: Mesh; a: ProcessId; b: ProcessId; c: ProcessId } {
  const mesh = new Mesh(["a", "b", "c"]);
  const [a, b, c] = [mesh.start("a", "g1"), mesh.start("b"), mesh.start("c")];
  mesh.look();
  mesh.pass(100);
  return { mesh, a, b, c };
}
