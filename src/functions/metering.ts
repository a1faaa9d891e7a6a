/**
 * Counts what calls use, by function and key. One key is one row of numbers that lie together, so
 * that a call touches one line of a processor's cache; its address remembers which row that is.
 *
 *     row   calls · CPU ms · bytes in · bytes out · failures · function
 *
 * Rows are bounded. When all are taken, the half of them that was used least is added to "other
 * keys" of their functions and used anew: that costs one pass for as many new keys as it frees, and
 * no sum of a function changes. Addresses then look for their rows again.
 */
import { splitEntityName, type EntityName, type PartitionId } from "../model/ids.ts";
import type { EntityAddress } from "./entity-address.ts";
import type { FunctionStats, KeyStats, Usage } from "./function-stats.ts";
import { leastUsed } from "./least-used.ts";

/** Keys told apart on one node, of all functions together. */
export const meteredKeysMax = 65_536;
/** Most keys of one function that can be asked for at once. */
export const topKeysMax = 1_000;

/** Of which some are not used: rows are to be as long as a line. */
const width = 8;
const calls = 0;
const cpuMs = 1;
const bytesIn = 2;
const bytesOut = 3;
const failures = 4;
const functionId = 5;
const counters = [calls, cpuMs, bytesIn, bytesOut, failures] as const;
const firstRows = 64;
/** Beside the CPU time, what a call counts when keys are compared: time may stand still. */
const callMs = 0.001;

/** The size of an entity's state now, 0 for one that is not served here. */
export type SizeOf = (partition: PartitionId, name: EntityName) => number;

export class Metering {
  /** When it began, in milliseconds since the epoch. */
  readonly since: number;
  readonly #rowsMax: number;
  #rows = new Float64Array(firstRows * width);
  /** By row; `undefined`: nobody's. */
  readonly #names: (EntityName | undefined)[] = [];
  readonly #partitions: PartitionId[] = [];
  readonly #rowOf = new Map<EntityName, number>();
  readonly #freeRows: number[] = [];
  readonly #functionIds = new Map<string, number>();
  /** By function: the counters of keys that have no row any more. */
  readonly #others: Float64Array[] = [];
  /** Rises when rows go to other keys; that of an address which has none is 0. */
  #generation = 1;

  constructor(since: number, rowsMax = meteredKeysMax) {
    this.since = since;
    this.#rowsMax = rowsMax;
  }

  // As small as these are they become part of what calls them, and no number has to be boxed.

  /** A call ended. */
  ended(address: EntityAddress, inputBytes: number, resultBytes: number): void {
    const at = this.#placeOf(address);
    const rows = this.#rows;
    rows[at + calls]! += 1;
    rows[at + bytesIn]! += inputBytes;
    rows[at + bytesOut]! += resultBytes;
  }

  /** And so with an error. */
  failed(address: EntityAddress): void {
    this.#rows[this.#placeOf(address) + failures]! += 1;
  }

  /** It had the processor for so long. */
  spent(address: EntityAddress, ms: number): void {
    this.#rows[this.#placeOf(address) + cpuMs]! += ms;
  }

  /** Reads the row of the entity, if it has one, so that it is near; the number has no meaning. */
  fetch({ meterGeneration, meterPlace }: EntityAddress): number {
    return meterGeneration === this.#generation ? this.#rows[meterPlace]! : 0;
  }

