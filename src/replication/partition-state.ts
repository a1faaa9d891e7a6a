/**
 * What one process knows of one partition (`README.md`, "State"). The protocol is spread over files by
 * topic (following, taking over, leading, meeting, forking); this is the data they share, and nobody
 * outside this room sees it.
 */
import type { NodeId, ProcessId } from "../model/ids.ts";
import type { Term } from "../model/term.ts";
import { forkWriter } from "../model/writer.ts";
import type { Standing } from "../wire/replication-messages.ts";
import type { Candidacy } from "./candidacy.ts";
import type { Copy } from "./copy.ts";
import type { Role, Serving } from "./effect.ts";
import { Fork } from "./fork.ts";
import type { Handover } from "./handover.ts";
import type { ReplicaOptions } from "./options.ts";
import { Outlet } from "./outlet.ts";
import { everyOwner } from "./owner-sets.ts";
import type { Reign } from "./reign.ts";
import type { ReplicatedEntity } from "./replicated-entity.ts";

export class PartitionState<E extends ReplicatedEntity<E>> {
  readonly options: ReplicaOptions<E>;
  readonly self: ProcessId;
  readonly outlet = new Outlet();
  table: readonly NodeId[];

  /** Birth of the history that this process belongs to; "" while it knows none. */
  genesis = "";
  /** Highest term promised or followed; never lowered within one genesis. */
  promised: Term | undefined;
  /** Highest term number seen anywhere; outlives a change of genesis. */
  highest = 0;
  copy: Copy<E> | undefined;
  /** What is left of a copy that was dropped after its removal (rule 14). */
  remembered: { readonly synced: Term; readonly owners: readonly ProcessId[] } | undefined;
  /** Whom it follows or is; "" when it knows none. A hint. */
  primary: ProcessId = "";
  /** A later owner set without this process exists (rule 12). */
  excluded = false;
  /** Something of the primary's stream has come since the last slow round. */
  isFollowing = false;
  /** What this process and the primary hold is committed. */
  infers = false;

  reign: Reign<E> | undefined;
  handover: Handover<E> | undefined;
  /** The owner set is on its way to the table's. */
  isMoving = false;
  /** Removed processes that are to be told that their copy is not needed, and since which position. */
  readonly departed = new Map<ProcessId, number>();

  candidacy: Candidacy | undefined;
  /** When to become a candidate; `Infinity` while there is a primary. */
  attemptAt = Infinity;
  /** In a row that nobody refused, and that somebody did. */
  attempts = 0;
  refusals = 0;
  /** Of use while there are `refusals`: before that it asks for no further promises. */
  refusedUntil = 0;
  /** When this process last let another one lead in its place. */
  gaveAwayAt = -Infinity;
  /** Who refused last. */
  refusedBy: ProcessId = "";
  /** When a base may be asked for again. */
  needAt = 0;
  /** When it may ask again for what somebody else has seen. */
  catchUpAt = 0;

  fork: Fork<E> | undefined;
  /** Identity of the present degraded service; `undefined` when there is none (rule 15). */
  degraded: object | undefined;
  forkAt = Infinity;
  /** When a removed process asks who may dismiss it; `Infinity` while it is not waiting for that. */
  askAt = Infinity;
  /** How often it has asked. */
  asked = 0;
  /** When the copy of a removed process goes. */
  dropAt = Infinity;

  constructor(options: ReplicaOptions<E>) {
    this.options = options;
    this.self = options.self;
    this.table = options.table;
  }

  get isOwner(): boolean {
    return this.copy?.owners.processes.includes(this.self) ?? false;
  }

  /** Others count on this copy (`Replica.isNeeded`). */
  get isNeeded(): boolean {
    const { copy, self, dropAt } = this;
    return copy !== undefined && dropAt === Infinity && everyOwner(copy.owners).includes(self);
  }

  get role(): Role {
    if (this.reign !== undefined) return "primary";
    if (this.copy === undefined) return "absent";
    if (this.candidacy !== undefined) return "candidate";
    return this.isOwner && !this.excluded ? "follower" : "removed";
  }

  get serving(): Serving {
    if (this.degraded !== undefined) return "degraded";
    if (this.reign === undefined || this.handover?.isUnderWay === true) return undefined;
    return "primary";
  }

  standing(): Standing {
    return {
      promised: this.promised,
      synced: this.copy?.synced ?? this.remembered?.synced,
      owners: this.copy?.owners.processes ?? this.remembered?.owners ?? [],
      primary: this.primary,
      genesis: this.genesis,
    };
  }

  hello(to: ProcessId): void {
    if (to !== this.self) this.outlet.send(to, { type: "hello", standing: this.standing() });
  }

  see(term: Term | undefined): void {
    if (term !== undefined && term.number > this.highest) this.highest = term.number;
  }

  /** Rule 15. */
  beginDegraded(): void {
    if (this.copy === undefined || this.degraded !== undefined) return;
    this.degraded = {};
    // A fork that waits to be merged may be merged in part: its numbers are not to be used again.
    if (this.fork === undefined) this.fork = this.newFork();
    else this.fork.writer = forkWriter(this.options.random);
    this.forkAt = Infinity;
  }

  /** Rule 17: the fork waits to be merged. */
  endDegraded(now: number): void {
    if (this.degraded === undefined) return;
    this.degraded = undefined;
    this.fork?.rest();
    if (this.fork?.commitCount === 0) this.fork = undefined;
    else this.forkAt = now;
  }

  newFork(): Fork<E> {
    return new Fork(this.options.entities, forkWriter(this.options.random));
  }
}
