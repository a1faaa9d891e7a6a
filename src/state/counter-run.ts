/**
 * A counter: the sum of *runs*, one per writer as a rule. A run adds up what one writer added, in
 * that writer's order, so its total is the same everywhere, for fractions too.
 *
 * Deleting a map's key must take away what was seen and leave what was added at the same time, also
 * inside one run (the "embedded counter" problem of Baquero, Almeida, Lerche, PaPoC 2016). So a
 * remover that is not the run's writer sets a *floor*: the total that it saw. The floor stays as a
 * tombstone until the writer goes on with a new run, which it does as soon as it sees the floor. A
 * remover that is the run's writer ends the run: nothing more can come, and the run is dropped.
 *
 * Runs form a list ordered by (writer, first): one small object for most counters. They are immutable
 * but for one case, which is almost every case: a copy that owns the only run adds to it in place, so
 * that a counter that is counted leaves no garbage behind.
 */
import type { WriterId } from "../model/ids.ts";
import type { CausalVector } from "./causal-vector.ts";
import { highHalf, joinHalves, lowHalf } from "./halves.ts";
import { nobody } from "./owner.ts";
import type { Owner } from "./owner.ts";
import { floorKey, isSeen, seenUpTo } from "./seen.ts";
import type { Removal } from "./seen.ts";

export class CounterRun implements RunFields {
  readonly type = "counter";
  readonly #writerHigh: number;
  readonly #writerLow: number;
  readonly first: number;
  last: number;
  total: number;
  readonly floor: number;
  readonly floorTotal: number;
  readonly next: CounterRun | undefined;
  /** Who may add to it in place; nobody while others may hold it. */
  owner: Owner = nobody;

  constructor(run: RunFields, next: CounterRun | undefined) {
    this.#writerHigh = highHalf(run.writer);
    this.#writerLow = lowHalf(run.writer);
    this.first = run.first;
    this.last = run.last;
    this.total = run.total;
    this.floor = run.floor;
    this.floorTotal = run.floorTotal;
    this.next = next;
  }

