/** What a run of benches has found, as data: what is printed, written as JSON and drawn. */
import type { ClusterBench, RatioOf } from "./cluster-bench.ts";
import type { Load } from "./load.ts";
import type { MachineDescription } from "./machine.ts";
import type { Cell } from "./measure.ts";
import type { MicroResult } from "./micro.ts";
import { median, medianRatio } from "./statistics.ts";
import type { SubjectName } from "./subjects.ts";

export interface Report {
  readonly machine: MachineDescription;
  readonly repetitions: number;
  readonly clusters: readonly ClusterReport[];
  readonly micro: readonly MicroResult[];
}

export interface ClusterReport {
  readonly name: string;
  readonly title: string;
  readonly rows: readonly ClusterRow[];
  /** Why the ratios mean nothing; absent when they do. */
  readonly invalid: string | undefined;
}

/** A subject under a load: medians over all repetitions. */
export interface ClusterRow {
  readonly subject: SubjectName;
  readonly load: Load;
  readonly callsPerS: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly clientUsPerCall: number;
  readonly serverUsPerCall: number;
  readonly ratios: readonly Ratio[];
  /** The measurements themselves. */
  readonly measurements: Cell["measurements"];
}

export interface Ratio {
  readonly reference: SubjectName;
  readonly throughput: number;
  /** Of the median latencies. */
  readonly p50: number;
}

export function clusterReport(bench: ClusterBench, cells: readonly Cell[]): ClusterReport {
  const find = (subject: SubjectName, load: Load): Cell | undefined =>
    cells.find((cell) => cell.subject === subject && isSame(cell.load, load));
  const ratioOf: RatioOf = (subject, reference, load) => {
    const mine = find(subject, load);
    const theirs = find(reference, load);
    if (mine === undefined || theirs === undefined) return undefined;
    return medianRatio(valuesOf(mine, "callsPerS"), valuesOf(theirs, "callsPerS"));
  };
  const rows = cells.map((cell) => ({
    subject: cell.subject,
    load: cell.load,
    callsPerS: median(valuesOf(cell, "callsPerS")),
    p50Us: median(valuesOf(cell, "p50Us")),
    p99Us: median(valuesOf(cell, "p99Us")),
    clientUsPerCall: median(valuesOf(cell, "clientUsPerCall")),
    serverUsPerCall: median(valuesOf(cell, "serverUsPerCall")),
    ratios: bench.references
      .filter((reference) => reference !== cell.subject)
      .map((reference) => ratio(cell, find(reference, cell.load)!))
      .filter(({ throughput, p50 }) => Number.isFinite(throughput) && Number.isFinite(p50)),
    measurements: cell.measurements,
  }));
  const invalid = unanswered(cells) ?? bench.check?.(ratioOf);
  return { name: bench.name, title: bench.title, rows, invalid };
}

/** Which subject answered nothing while it was measured: it, or its client, got no processor. */
function unanswered(cells: readonly Cell[]): string | undefined {
  const silent = cells.find(({ measurements }) => measurements.some((one) => one.callsPerS === 0));
  if (silent === undefined) return undefined;
  const what = `${silent.subject} answered no call in a measurement at ${loadName(silent.load)}`;
  return `${what}: something else used the processors, or it was too short (--ms)`;
}

function ratio(cell: Cell, reference: Cell): Ratio {
  return {
    reference: reference.subject,
    throughput: medianRatio(valuesOf(cell, "callsPerS"), valuesOf(reference, "callsPerS")),
    p50: medianRatio(valuesOf(cell, "p50Us"), valuesOf(reference, "p50Us")),
  };
}

type Measured = "callsPerS" | "p50Us" | "p99Us" | "clientUsPerCall" | "serverUsPerCall";

function valuesOf(cell: Cell, what: Measured): number[] {
  return cell.measurements.map((measurement) => measurement[what]);
}

function isSame(a: Load, b: Load): boolean {
  return loadName(a) === loadName(b);
}

/** `c = 256`, or `10,000/s`. */
export function loadName(load: Load): string {
  if (load.type === "closed") return `c = ${String(load.concurrency)}`;
  return `${load.callsPerS.toLocaleString("en-US")}/s`;
}
