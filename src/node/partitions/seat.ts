/**
 * An entity as one reign serves it: where it stands, found once and then used by every turn of that
 * reign. Ten thousand keys lie in a thousand partitions, and what a call costs is mostly memory that
 * it has to reach; so the way from a key to its state is short, and is not walked twice.
 */
import type { OpenEntity } from "../../functions/entity-address.ts";
import type { WriterId } from "../../model/ids.ts";
import type { Slot } from "../../replication/copy.ts";
import type { Reign } from "../../replication/reign.ts";
import type { StateCommit } from "../../state/commit.ts";
import type { Entity } from "../../state/entity.ts";

export class Seat implements OpenEntity {
  readonly degraded = false;
  readonly reign: Reign<Entity>;
  readonly #slot: Slot<Entity>;

  /** @param slot of an entity that has a form, committed or newer */
  constructor(reign: Reign<Entity>, slot: Slot<Entity>) {
    this.reign = reign;
    this.#slot = slot;
  }

  get isServed(): boolean {
    return this.reign.isServing;
  }
  get entity(): Entity {
    return this.#slot.tip ?? this.#slot.entity!;
  }
  get writer(): WriterId {
    return this.reign.writer;
  }
  get copiesMax(): number {
    return this.reign.ownerCount;
  }
  /** Takes no more commits for now. */
  get isFull(): boolean {
    return this.reign.isFull;
  }

  /** Commits at once where that is all there is to do (`Reign.isCalm`); else false, and nothing done. */
  commitAlone(commit: StateCommit): boolean {
    if (!this.reign.isCalm) return false;
    this.reign.commitAlone(this.#slot, commit);
    return true;
  }
}
