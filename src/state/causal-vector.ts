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
import { isTermWriter } from "../model/writer.ts";
import { highHalf, joinHalves, lowHalf } from "./halves.ts";
import { joinedPast, noPast, pastAfter } from "./past-writers.ts";
import type { PastWriters } from "./past-writers.ts";

export class CausalVector {
  /** The only writer, as halves, and its sequence; 0 while there is none. */
  #writerHigh = 0;
  #writerLow = 0;
  #sequence = 0;
  /** All writers, once there are several. */
  #pairs: number[] | undefined = undefined;
  #past: PastWriters | undefined;

  /** @param pairs flat (writer, sequence) pairs, ascending by writer, sequences ≥ 1; kept, not copied. */
  constructor(pairs?: number[], past?: PastWriters) {
    this.#past = past;
    if (pairs !== undefined) this.#keep(pairs);
  }

  /** The flat pairs, ascending by writer; not to be changed. */
  get pairs(): readonly number[] {
    if (this.#pairs !== undefined) return this.#pairs;
    return this.#sequence === 0 ? noPairs : [this.#sole, this.#sequence];
  }

  /** How many writers it has, or 1. */
  get writerCount(): number {
    return this.#pairs === undefined ? 1 : this.#pairs.length / 2;
  }

  /** What it knows of writers that are not in it any more; `undefined` as a rule. */
  get past(): PastWriters | undefined {
    return this.#past;
  }

  get hasRetired(): boolean {
    return this.#past !== undefined && this.#past.left.length > 0;
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

  /** Whether that commit is in, as far as writers are known by name. */
  covers(writer: WriterId, sequence: number): boolean {
    return this.get(writer) >= sequence || this.hasLeft(writer);
  }

  /** Whether it is one of those that left last: all its commits are in. */
  hasLeft(writer: WriterId): boolean {
    return this.#past !== undefined && this.#past.left.includes(writer);
  }

  /**
   * Whether that commit is in, where somebody has seen it. A term that nobody here knows has left long
   * ago then: who sees commits of a term sees them in the stream, and there they were before.
   */
  includes(writer: WriterId, sequence: number): boolean {
    if (this.get(writer) >= sequence) return true;
    return this.hasRetired && isTermWriter(writer) && this.get(writer) === 0;
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
    if (this.#past === undefined && other.#past === undefined) return;
    const past = joinedPast(this.#past ?? noPast, other.#past ?? noPast);
    this.#past = past;
    this.#keep(pairsOf(this.pairs, (writer) => !past.left.includes(writer)));
  }

  /** These can write no more: they leave it. */
  retire(writers: readonly WriterId[]): void {
    const { pairs } = this;
    const leaving = pairsOf(pairs, (writer) => writers.includes(writer));
    if (leaving.length === 0) return;
    this.#past = pastAfter(this.#past ?? noPast, leaving);
    this.#keep(pairsOf(pairs, (writer) => !writers.includes(writer)));
  }

  /** From now on nobody is to be retired. */
  keepAll(): void {
    if (this.#past?.stays !== true) this.#past = { ...(this.#past ?? noPast), stays: true };
  }

  clone(): CausalVector {
    const copy = new CausalVector(this.#pairs?.slice(), this.#past);
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

  #keep(pairs: number[]): void {
    this.#pairs = pairs.length > 2 ? pairs : undefined;
    this.#become(pairs[0] ?? 0, pairs[1] ?? 0);
  }

  #become(writer: WriterId, sequence: number): void {
    this.#writerHigh = highHalf(writer);
    this.#writerLow = lowHalf(writer);
    this.#sequence = sequence;
  }
}

const noPairs: readonly number[] = [];

function pairsOf(pairs: readonly number[], isWanted: (writer: WriterId) => boolean): number[] {
  const wanted: number[] = [];
  for (let index = 0; index < pairs.length; index += 2) {
    if (isWanted(pairs[index]!)) wanted.push(pairs[index]!, pairs[index + 1]!);
  }
  return wanted;
}

function advanceIn(pairs: number[], writer: WriterId, sequence: number): void {
  let index = 0;
  while (index < pairs.length && pairs[index]! < writer) index += 2;
  if (pairs[index] !== writer) pairs.splice(index, 0, writer, sequence);
  else if (pairs[index + 1]! < sequence) pairs[index + 1] = sequence;
}
