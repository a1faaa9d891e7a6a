import type { NodeId, PartitionId, ProcessId } from "../model/ids.ts";
import type { Random } from "../model/random.ts";
import type { Peers } from "./peers.ts";
import type { EntityFactory, ReplicatedEntity } from "./replicated-entity.ts";

/** What a replica is given for life. */
export interface ReplicaOptions<E extends ReplicatedEntity<E>> {
  readonly partition: PartitionId;
  /** This process. */
  readonly self: ProcessId;
  readonly peers: Peers;
  readonly random: Random;
  readonly entities: EntityFactory<E>;
  /** The table's owners of this partition, first one first; `tableChanged` tells of later ones. */
  readonly table: readonly NodeId[];
  /**
   * Owners in a table when there are enough nodes. A shorter table that lacks an owner whom nobody
   * holds dead is that of a node which does not know the others yet: it does not drop that owner. 0: every table is believed.
   * @default 0
   */
  readonly replicas?: number;
  /**
   * Something for this process still waits for room on its link. Then its silence says nothing, and
   * another base would only wait behind the first.
   * @default never
   */
  readonly isSending?: (to: ProcessId) => boolean;
}
