/** Keeps entities in one table, as `Store` for turns: what a node does over replication. */
import type { Acks } from "../../src/model/acks.ts";
import type { EntityName } from "../../src/model/ids.ts";
import type { Mark } from "../../src/model/mark.ts";
import type { HybridTime } from "../../src/model/time.ts";
import { nextHybridTime } from "../../src/model/time.ts";
import type { Clock } from "../../src/platform/platform.ts";
import type { EntityAddress, OpenEntity } from "../../src/functions/entity-address.ts";
import type { Confirmed, CopyStanding, Release, Store } from "../../src/functions/ports.ts";
import { Entity } from "../../src/state/entity.ts";
import type { StateCommit } from "../../src/state/commit.ts";

export class MemoryStore implements Store {
  readonly commits: StateCommit[] = [];
  readonly confirmAcks: Acks[] = [];
  readonly commitAcks: Acks[] = [];
  degraded = false;
  copiesMax = 3;
  isServing = true;
  /** Owners that hold a copy for queries that may run anywhere; 0: there is none here. */
  copiesRead = 0;
  /** Up to here everything has been seen. */
  position = 5;
  /** Answers that a majority was asked to confirm as new. */
  freshCount = 0;
  reign: object = {};
  /** Answers at once; otherwise `release` answers what is held back, in order. */
  isImmediate = true;
  readonly #clock: Clock;
  readonly #entities = new Map<EntityName, Entity>();
  readonly #held: Confirmed[] = [];
  #lastTime: HybridTime = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get heldCount(): number {
    return this.#held.length;
  }

  entity(name: EntityName): Entity {
    let entity = this.#entities.get(name);
    if (entity === undefined) {
      entity = Entity.create(name);
      this.#entities.set(name, entity);
    }
    return entity;
  }

  open({ name }: EntityAddress): OpenEntity | undefined {
    if (!this.isServing) return undefined;
    const { degraded, copiesMax, reign } = this;
    const entity = this.entity(name);
    return { entity, writer: 7, usedUp: 0, degraded, copiesMax, reign };
  }

  openCopy({ name }: EntityAddress, seen: Mark | undefined): OpenEntity | undefined {
    const isBehind = seen !== undefined && !this.#isNewerThan(seen);
    if (this.copiesRead === 0 || isBehind) return undefined;
    const { copiesRead: heldBy, reign } = this;
    const entity = this.entity(name);
    return { entity, writer: 0, usedUp: 0, degraded: false, heldBy, copiesMax: 0, reign };
  }

  hasSeen(_address: EntityAddress, seen: Mark): boolean {
    return this.#isNewerThan(seen);
  }

  markOf(): Mark {
    return { term: { number: 1, process: "p#1" }, position: this.position };
  }

  standingOf(): CopyStanding {
    const term = { number: 1, process: "p#1" };
    return { shown: { term, position: this.position }, ownersSetAt: { term, position: 0 } };
  }

  #isNewerThan({ position }: Mark): boolean {
    return position <= this.position;
  }

  commit({ name }: EntityAddress, commit: StateCommit, acks: Acks, turn: Confirmed): void {
    this.commits.push(commit);
    this.commitAcks.push(acks);
    this.entity(name).apply(commit);
    this.#hold(turn);
  }

  confirm(_address: EntityAddress, acks: Acks, turn: Confirmed): void {
    this.confirmAcks.push(acks);
    this.#hold(turn);
  }

  confirmTerm(address: EntityAddress, acks: Acks, turn: Confirmed): void {
    this.freshCount += 1;
    this.confirm(address, acks, turn);
  }

  hybridTime(): HybridTime {
    this.#lastTime = nextHybridTime(this.#lastTime, this.#clock.wallNow());
    return this.#lastTime;
  }

  timeAt(): HybridTime {
    return nextHybridTime(0, this.#clock.wallNow());
  }

  /** Answers everything that is held back. */
  release(outcome: Release = { type: "ok", copies: 2, degraded: this.degraded }): void {
    for (const turn of this.#held.splice(0)) turn.released(outcome);
  }

  #hold(turn: Confirmed): void {
    if (this.isImmediate) turn.released({ type: "ok", copies: 2, degraded: this.degraded });
    else this.#held.push(turn);
  }
}
