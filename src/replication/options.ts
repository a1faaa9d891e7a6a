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
  /** @default nothing is held back */
  readonly flow?: Flow;
}

/** How the driver lets copies go; nothing depends on its answers but the pace. */
export interface Flow {
  /**
   * What was sent to this process is on its way. Then silence says nothing, and another base would
   * only wait behind the first.
   */
  isSending(to: ProcessId): boolean;
  /** A process that is to be an owner may be sent a copy now; if not, `peersChanged` tells when. */
  mayInvite(to: ProcessId): boolean;
}
