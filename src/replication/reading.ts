/** What calls may read here: the state that is led, a follower's copy, and under a confirmed term. */
import { majority } from "../model/acks.ts";
import type { EntityName } from "../model/ids.ts";
import type { Mark } from "../model/mark.ts";
import { compareTerms } from "../model/term.ts";
import type { PartitionState } from "./partition-state.ts";
import type { ReplicatedEntity } from "./replicated-entity.ts";
import type { Slot } from "./slot.ts";
import type { Waiter } from "./waiters.ts";

/**
 * Whether what is served here, or of a follower the known-committed part, is as new as `mark`. A later
 * term holds all that was committed in earlier ones.
 */
function hasSeen<E extends ReplicatedEntity<E>>(
  { copy, reign }: PartitionState<E>,
  { term, position }: Mark,
): boolean {
  if (copy === undefined) return false;
  const order = compareTerms(copy.synced, term);
  if (reign !== undefined) return order > 0 || (order === 0 && copy.position >= position);
  return order > 0 ? copy.committed > 0 : order === 0 && copy.committed > position;
}

/** What whoever is shown the newest state of the entity here has seen of the partition. */
function markOf<E extends ReplicatedEntity<E>>(
  { copy }: PartitionState<E>,
  name: EntityName,
): Mark | undefined {
  const slot = copy?.slot(name);
  if (slot !== undefined) return { term: slot.touchedIn, position: slot.touchedAt };
  return copy && { term: copy.synced, position: Math.max(0, copy.committed - 1) };
}

/** See `Replica.servedSlot`. */
export function servedSlot<E extends ReplicatedEntity<E>>(
  { reign, copy }: PartitionState<E>,
  name: EntityName,
): Slot<E> | undefined {
  if (reign?.isServing !== true) return undefined;
  const slot = copy?.slot(name);
  if (slot?.newest === undefined) return undefined;
  slot.serveBy(reign);
  return slot;
}

/** Owners that hold the known-committed part of a follower, itself among them; else 0. */
function readableCopies<E extends ReplicatedEntity<E>>(s: PartitionState<E>): number {
  const { copy, role } = s;
  if (copy === undefined || role !== "follower" || copy.committed === 0) return 0;
  return majority(copy.owners.processes.length);
}

/** What of a follower's copy may be read, and how new that is. */
export class Reads<E extends ReplicatedEntity<E>> {
  readonly #state: PartitionState<E>;

  constructor(state: PartitionState<E>) {
    this.#state = state;
  }

  /** Owners that hold the known-committed part of a follower, which may be read then; else 0. */
  get readableCopies(): number {
    return readableCopies(this.#state);
  }

  /** Whether what is served here, or may be read of a follower, is as new as `mark`. */
  hasSeen(mark: Mark): boolean {
    return hasSeen(this.#state, mark);
  }

  /** Whether this follower has a copy to be read, as new as `seen`. */
  canRead(seen: Mark | undefined): boolean {
    return this.readableCopies > 0 && (seen === undefined || this.hasSeen(seen));
  }

  /** What whoever is shown the newest state of the entity here has seen of the partition. */
  markOf(name: EntityName): Mark | undefined {
    return markOf(this.#state, name);
  }

  /** The last change that is held here, be its fate known or not, if one is in doubt. */
  get held(): Mark | undefined {
    const { copy } = this.#state;
    const last = copy?.tail().at(-1);
    return copy && last && { term: copy.synced, position: last.position };
  }

  /** How far what a query is shown here reaches: all before it in the stream is in it, and nothing else. */
  get shown(): Mark | undefined {
    const { copy, reign } = this.#state;
    if (copy === undefined) return undefined;
    if (reign !== undefined) return { term: copy.synced, position: copy.position };
    return { term: copy.synced, position: Math.max(0, copy.committed - 1) };
  }

  /** The stream and the place in it that the newest owner set is from: equal for equal sets. */
  get ownersSetAt(): Mark | undefined {
    const { copy } = this.#state;
    return copy && { term: copy.synced, position: copy.owners.position };
  }
}

/** Releases `waiter` when a majority has confirmed since this call that no higher term exists. */
export function confirmTerm<E extends ReplicatedEntity<E>>(
  s: PartitionState<E>,
  waiter: Waiter,
  now: number,
): void {
  const { reign, outlet, handover } = s;
  if (reign !== undefined && s.degraded === undefined && handover?.isUnderWay !== true) {
    reign.waitForTerm(waiter, outlet, now);
    return;
  }
  outlet.emit({ type: "release", token: waiter.token, outcome: { type: "indeterminate" } });
}
