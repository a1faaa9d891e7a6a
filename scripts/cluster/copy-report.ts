/**
 * What one process holds of partitions and entities, as plain data: what proofs compare between the
 * owners of a partition. It shows the *copy*, committed state only, and not what a primary answers.
 */
import type { AnyFunction } from "../../src/definition/function-definition.ts";
import type { LatticeNode } from "../../src/node/lattice-node.ts";
import { hybridTimeToMs } from "../../src/model/time.ts";
import { nodeOf } from "../../src/model/ids.ts";
import { plainOf } from "../../src/state/plain.ts";

/** One entity, by its address. */
export interface CopyWanted {
  readonly functionName: string;
  readonly key: string;
}

export interface PartitionReport {
  readonly partition: number;
  readonly role: string;
  /** "primary", "degraded" or "" where it serves nothing. */
  readonly serving: string;
  readonly term: number;
  readonly position: number;
  readonly committed: number;
  /** Node ids of the owner set, in no order. */
  readonly owners: readonly string[];
  /** Over the commits of all entities. */
  readonly digest: number;
  /** Commits made without a majority that wait to be merged. */
  readonly forkCommits: number;
}

export interface CopyReport {
  readonly partition: number;
  readonly digest: number;
  /** Over all contents; equal digests with unequal hashes would be a bug. */
  readonly contentHash: number;
  /** The stamp of its newest change, in milliseconds since the epoch. */
  readonly stampMs: number;
  /** As a watcher would get it. */
  readonly plain: unknown;
}

export function partitionReports(node: LatticeNode): PartitionReport[] {
  const reports: PartitionReport[] = [];
  for (const [partition, replica] of node.parts.partitions.held()) {
    reports.push({
      partition,
      role: replica.role,
      serving: replica.serving ?? "",
      term: replica.term?.number ?? 0,
      position: replica.progress?.position ?? 0,
      committed: replica.progress?.committed ?? 0,
      owners: (replica.owners?.processes ?? []).map(nodeOf),
      digest: replica.digest,
      forkCommits: replica.forkCommits,
    });
  }
  return reports;
}

/** `undefined` where this process has no copy of the entity. */
export function copyReport(
  node: LatticeNode,
  definition: AnyFunction | undefined,
  { functionName, key }: CopyWanted,
): CopyReport | undefined {
  const { partitions } = node.parts;
  const name = `${functionName}/${key}`;
  const partition = partitions.partitionOf(name);
  const entity = partitions.replica(partition)?.committedEntity(name);
  if (entity === undefined || definition === undefined) return undefined;
  return {
    partition,
    digest: entity.digest,
    contentHash: entity.contentHash(),
    stampMs: hybridTimeToMs(entity.hybridTime),
    plain: plainOf(entity, definition.state),
  };
}
