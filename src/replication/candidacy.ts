/** One attempt to take a partition over (rules 6–8): whom it asked, what they promised. */
import type { ProcessId } from "../model/ids.ts";
import type { Term } from "../model/term.ts";
import { compareTerms } from "../model/term.ts";
import type { Owners, PartitionMessage, StreamPosition } from "../wire/replication-messages.ts";
import { mayTakeOver } from "./owner-sets.ts";

type PromiseMessage = Extract<PartitionMessage, { type: "promise" }>;

/** A copy that a candidate may take: its own or a promised one. */
export interface Offer extends StreamPosition {
  readonly process: ProcessId;
  readonly owners: Owners;
}

export class Candidacy {
  readonly term: Term;
  /** Overrides the refusal of live primaries (rule 11). */
  readonly handover: boolean;
  readonly startedAt: number;
  /** When it is given up. */
  endsAt: number;
  /** Somebody follows a live primary: then this one does not serve degraded (rule 15). */
  refused = false;
  /** Whose copy was asked for. */
  fetching: ProcessId | undefined;
  readonly #promises = new Map<ProcessId, PromiseMessage>();
  readonly #asked = new Set<ProcessId>();
  /** Asked, and without a copy that could be better. */
  readonly #ignorant = new Set<ProcessId>();

  constructor(term: Term, handover: boolean, startedAt: number, endsAt: number) {
    this.term = term;
    this.handover = handover;
    this.startedAt = startedAt;
    this.endsAt = endsAt;
  }

  /** True once for every process: it is to be sent `prepare`. */
  ask(process: ProcessId): boolean {
    if (process === this.term.process || this.#asked.has(process)) return false;
    this.#asked.add(process);
    return true;
  }

  promised(from: ProcessId, message: PromiseMessage): void {
    this.#promises.set(from, message);
  }

  /** It has no copy and has promised nothing that this attempt would break. */
  knowsNothing(process: ProcessId): void {
    this.#ignorant.add(process);
  }

  hasAnswerOf(process: ProcessId): boolean {
    const isOwn = process === this.term.process;
    return isOwn || this.#promises.has(process) || this.#ignorant.has(process);
  }

  /** Where the copy of a process that promised stands. */
  standsAt(process: ProcessId): StreamPosition | undefined {
    return this.#promises.get(process);
  }

  /** Rule 7: the highest `(synced, position)` among its own copy and the promised ones. */
  best(own: Offer): Offer {
    let best = own;
    for (const [process, { synced, position, owners }] of this.#promises) {
      const order = compareTerms(synced, best.synced);
      if (order > 0 || (order === 0 && position > best.position)) {
        best = { process, synced, position, owners };
      }
    }
    return best;
  }

  /** Enough owners of the best copy promised. */
  isComplete(owners: Owners, dead: (process: ProcessId) => boolean): boolean {
    const self = this.term.process;
    const promised = (process: ProcessId): boolean =>
      process === self || this.#promises.has(process);
    return mayTakeOver(owners, promised, dead);
  }
}
