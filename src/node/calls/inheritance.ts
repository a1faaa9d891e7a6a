/**
 * What a node finds when it begins to lead a partition: calls that its entities have sent, and timers that
 * they have set. To look for them is a pass over all its entities, and after a crash a node begins to lead
 * hundreds of partitions for which calls wait. So it is done a few at a time, behind what has arrived.
 */
import type { PartitionId } from "../../model/ids.ts";
import type { Timers } from "../../platform/platform.ts";
import type { Entity } from "../../state/entity.ts";
import type { Partitions } from "../partitions/partitions.ts";

/** Partitions of one turn of the event loop. */
const sliceCount = 4;
/** Before each slice. */
const pauseMs = 2;

export interface InheritanceOptions {
  /** Closed when the node stops. */
  readonly timers: Pick<Timers, "after">;
  readonly partitions: Pick<Partitions, "replica">;
  /** Who takes up what is left to do, of every entity of a partition that this node leads. */
  readonly heirs: readonly Heir[];
}

interface Heir {
  entityChanged(partition: PartitionId, entity: Entity): void;
}

export class Inheritance {
  readonly #options: InheritanceOptions;
  readonly #waiting = new Set<PartitionId>();
  #isDue = false;

  constructor(options: InheritanceOptions) {
    this.#options = options;
  }

  /** This node leads the partition now. */
  began(partition: PartitionId): void {
    this.#waiting.add(partition);
    this.#goOn();
  }

  /** And now it does not. */
  ended(partition: PartitionId): void {
    this.#waiting.delete(partition);
  }

  #goOn(): void {
    if (this.#isDue || this.#waiting.size === 0) return;
    this.#isDue = true;
    this.#options.timers.after(pauseMs, () => {
      this.#isDue = false;
      this.#takeSome();
      this.#goOn();
    });
  }

  #takeSome(): void {
    let count = 0;
    for (const partition of this.#waiting) {
      this.#waiting.delete(partition);
      this.#takeUp(partition);
      if (++count === sliceCount) return;
    }
  }

  #takeUp(partition: PartitionId): void {
    const { partitions, heirs } = this.#options;
    const replica = partitions.replica(partition);
    for (const name of replica?.entityNames() ?? []) {
      const entity = replica?.committedEntity(name);
      if (entity === undefined) continue;
      for (const heir of heirs) heir.entityChanged(partition, entity);
    }
  }
}
