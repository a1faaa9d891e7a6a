/** What membership asks its driver to do or to know. */
import type { BootId, NodeId } from "../model/ids.ts";
import type { MembershipMessage } from "../wire/membership-messages.ts";
import type { Member } from "./member.ts";

export type MembershipEffect =
  /** Over the control channel; without a link the driver dials first and may drop it. */
  | { readonly type: "send"; readonly to: NodeId; readonly message: MembershipMessage }
  /** `previous` is absent for a member heard of for the first time. */
  | {
      readonly type: "member-changed";
      readonly member: Member;
      readonly previous: Member | undefined;
    }
  /** The members placement is computed from, sorted by id; see `placement.ts`. */
  | { readonly type: "placement-changed"; readonly members: readonly Member[] }
  /** Try to reach this address; `node` is who lived there last, if known. */
  | { readonly type: "dial"; readonly address: string; readonly node: NodeId | undefined }
  /** This node was accused and said otherwise. */
  | { readonly type: "refuted"; readonly refutations: number; readonly accuser: NodeId }
  /** It answered a probe through others only: the link to it may carry nothing any more. */
  | { readonly type: "link-doubtful"; readonly node: NodeId }
  /** The clock was so far ahead of (negative: behind) the members' and shows their time now. */
  | { readonly type: "clock-set"; readonly aheadMs: number }
  /** A later life of this node id exists: this process must stop. Reported once. */
  | { readonly type: "outdated"; readonly boot: BootId }
  /** An operator has declared this process gone, on node `by`: it must stop. Reported once. */
  | { readonly type: "forgotten"; readonly by: NodeId }
  /** Call `polled` after sockets were read once more (`setImmediate` twice). */
  | { readonly type: "poll" }
  /** A statement was out of bounds and ignored; `from` sent it. */
  | { readonly type: "malformed"; readonly from: NodeId; readonly node: NodeId }
  /** A new member was ignored because `memberCountMax` are known. */
  | { readonly type: "table-full"; readonly node: NodeId };
