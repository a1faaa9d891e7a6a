/** A report as tables for a terminal. */
import { loadName, type ClusterReport, type ClusterRow, type Report } from "./report.ts";
import type { MicroResult } from "./micro.ts";
import type { MachineDescription } from "./machine.ts";

export function printReport(report: Report): void {
  console.log(`\n${machineLine(report.machine)}`);
  for (const cluster of report.clusters) printCluster(cluster, report.repetitions);
  if (report.micro.length > 0) printMicro(report.micro);
}

/** One line that says on what and of what it was measured. */
export function machineLine(machine: MachineDescription): string {
  const { processor, cores, memoryGiB, system, node, commit, date, loadAverage } = machine;
  return (
    `${processor}, ${String(cores)} cores, ${String(memoryGiB)} GiB, ${system}, Node ${node}, ` +
    `commit ${commit}, ${date}, load ${String(loadAverage)}`
  );
}

function printCluster({ title, rows, invalid }: ClusterReport, repetitions: number): void {
  const references = [...new Set(rows.flatMap((row) => row.ratios.map((r) => r.reference)))];
  console.log(`\n${title}`);
  console.log(
    `medians of ${String(repetitions)} interleaved repetitions; × is throughput, its median ratio`,
  );
  const header = ["", "load", "calls/s", "p50 µs", "p99 µs", "CPU µs/call"];
  printTable([
    [...header, ...references.map((reference) => `× ${reference}`)],
    ...rows.map((row) => cells(row, references)),
  ]);
  if (invalid !== undefined) console.log(`INVALID: ${invalid}`);
}

function cells(row: ClusterRow, references: readonly string[]): string[] {
  const cpu = `${row.clientUsPerCall.toFixed(2)} + ${row.serverUsPerCall.toFixed(2)}`;
  return [
    row.subject,
    loadName(row.load),
    Math.round(row.callsPerS).toLocaleString("en-US"),
    micros(row.p50Us),
    micros(row.p99Us),
    cpu,
    ...references.map((reference) => {
      const ratio = row.ratios.find((candidate) => candidate.reference === reference);
      return ratio === undefined ? "" : ratio.throughput.toFixed(3);
    }),
  ];
}

function micros(us: number): string {
  return us < 100 ? us.toFixed(1) : Math.round(us).toLocaleString("en-US");
}

function printMicro(results: readonly MicroResult[]): void {
  console.log("\nMicro benches");
  printTable([
    ["bench", "task", "ns/operation", "samples"],
    ...results.map(({ bench, task, nsPerOperation, samples }) => [
      bench,
      task,
      Math.round(nsPerOperation).toLocaleString("en-US"),
      samples.toLocaleString("en-US"),
    ]),
  ]);
}

/** Words to the left, numbers to the right. */
function printTable(rows: readonly (readonly string[])[]): void {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const row of rows) {
    const line = row.map((cell, column) =>
      column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
    );
    console.log(`  ${line.join("  ").trimEnd()}`);
  }
}
