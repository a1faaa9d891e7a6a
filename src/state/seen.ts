/**
 * What an operation had seen of other writers: "of writer w everything up to sequence s". An
 * operation that supersedes or removes lists it, and by that touches nothing that was written
 * concurrently. Of its own writer an operation has always seen all that came before it, so that is
 * never listed, and with one writer at a time the list is empty.
 */
import type { WriterId } from "../model/ids.ts";
import type { CausalVector } from "./causal-vector.ts";

/** Flat (writer, sequence) pairs. */
export type Seen = readonly number[];

export const nothingSeen: Seen = [];

/** Up to which sequence of `writer` was seen; 0 for nothing. */
export function seenUpTo(seen: Seen, writer: WriterId): number {
  for (let index = 0; index < seen.length; index += 2) {
    if (seen[index] === writer) return seen[index + 1]!;
  }
  return 0;
}

/** The part of `seen` that `vector` includes (or, with `covered` false, the part that it does not). */
export function seenPart(seen: Seen, vector: CausalVector, covered: boolean): Seen {
  if (seen.length === 0) return seen;
  const part: number[] = [];
  for (let index = 0; index < seen.length; index += 2) {
    if (vector.includes(seen[index]!, seen[index + 1]!) === covered) {
      part.push(seen[index]!, seen[index + 1]!);
    }
  }
  return part;
}

/** All of `vector` but `writer` itself. */
export function seenByAll(vector: Pick<CausalVector, "pairs">, writer: WriterId): Seen {
  const { pairs } = vector;
  if (pairs.length === 0 || (pairs.length === 2 && pairs[0] === writer)) return nothingSeen;
  const seen: number[] = [];
  for (let index = 0; index < pairs.length; index += 2) {
    if (pairs[index] !== writer) seen.push(pairs[index]!, pairs[index + 1]!);
  }
  return seen;
}

/** Who removes, and what it had seen. */
export interface Removal {
  readonly writer: WriterId;
  /** Sequence of the removing commit: what its writer wrote before it was seen. */
  readonly sequence: number;
  readonly seen: Seen;
  /** Totals of other writers' counter runs as the remover saw them, by `floorKey`. */
  readonly floors: ReadonlyMap<string, number> | undefined;
}

/** Whether the dot (writer, sequence) was seen by the remover. */
export function isSeen(removal: Removal, writer: WriterId, sequence: number): boolean {
  if (writer === removal.writer) return sequence < removal.sequence;
  return removal.seen.length > 0 && seenUpTo(removal.seen, writer) >= sequence;
}

export function floorKey(path: readonly string[], writer: WriterId, first: number): string {
  return `${path.join("\n")}\n${String(writer)}\n${String(first)}`;
}
