/**
 * A cell: what concurrent writers wrote last in one place. Registers, flags, extremes, elements of
 * sets and entries of value maps are all cells; they differ only in which entry a reader is shown.
 *
 * It is a dot store (Almeida et al. 2018, `DotFun`): a write supersedes the entries that its writer
 * had seen and keeps those that it had not, so there is at most one entry per writer, and one in
 * all unless writers were concurrent. A loser of a concurrent write stays until someone who has
 * seen it writes: a delete of the winner must not take it along.
 *
 * Entries are immutable and form a list ordered by writer.
 */
import type { WriterId } from "../model/ids.ts";
import type { HybridTime } from "../model/time.ts";
import type { Value } from "../model/value.ts";
import type { CausalVector } from "./causal-vector.ts";
import { isSeen } from "./seen.ts";
import type { Removal, Seen } from "./seen.ts";

export class CellEntry {
  readonly type = "cell";
  readonly writer: WriterId;
  readonly sequence: number;
  readonly hybridTime: HybridTime;
  readonly value: Value;
  /** Estimated encoded bytes of the value. */
  readonly bytes: number;
  readonly next: CellEntry | undefined;

  constructor(entry: EntryFields, next: CellEntry | undefined) {
    this.writer = entry.writer;
    this.sequence = entry.sequence;
    this.hybridTime = entry.hybridTime;
    this.value = entry.value;
    this.bytes = entry.bytes;
    this.next = next;
  }
}

export type EntryFields = Omit<CellEntry, "type" | "next">;

/** Estimated encoded bytes of an entry without its value. */
const entryBytes = 16;

/** Replaces what `removal` had seen by `entry`. */
export function writeToCell(
  cell: CellEntry | undefined,
  removal: Removal,
  entry: EntryFields,
): CellEntry {
  if (cell === undefined) return new CellEntry(entry, undefined);
  if (cell.next === undefined && isSeen(removal, cell.writer, cell.sequence)) {
    return new CellEntry(entry, undefined);
  }
  const kept = entriesOf(cell).filter((old) => !isSeen(removal, old.writer, old.sequence));
  return linkedCell([...kept, entry])!;
}

export function removeFromCell(cell: CellEntry, removal: Removal): CellEntry | undefined {
  if (cell.next === undefined) {
    return isSeen(removal, cell.writer, cell.sequence) ? undefined : cell;
  }
  return linkedCell(entriesOf(cell).filter((old) => !isSeen(removal, old.writer, old.sequence)));
}

/** A copy of a cell and the context it lives in. */
export interface CellCopy {
  readonly cell: CellEntry | undefined;
  readonly vector: CausalVector;
}

/** Joins two copies: an entry that one side has seen but does not hold was removed there. */
export function mergeCells(a: CellCopy, b: CellCopy): CellEntry | undefined {
  const merged: EntryFields[] = [];
  for (const entry of entriesOf(a.cell)) {
    if (holds(b.cell, entry) || !b.vector.covers(entry.writer, entry.sequence)) merged.push(entry);
  }
  for (const entry of entriesOf(b.cell)) {
    if (!holds(a.cell, entry) && !a.vector.covers(entry.writer, entry.sequence)) merged.push(entry);
  }
  return linkedCell(merged);
}

/** The last write by (hybrid time, writer). */
export function winner(cell: CellEntry): CellEntry {
  let best = cell;
  for (let entry = cell.next; entry !== undefined; entry = entry.next) {
    // The list ascends by writer, so an equal time goes to the later entry.
    if (entry.hybridTime >= best.hybridTime) best = entry;
  }
  return best;
}

/** What a writer sees of a cell, apart from its own entry. */
export function seenInCell(cell: CellEntry | undefined, writer: WriterId): Seen {
  if (cell === undefined) return [];
  const seen: number[] = [];
  for (let entry: CellEntry | undefined = cell; entry !== undefined; entry = entry.next) {
    if (entry.writer !== writer) seen.push(entry.writer, entry.sequence);
  }
  return seen;
}

export function cellBytes(cell: CellEntry | undefined): number {
  let bytes = 0;
  for (let entry = cell; entry !== undefined; entry = entry.next) bytes += entryBytes + entry.bytes;
  return bytes;
}

/** The entries in order. */
export function entriesOf(cell: CellEntry | undefined): CellEntry[] {
  const entries: CellEntry[] = [];
  for (let entry = cell; entry !== undefined; entry = entry.next) entries.push(entry);
  return entries;
}

/** Makes the list. */
export function linkedCell(entries: EntryFields[]): CellEntry | undefined {
  entries.sort((a, b) => a.writer - b.writer || a.sequence - b.sequence);
  let next: CellEntry | undefined;
  for (let index = entries.length - 1; index >= 0; index -= 1) {
    next = new CellEntry(entries[index]!, next);
  }
  return next;
}

function holds(cell: CellEntry | undefined, wanted: CellEntry): boolean {
  for (let entry = cell; entry !== undefined; entry = entry.next) {
    if (entry.writer === wanted.writer && entry.sequence === wanted.sequence) return true;
  }
  return false;
}
