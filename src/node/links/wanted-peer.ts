import type { BootId, NodeId } from "../../model/ids.ts";

/** One life of a node and where it can be dialled. */
export interface WantedPeer {
  readonly id: NodeId;
  readonly boot: BootId;
  readonly address: string;
}
