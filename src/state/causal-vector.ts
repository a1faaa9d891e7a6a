/**
 * A version vector that an entity keeps for itself: for each writer the number of its commits that
 * are in. It is the causal context of all dot stores of the entity (Almeida, Shoker, Baquero,
 * "Delta state replicated data types", 2018): a dot (writer, sequence) that the vector covers but a
 * store lacks was removed; one that it does not cover was never seen.
 *
 * One flat array of (writer, sequence) pairs, ascending by writer: most entities have one writer,
 * and a `Map` per entity would cost as much as all the rest of it.
 */
import type { WriterId } from "../model/ids.ts";

export class CausalVector {
  #pairs: number[];

  /** @param pairs flat (writer, sequence) pairs, ascending by writer, sequences ≥ 1; kept, not copied. */
  constructor(pairs: number[] = []) {
    this.#pairs = pairs;
  }

  /** Number of writers. */
  get size(): number {
    return this.#pairs.length / 2;
  }

  /** The flat pairs, ascending by writer; not to be changed. */
  get pairs(): readonly number[] {
    return this.#pairs;
  }

  /** The highest sequence number of `writer` that is in; 0 for none. */
  get(writer: WriterId): number {
    const pairs = this.#pairs;
    for (let index = 0; index < pairs.length; index += 2) {
      if (pairs[index] === writer) return pairs[index + 1]!;
    }
    return 0;
  }

  covers(writer: WriterId, sequence: number): boolean {
    return this.get(writer) >= sequence;
  }

  /** Raises the entry of `writer` to at least `sequence`. */
  advance(writer: WriterId, sequence: number): void {
    const pairs = this.#pairs;
    let index = 0;
    while (index < pairs.length && pairs[index]! < writer) index += 2;
    if (pairs[index] === writer) {
      if (pairs[index + 1]! < sequence) pairs[index + 1] = sequence;
    } else if (pairs.length === 0) {
      // A literal holds exactly two numbers; `push` would reserve room for seventeen.
      this.#pairs = [writer, sequence];
    } else {
      pairs.splice(index, 0, writer, sequence);
    }
  }

  join(other: CausalVector): void {
    const pairs = other.#pairs;
    for (let index = 0; index < pairs.length; index += 2) {
      this.advance(pairs[index]!, pairs[index + 1]!);
    }
  }

  clone(): CausalVector {
    return new CausalVector(this.#pairs.slice());
  }

  toMap(): Map<WriterId, number> {
    const map = new Map<WriterId, number>();
    for (let index = 0; index < this.#pairs.length; index += 2) {
      map.set(this.#pairs[index]!, this.#pairs[index + 1]!);
    }
    return map;
  }
}