  /**
   * What was counted of these functions, in their order. One pass over all keys.
   * @param topCount so many keys of each, 0 … 1,000; 0: only sums
   */
  read(
    functionNames: readonly string[],
    topCount: number,
    sizeOf: SizeOf,
  ): readonly FunctionStats[] {
    const readings = new Map<number, Reading>();
    for (const name of functionNames) readings.set(this.#functionIdOf(name), new Reading());
    for (const [row, name] of this.#names.entries()) {
      const reading = readings.get(this.#rows[row * width + functionId]!);
      if (name === undefined || reading === undefined) continue;
      reading.keyCount += 1;
      reading.stateBytes += sizeOf(this.#partitions[row]!, name);
      addTo(reading.sums, this.#rows, row * width);
      if (topCount > 0) this.#offer(reading.top, row, topCount);
    }
    return functionNames.map((name) => {
      const id = this.#functionIdOf(name);
      const others = this.#others[id]!;
      const { keyCount: keys, sums, stateBytes, top } = readings.get(id)!;
      addTo(sums, others, 0);
      const stats: FunctionStats = { name, ...usageOf(sums, 0, stateBytes), keys };
      if (topCount === 0) return stats;
      const otherKeys = usageOf(others, 0, 0);
      return { ...stats, top: top.map((row) => this.#keyStatsOf(row, sizeOf)), otherKeys };
    });
  }

  #keyStatsOf(row: number, sizeOf: SizeOf): KeyStats {
    const name = this.#names[row]!;
    const size = sizeOf(this.#partitions[row]!, name);
    return { key: splitEntityName(name).key, ...usageOf(this.#rows, row * width, size) };
  }

  /** Enters a row into a list that is sorted by use and has at most `count` places. */
  #offer(top: number[], row: number, count: number): void {
    if (top.length === count && this.#compare(row, top[count - 1]!) > 0) return;
    let low = 0;
    let high = top.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#compare(row, top[middle]!) < 0) high = middle;
      else low = middle + 1;
    }
    top.splice(low, 0, row);
    if (top.length > count) top.pop();
  }

  /** Below 0 when `a` comes first: by CPU time, then by calls, then by name. */
  #compare(a: number, b: number): number {
    const rows = this.#rows;
    const byUse =
      rows[b * width + cpuMs]! - rows[a * width + cpuMs]! ||
      rows[b * width + calls]! - rows[a * width + calls]!;
    return byUse || (this.#names[a]! < this.#names[b]! ? -1 : 1);
  }

  /** Where the row of the entity begins. */
  #placeOf(address: EntityAddress): number {
    if (address.meterGeneration !== this.#generation) this.#find(address);
    return address.meterPlace;
  }

  #find(address: EntityAddress): void {
    const row = this.#rowOf.get(address.name) ?? this.#add(address);
    address.meterPlace = row * width;
    address.meterGeneration = this.#generation;
  }

  #add({ name, functionName, partition }: EntityAddress): number {
    if (this.#rowOf.size >= this.#rowsMax) this.#fold();
    const row = this.#freeRows.pop() ?? this.#names.length;
    if (row * width === this.#rows.length) this.#grow();
    this.#names[row] = name;
    this.#partitions[row] = partition;
    this.#rowOf.set(name, row);
    this.#rows[row * width + functionId] = this.#functionIdOf(functionName);
    return row;
  }

  #grow(): void {
    const rows = new Float64Array(this.#rows.length * 2);
    rows.set(this.#rows);
    this.#rows = rows;
  }

  /** Frees half of the rows. All are taken. */
  #fold(): void {
    const rows = this.#rows;
    const count = this.#names.length;
    const useOf = (row: number): number =>
      rows[row * width + cpuMs]! + rows[row * width + calls]! * callMs;
    for (const row of leastUsed(count, Math.ceil(count / 2), useOf)) {
      const at = row * width;
      addTo(this.#others[rows[at + functionId]!]!, rows, at);
      rows.fill(0, at, at + width);
      this.#rowOf.delete(this.#names[row]!);
      this.#names[row] = undefined;
      this.#freeRows.push(row);
    }
    this.#generation += 1;
  }

  #functionIdOf(name: string): number {
    const known = this.#functionIds.get(name);
    if (known !== undefined) return known;
    const id = this.#functionIds.size;
    this.#functionIds.set(name, id);
    this.#others.push(new Float64Array(width));
    return id;
  }
}

/** What is read of one function. */
class Reading {
  keyCount = 0;
  stateBytes = 0;
  readonly sums = new Float64Array(width);
  /** Rows, those that were used most first. */
  readonly top: number[] = [];
}

function addTo(sums: Float64Array, rows: Float64Array, at: number): void {
  for (const column of counters) sums[column]! += rows[at + column]!;
}

function usageOf(rows: Float64Array, at: number, stateBytes: number): Usage {
  return {
    calls: rows[at + calls]!,
    failures: rows[at + failures]!,
    cpuMs: rows[at + cpuMs]!,
    bytesIn: rows[at + bytesIn]!,
    bytesOut: rows[at + bytesOut]!,
    stateBytes,
  };
}
