/**
 * A version vector that an entity keeps for itself: for each writer the number of its commits that
 * are in. It is the causal context of all dot stores of the entity (Almeida, Shoker, Baquero,
 * "Delta state replicated data types", 2018): a dot (writer, sequence) that the vector covers but a
 * store lacks was removed; one that it does not cover was never seen.
 *
 * Most entities have one writer: its entry lies in the vector itself. More of them are one flat
 * array of (writer, sequence) pairs, ascending by writer; a `Map` per entity would cost as much as
 * all the rest of it.
 */
import type { WriterId } from "../model/ids.ts";
import { highHalf, joinHalves, lowHalf } from "./halves.ts";

export class CausalVector {
  /** The only writer, as halves, and its sequence; 0 while there is none. */
  #writerHigh = 0;
  #writerLow = 0;
  #sequence = 0;
  /** All writers, once there are several. */
  #pairs: number[] | undefined;

  /** @param pairs flat (writer, sequence) pairs, ascending by writer, sequences ≥ 1; kept, not copied. */
  constructor(pairs?: number[]) {
    if (pairs === undefined || pairs.length > 2) {
      this.#pairs = pairs;
      return;
    }
    this.#pairs = undefined;
    if (pairs.length === 2) this.#become(pairs[0]!, pairs[1]!);
  }

  /** The flat pairs, ascending by writer; not to be changed. */
  get pairs(): readonly number[] {
    if (this.#pairs !== undefined) return this.#pairs;
    return this.#sequence === 0 ? noPairs : [this.#sole, this.#sequence];
  }

  /** The highest sequence number of `writer` that is in; 0 for none. */
  get(writer: WriterId): number {
    const pairs = this.#pairs;
    if (pairs === undefined) return this.#isSole(writer) ? this.#sequence : 0;
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
    if (this.#pairs !== undefined) advanceIn(this.#pairs, writer, sequence);
    else if (this.#sequence === 0) this.#become(writer, sequence);
    else if (!this.#isSole(writer)) {
      this.#pairs = [this.#sole, this.#sequence];
      advanceIn(this.#pairs, writer, sequence);
    } else if (this.#sequence < sequence) this.#sequence = sequence;
  }

  join(other: CausalVector): void {
    const { pairs } = other;
    for (let index = 0; index < pairs.length; index += 2) {
      this.advance(pairs[index]!, pairs[index + 1]!);
    }
  }

  clone(): CausalVector {
    const copy = new CausalVector(this.#pairs?.slice());
    copy.#writerHigh = this.#writerHigh;
    copy.#writerLow = this.#writerLow;
    copy.#sequence = this.#sequence;
    return copy;
  }

  toMap(): Map<WriterId, number> {
    const { pairs } = this;
    const map = new Map<WriterId, number>();
    for (let index = 0; index < pairs.length; index += 2) {
      map.set(pairs[index]!, pairs[index + 1]!);
    }
    return map;
  }

  get #sole(): WriterId {
    return joinHalves(this.#writerHigh, this.#writerLow);
  }

  #isSole(writer: WriterId): boolean {
    return lowHalf(writer) === this.#writerLow && highHalf(writer) === this.#writerHigh;
  }

  #become(writer: WriterId, sequence: number): void {
    this.#writerHigh = highHalf(writer);
    this.#writerLow = lowHalf(writer);
    this.#sequence = sequence;
  }
}

const noPairs: readonly number[] = [];

function advanceIn(pairs: number[], writer: WriterId, sequence: number): void {
  let index = 0;
  while (index < pairs.length && pairs[index]! < writer) index += 2;
  if (pairs[index] !== writer) pairs.splice(index, 0, writer, sequence);
  else if (pairs[index + 1]! < sequence) pairs[index + 1] = sequence;
}
