/**
 * What an entity knows of but cannot apply yet. Streams are ordered, so both lists are empty in
 * normal service; they are what makes commits applicable in any order.
 *
 * - *held* commits lack an earlier commit of their writer;
 * - *deferred* operations remove what some other writer has written in a commit that is not here
 *   yet. The rest of their commit is applied.
 */
import { LatticeError } from "../model/error.ts";
import type { WriterId } from "../model/ids.ts";
import type { CausalVector } from "./causal-vector.ts";
import type { StateCommit } from "./commit.ts";
import type { ConfirmOperation, ForgetOperation, RemoveOperation } from "./operation.ts";

export type DeferrableOperation = RemoveOperation | ForgetOperation | ConfirmOperation;

export interface DeferredOperation {
  readonly writer: WriterId;
  readonly sequence: number;
  /** Which operation of its commit it was. */
  readonly index: number;
  readonly operation: DeferrableOperation;
}

/** Beyond this many no commit is accepted that does not follow on what is here. */
const postponedMax = 1_024;

export class Postponed {
  #held: readonly StateCommit[] = [];
  #deferred: readonly DeferredOperation[] = [];

  /** Makes a list of what was stored. */
  static of(held: StateCommit[], deferred: DeferredOperation[]): Postponed {
    const postponed = new Postponed();
    postponed.#held = held.sort(compareDots);
    postponed.#deferred = deferred.sort(compareDeferred);
    return postponed;
  }

  /** @throws LatticeError `overloaded` when no more may be postponed. */
  checkRoom(entity: string): void {
    const count = this.#held.length + this.#deferred.length;
    if (count < postponedMax) return;
    const waiting = `${String(count)} changes wait for earlier ones that never came`;
    throw new LatticeError("overloaded", `${entity}: ${waiting}; fetch a whole copy instead`);
  }

  get isEmpty(): boolean {
    return this.#held.length === 0 && this.#deferred.length === 0;
  }

  /** Ordered by (writer, sequence). */
  get held(): readonly StateCommit[] {
    return this.#held;
  }

  /** Ordered by (writer, sequence, index). */
  get deferred(): readonly DeferredOperation[] {
    return this.#deferred;
  }

  /** @returns false when it is held already. */
  hold(commit: StateCommit): boolean {
    if (this.#held.some((held) => compareDots(held, commit) === 0)) return false;
    this.#held = [...this.#held, commit].sort(compareDots);
    return true;
  }

  /** Takes out a commit that follows directly on what `vector` covers, if there is one. */
  takeNext(vector: CausalVector): StateCommit | undefined {
    const next = this.#held.find((held) => held.sequence === vector.get(held.writer) + 1);
    if (next !== undefined) this.#held = this.#held.filter((held) => held !== next);
    return next;
  }

  defer(operation: DeferredOperation): void {
    if (this.#deferred.some((other) => compareDeferred(other, operation) === 0)) return;
    this.#deferred = [...this.#deferred, operation].sort(compareDeferred);
  }

  /** Takes out all deferred operations. */
  takeDeferred(): readonly DeferredOperation[] {
    const deferred = this.#deferred;
    this.#deferred = [];
    return deferred;
  }

  /** Forgets removals of contents that are gone with their generation. */
  dropRemovals(): void {
    this.#deferred = this.#deferred.filter((deferred) => !isRemoval(deferred));
  }

  /** Takes over what another copy has postponed. @param withRemovals whether its contents count. */
  merge(other: Postponed, withRemovals: boolean): void {
    for (const held of other.#held) this.hold(held);
    for (const deferred of other.#deferred) {
      if (withRemovals || !isRemoval(deferred)) this.defer(deferred);
    }
  }

  /** Forgets held commits that are in by another way. */
  dropCovered(vector: CausalVector): void {
    this.#held = this.#held.filter((held) => !vector.covers(held.writer, held.sequence));
  }

  clone(): Postponed {
    const copy = new Postponed();
    copy.#held = this.#held;
    copy.#deferred = this.#deferred;
    return copy;
  }
}

/** Whether it concerns contents, which belong to one generation. */
function isRemoval(deferred: DeferredOperation): boolean {
  return deferred.operation.type === "remove";
}

interface Dot {
  readonly writer: WriterId;
  readonly sequence: number;
}

function compareDots(a: Dot, b: Dot): number {
  return a.writer - b.writer || a.sequence - b.sequence;
}

function compareDeferred(a: DeferredOperation, b: DeferredOperation): number {
  return compareDots(a, b) || a.index - b.index;
}