  get writer(): WriterId {
    return joinHalves(this.#writerHigh, this.#writerLow);
  }
}

/** What a run is, apart from its place in the list. */
export interface RunFields {
  readonly writer: WriterId;
  /** Sequence of the commit that began this run; with the writer, its name. */
  readonly first: number;
  /** Sequence of the last commit that added. */
  readonly last: number;
  readonly total: number;
  /** What was added up to this sequence was removed by another writer; 0: nothing. */
  readonly floor: number;
  /** The total at the floor. */
  readonly floorTotal: number;
}

/** Estimated encoded bytes of one run. */
const runBytes = 24;

/** Adds in place to a counter of the caller's own; false when a new one has to be made for it. */
export function addToOwnCounter(
  counter: CounterRun,
  writer: WriterId,
  sequence: number,
  change: { readonly first: number; readonly by: number },
): boolean {
  if (counter.next !== undefined || !isRun(counter, writer, change.first)) return false;
  counter.total = finite(counter.total + change.by);
  counter.last = sequence;
  return true;
}

/** Adds `by` to the run (writer, first), which begins with this commit when `first` is `sequence`. */
export function addToCounter(
  counter: CounterRun | undefined,
  writer: WriterId,
  sequence: number,
  change: { readonly first: number; readonly by: number },
): CounterRun {
  const { first, by } = change;
  if (counter === undefined) {
    const total = finite(by);
    return new CounterRun({ writer, first, last: sequence, total, ...noFloor }, undefined);
  }
  if (counter.next === undefined && isRun(counter, writer, first)) {
    const { floor, floorTotal } = counter;
    const total = finite(counter.total + by);
    const run = { writer, first, last: sequence, total, floor, floorTotal };
    return new CounterRun(run, undefined);
  }
  const runs = runsOf(counter);
  const index = runs.findIndex((run) => isRun(run, writer, first));
  const old = index < 0 ? { total: 0, ...noFloor } : runs[index]!;
  const { floor, floorTotal } = old;
  const total = finite(old.total + by);
  const run = { writer, first, last: sequence, total, floor, floorTotal };
  runs.splice(index < 0 ? runs.length : index, 1, run);
  return linked(runs)!;
}

const noFloor = { floor: 0, floorTotal: 0 } as const;

/** What all runs add up to; never beyond the finite numbers. */
export function counterValue(counter: CounterRun | undefined): number {
  if (counter === undefined) return 0;
  let sum = 0;
  for (let run: CounterRun | undefined = counter; run !== undefined; run = run.next) {
    sum = finite(sum + (run.total - run.floorTotal));
  }
  return sum;
}

/** Whether anything was added that nobody removed: a counter that only holds tombstones is absent. */
export function isCounterPresent(counter: CounterRun): boolean {
  for (let run: CounterRun | undefined = counter; run !== undefined; run = run.next) {
    if (run.last > run.floor) return true;
  }
  return false;
}

/** The run in which `writer` goes on adding, or 0: it has to begin one. */
export function openRun(counter: CounterRun | undefined, writer: WriterId): number {
  let first = 0;
  for (let run = counter; run !== undefined; run = run.next) {
    if (run.writer === writer) first = run.floor === 0 ? run.first : 0;
  }
  return first;
}

export function counterBytes(counter: CounterRun | undefined): number {
  let bytes = 0;
  for (let run = counter; run !== undefined; run = run.next) bytes += runBytes;
  return bytes;
}

/** Takes away what the remover had seen. @returns `undefined` when nothing is left, not even floors. */
export function removeFromCounter(
  counter: CounterRun,
  removal: Removal,
  path: readonly string[],
): CounterRun | undefined {
  const kept: RunFields[] = [];
  for (const run of runsOf(counter)) {
    if (run.writer === removal.writer) {
      if (!isSeen(removal, run.writer, run.first)) kept.push(run);
      continue;
    }
    const upTo = seenUpTo(removal.seen, run.writer);
    const total = removal.floors?.get(floorKey(path, run.writer, run.first));
    const isLower = upTo >= run.first && upTo > run.floor && total !== undefined;
    kept.push(isLower ? floored(run, upTo, total) : run);
  }
  return linked(kept);
}

/** Who retires whom. */
export interface Folding {
  readonly writers: ReadonlySet<WriterId>;
  /** The commit that does it. */
  readonly writer: WriterId;
  readonly sequence: number;
}

/**
 * Makes one run of all those of retired writers: the one in which the retiring writer goes on adding.
 *
 * @returns the counter itself when it has none, `undefined` when all that they added is removed
 */
export function foldRuns(counter: CounterRun, folding: Folding): CounterRun | undefined {
  const { writers, writer, sequence } = folding;
  const kept: RunFields[] = [];
  let isSame = true;
  /** Whoever added 0 has made a key of a map appear. */
  let by: number | undefined;
  for (const run of runsOf(counter)) {
    if (!writers.has(run.writer)) {
      kept.push(run);
      continue;
    }
    isSame = false;
    if (run.last > run.floor) by = finite((by ?? 0) + (run.total - run.floorTotal));
  }
  if (isSame) return counter;
  const rest = linked(kept);
  if (by === undefined) return rest;
  const open = openRun(rest, writer);
  return addToCounter(rest, writer, sequence, { first: open === 0 ? sequence : open, by });
}

/** A copy of a counter and the context it lives in. */
export interface CounterCopy {
  readonly counter: CounterRun | undefined;
  readonly vector: CausalVector;
}

/** Joins two copies: a run that one side knows of but does not hold was dropped there. */
export function mergeCounters(a: CounterCopy, b: CounterCopy): CounterRun | undefined {
  const merged: RunFields[] = [];
  const others = runsOf(b.counter);
  for (const run of runsOf(a.counter)) {
    const other = others.find((candidate) => isRun(candidate, run.writer, run.first));
    if (other === undefined) {
      if (!b.vector.covers(run.writer, run.first)) merged.push(run);
      continue;
    }
    const newer = run.last >= other.last ? run : other;
    const floor = run.floor >= other.floor ? run : other;
    merged.push(floored(newer, floor.floor, floor.floorTotal));
  }
  const mine = runsOf(a.counter);
  for (const run of others) {
    if (mine.some((candidate) => isRun(candidate, run.writer, run.first))) continue;
    if (!a.vector.covers(run.writer, run.first)) merged.push(run);
  }
  return linked(merged);
}

/** The runs in order. */
export function runsOf(counter: CounterRun | undefined): RunFields[] {
  const runs: RunFields[] = [];
  for (let run = counter; run !== undefined; run = run.next) runs.push(run);
  return runs;
}

/** Makes the list, without runs that are wholly removed and that their writer has left behind. */
export function linked(runs: RunFields[]): CounterRun | undefined {
  runs.sort((a, b) => a.writer - b.writer || a.first - b.first);
  let next: CounterRun | undefined;
  for (let index = runs.length - 1; index >= 0; index -= 1) {
    const run = runs[index]!;
    if (run.last <= run.floor && next?.writer === run.writer) continue;
    next = new CounterRun(run, next);
  }
  return next;
}

/** The run with another floor. */
function floored(run: RunFields, floor: number, floorTotal: number): RunFields {
  const { writer, first, last, total } = run;
  return { writer, first, last, total, floor, floorTotal };
}

function isRun(run: RunFields, writer: WriterId, first: number): boolean {
  return run.first === first && run.writer === writer;
}

/** Sums of finite numbers can leave them. */
function finite(value: number): number {
  if (value > Number.MAX_VALUE) return Number.MAX_VALUE;
  return value < -Number.MAX_VALUE ? -Number.MAX_VALUE : value;
}
