/** Compares the copies of all partitions between the processes that hold them. */
import type { PartitionReport } from "./copy-report.ts";
import type { NodeProcess } from "./node-process.ts";

/** What each running node tells of its partitions, by node id and partition. */
export type ReportsByNode = ReadonlyMap<string, ReadonlyMap<number, PartitionReport>>;

export async function reportsByNode(nodes: readonly NodeProcess[]): Promise<ReportsByNode> {
  const all = await Promise.all(nodes.map((node) => node.partitions()));
  return new Map(
    nodes.map((node, index) => [
      node.id,
      new Map((all[index] ?? []).map((report) => [report.partition, report])),
    ]),
  );
}

/** Partitions of which the copy of an owner that runs differs from its primary's. */
export async function unequalPartitions(nodes: readonly NodeProcess[]): Promise<number[]> {
  const reports = await reportsByNode(nodes);
  const unequal: number[] = [];
  for (const own of reports.values()) {
    for (const led of own.values()) {
      if (led.serving !== "primary") continue;
      const copies = led.owners
        .filter((owner) => reports.has(owner))
        .map((owner) => reports.get(owner)?.get(led.partition));
      if (!copies.every((copy) => areEqual(copy, led))) unequal.push(led.partition);
    }
  }
  return unequal;
}

function areEqual(one: PartitionReport | undefined, other: PartitionReport): boolean {
  return one?.digest === other.digest && one.position === other.position && one.term === other.term;
}
