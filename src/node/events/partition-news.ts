/**
 * What was told of each partition, so that only what changed is told. A replica says how it stands
 * whenever anything about that changes; an operator wants to know when leading, and when service
 * without a majority, began and ended.
 */
import type { PartitionId, ProcessId } from "../../model/ids.ts";
import type { RoleChange } from "../../replication/effect.ts";
import type { Owners } from "../../wire/replication-messages.ts";
import type { Announcer } from "./announcer.ts";

export class PartitionNews {
  readonly #events: Announcer;
  /** Terms of the partitions that this process leads with authority. */
  readonly #terms = new Map<PartitionId, number>();
  readonly #degraded = new Set<PartitionId>();
  readonly #owners = new Map<PartitionId, readonly ProcessId[]>();

  constructor(events: Announcer) {
    this.#events = events;
  }

  roleChanged(partition: PartitionId, { serving, term }: RoleChange): void {
    const led = serving === "primary" ? term?.number : undefined;
    const before = this.#terms.get(partition);
    if (before !== undefined && before !== led) {
      this.#terms.delete(partition);
      this.#events.tell({ type: "primary.ended", partition, term: before });
    }
    if (serving !== "degraded" && this.#degraded.delete(partition)) {
      this.#events.tell({ type: "degraded.ended", partition });
    }
    if (led !== undefined && before !== led) {
      this.#terms.set(partition, led);
      this.#events.tell({ type: "primary.began", partition, term: led });
    }
    if (serving === "degraded" && !this.#degraded.has(partition)) {
      this.#degraded.add(partition);
      this.#events.tell({ type: "degraded.began", partition });
    }
  }

  /** Told by whoever leads the partition; the others only remember, should they come to lead it. */
  ownersChanged(partition: PartitionId, owners: Owners, leads: boolean): void {
    const { processes } = owners;
    const before = this.#owners.get(partition) ?? owners.previous.at(-1)?.processes ?? [];
    this.#owners.set(partition, processes);
    if (!leads || !this.#events.isHeard) return;
    const added = processes.filter((process) => !before.includes(process));
    const removed = before.filter((process) => !processes.includes(process));
    if (added.length + removed.length === 0) return;
    this.#events.tell({
      type: "owners.changed",
      partition,
      owners: [...processes],
      added,
      removed,
    });
  }
}
