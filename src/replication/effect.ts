import type { EntityName, ProcessId } from "../model/ids.ts";
import type { Term } from "../model/term.ts";
import type { Owners, PartitionMessage } from "../wire/replication-messages.ts";

/** What one partition asks its driver to do. */
export type ReplicationEffect =
  | { readonly type: "send"; readonly to: ProcessId; readonly message: PartitionMessage }
  /** The answer that waits under `token` may go out, or will never be sure. */
  | { readonly type: "release"; readonly token: unknown; readonly outcome: ReleaseOutcome }
  /** The known-committed part of these entities moved on: watchers, replica reads, outboxes. */
  | { readonly type: "committed"; readonly entities: readonly EntityName[] }
  /** The copy was replaced as a whole: any entity may have changed or gone. */
  | { readonly type: "replaced" }
  | RoleChange
  | { readonly type: "owners-changed"; readonly owners: Owners }
  /** Equal positions held different state: a defect; the copy is being replaced. */
  | { readonly type: "diverged"; readonly primary: ProcessId; readonly position: number }
  /** This primary forgets so many entities that were deleted long ago. */
  | { readonly type: "reaped"; readonly count: number }
  /** A fork changed entities that were deleted and reaped meanwhile: these changes are dropped. */
  | {
      readonly type: "fork-refused";
      readonly from: ProcessId;
      readonly entities: readonly EntityName[];
    }
  /** So many degraded commits of this process are part of the stream now. */
  | { readonly type: "fork-merged"; readonly commits: number };

/** Role, term, primary or way of serving changed. */
export interface RoleChange {
  readonly type: "role-changed";
  readonly role: Role;
  readonly serving: Serving;
  readonly term: Term | undefined;
  readonly primary: ProcessId;
}

/**
 * `absent`: no copy. `removed`: a copy, but not in the owner set that it knows (an owner to be, or
 * one that was).
 */
export type Role = "absent" | "removed" | "follower" | "candidate" | "primary";

/** How calls are run here: with authority, on a fork, or not at all. */
export type Serving = "primary" | "degraded" | undefined;

export type ReleaseOutcome =
  | { readonly type: "ok"; readonly copies: number; readonly degraded: boolean }
  | { readonly type: "indeterminate" };
