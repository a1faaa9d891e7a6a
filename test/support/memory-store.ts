/** Keeps entities in one table, as `Store` for turns: what a node does over replication. */
import type { Acks } from "../../src/model/acks.ts";
import type { EntityName } from "../../src/model/ids.ts";
import type { HybridTime } from "../../src/model/time.ts";
import { nextHybridTime } from "../../src/model/time.ts";
import type { Clock } from "../../src/platform/platform.ts";
import type { OpenEntity, Release, Store } from "../../src/functions/ports.ts";
import { Entity } from "../../src/state/entity.ts";
import type { StateCommit } from "../../src/state/commit.ts";

export class MemoryStore implements Store {
  readonly commits: StateCommit[] = [];
  readonly confirmAcks: Acks[] = [];
  readonly commitAcks: Acks[] = [];
  degraded = false;
  copiesMax = 3;
  isServing = true;
  reign: object = {};
  /** Answers at once; otherwise `release` answers what is held back, in order. */
  isImmediate = true;
  readonly #clock: Clock;
  readonly #entities = new Map<EntityName, Entity>();
  readonly #held: ((outcome: Release) => void)[] = [];
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

  open(name: EntityName): OpenEntity | undefined {
    if (!this.isServing) return undefined;
    const { degraded, copiesMax, reign } = this;
    return { entity: this.entity(name), writer: 7, degraded, copiesMax, reign };
  }

  commit(name: EntityName, commit: StateCommit, acks: Acks, done: (end: Release) => void): void {
    this.commits.push(commit);
    this.commitAcks.push(acks);
    this.entity(name).apply(commit);
    this.#hold(done);
  }

  confirm(_name: EntityName, acks: Acks, done: (end: Release) => void): void {
    this.confirmAcks.push(acks);
    this.#hold(done);
  }

  hybridNow(): HybridTime {
    this.#lastTime = nextHybridTime(this.#lastTime, this.#clock.wallNow());
    return this.#lastTime;
  }

  /** Answers everything that is held back. */
  release(outcome: Release = { type: "ok", copies: 2, degraded: this.degraded }): void {
    for (const done of this.#held.splice(0)) done(outcome);
  }

  #hold(done: (outcome: Release) => void): void {
    if (this.isImmediate) done({ type: "ok", copies: 2, degraded: this.degraded });
    else this.#held.push(done);
  }
}
