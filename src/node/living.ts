/** Who is there, as this node sees its cluster. */
import type { Member } from "../membership/member.ts";
import type { NodeId } from "../model/ids.ts";

type Members = ReadonlyMap<NodeId, Member>;

/** Members held alive, this node included. */
export function aliveNodes(members: Members): readonly NodeId[] {
  return [...members.values()].filter(({ status }) => status === "alive").map(({ id }) => id);
}

/** Whether somebody else is alive who does not leave. */
export function hasStayingPeer(members: Members, self: NodeId): boolean {
  return [...members.values()].some(
    ({ id, status, leaving }) => id !== self && status === "alive" && !leaving,
  );
}
