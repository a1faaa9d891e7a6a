import type { BootId, NodeId } from "../../model/ids.ts";
import type { Message, NodeIdentity } from "../../wire/messages.ts";

/**
 * How a link ended, as far as this node can tell: the peer said goodbye; a re-dial was refused
 * (nobody listens there any more); another node, or another life of this one, answered; or nothing
 * answered at all.
 */
export type LinkEvidence = "goodbye" | "refused" | "replaced" | "unreachable";

/** A second process that runs under a node id. */
export interface DuplicateNode {
  readonly node: NodeId;
  /** Where it says that it can be reached. */
  readonly address: string;
  /** What it was told. */
  readonly message: string;
}

/** What the node around the links is told. */
export interface LinkEvents {
  /** Control and data channel are open. */
  linkUp(peer: NodeIdentity): void;
  /** The link broke; evidence about the peer follows once a re-dial has been answered. */
  linkDown(peer: NodeIdentity): void;
  evidence(node: NodeId, boot: BootId, evidence: LinkEvidence): void;
  message(peer: NodeIdentity, message: Message): void;
  /** The data channel to this node can take more again. */
  drained(node: NodeId): void;
  /** A newer life of this node id is remembered by others. */
  bootTooLow(remembered: BootId): void;
  /** Somebody came under the id of a node that is here, and was refused. */
  duplicateNode(refused: DuplicateNode): void;
  /** A hand shake was refused for a reason that a retry will not mend. */
  refused(address: string, code: string, message: string): void;
}
