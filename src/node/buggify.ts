/**
 * What a simulation does to a node from within, where no network and no crash can reach: rare paths
 * made common ("buggify": FoundationDB; Zhou et al., SIGMOD 2021). Nothing of it outside simulations.
 */
import type { ProcessId } from "../model/ids.ts";
import type { ReplicationMessage } from "../wire/replication-messages.ts";

export interface Buggify {
  /** Copies of partitions are sent in pieces of so many bytes. */
  readonly imagePieceBytes?: number | undefined;
  /** So many copies may be under way to one process. */
  readonly basesUnderWayMax?: number | undefined;
  /** Deleted entities are forgotten after so many milliseconds. */
  readonly tombstoneMs?: number | undefined;
  /** So many ended terms that an entity names are retired. */
  readonly retireAt?: number | undefined;
  /** Targets are told that senders are done from so many on. */
  readonly settledMin?: number | undefined;
  /** Whether what replicas are about to say to one process is lost, though the link stands. */
  readonly losesBatch?: ((batch: ReplicationMessage, to: ProcessId) => boolean) | undefined;
}
