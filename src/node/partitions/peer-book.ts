/**
 * What this process knows of the others: who is linked, who is held suspect or dead, who is proven
 * dead. All partitions share it. Links and membership write it, the replicas read it.
 *
 * Two rules of the protocol live here because they are facts about links and not about one
 * partition: when a primary counts as lost (rule 6) and when a process is proven dead (rule 8).
 */
import { bootOf, nodeOf, type BootId, type NodeId, type ProcessId } from "../../model/ids.ts";
import type { Peers } from "../../replication/peers.ts";
import type { MemberStatus } from "../../wire/membership-messages.ts";
import type { LinkEvidence } from "../links/link-evidence.ts";

/** A lost link counts as a lost process when its re-dial has been unanswered for so long. */
export const unansweredRedialMs = 250;
/** A suspect whose data channel has been silent for so long, though it was asked, is lost. */
export const silentSuspectMs = 2_000;

/** What the membership says of a node. */
interface MemberNews {
  readonly id: NodeId;
  readonly boot: BootId;
  readonly status: MemberStatus;
  readonly leaving: boolean;
}

interface PeerRecord {
  /** Linked now. */
  process: ProcessId | undefined;
  /** The newest life seen linked, whether or not it still is. */
  newestBoot: BootId;
  /** When the link broke, or when it was first missed. */
  unlinkedAt: number;
  /** The last evidence about the newest life since its link broke. */
  evidence: LinkEvidence | undefined;
  status: MemberStatus;
  leaving: boolean;
  /** An operator's word that this life, like those before, will not return; 0: of none. */
  goneBoot: BootId;
}

export class PeerBook implements Peers {
  readonly #self: ProcessId;
  readonly #selfNode: NodeId;
  readonly #records = new Map<NodeId, PeerRecord>();
  readonly #now: () => number;
  readonly #dataHeardAt: (node: NodeId) => number | undefined;
  /** Whether this process itself is leaving. */
  selfLeaving = false;

  constructor(
    self: ProcessId,
    now: () => number,
    dataHeardAt: (node: NodeId) => number | undefined,
  ) {
    this.#self = self;
    this.#selfNode = nodeOf(self);
    this.#now = now;
    this.#dataHeardAt = dataHeardAt;
  }

  linkUp(process: ProcessId): void {
    const record = this.#record(nodeOf(process));
    record.process = process;
    record.newestBoot = Math.max(record.newestBoot, bootOf(process));
    record.evidence = undefined;
  }

  linkDown(process: ProcessId): void {
    const record = this.#record(nodeOf(process));
    if (record.process !== process) return;
    record.process = undefined;
    record.unlinkedAt = this.#now();
  }

  /** False when it tells nothing new. */
  note(node: NodeId, boot: BootId, evidence: LinkEvidence): boolean {
    const record = this.#record(node);
    if (record.process !== undefined || boot < record.newestBoot) return false;
    if (record.evidence === evidence) return false;
    record.evidence = evidence;
    return true;
  }

  memberChanged({ id, boot, status, leaving }: MemberNews): void {
    if (id === this.#selfNode) return;
    const record = this.#record(id);
    record.status = status;
    record.leaving = leaving;
    if (status === "gone") record.goneBoot = Math.max(record.goneBoot, boot);
  }

  reachable(process: ProcessId): boolean {
    if (process === this.#self) return true;
    const record = this.#records.get(nodeOf(process));
    return record?.process === process && record.status !== "suspect" && record.status !== "dead";
  }

  linked(process: ProcessId): boolean {
    return process === this.#self || this.#records.get(nodeOf(process))?.process === process;
  }

  lost(process: ProcessId): boolean {
    if (process === this.#self) return false;
    const node = nodeOf(process);
    if (node === this.#selfNode) return true;
    const record = this.#record(node);
    // A leaving process is not lost while it can be reached: it hands over what it leads, and would
    // refuse every candidate until then.
    if (hasEnded(record.status)) return true;
    if (record.process === process) return this.#hasFallenSilent(node, record);
    const hasLaterLife = record.process !== undefined || bootOf(process) < record.newestBoot;
    return hasLaterLife || this.#isGone(record);
  }

  #hasFallenSilent(node: NodeId, { status }: PeerRecord): boolean {
    if (status !== "suspect") return false;
    return this.#now() - (this.#dataHeardAt(node) ?? 0) >= silentSuspectMs;
  }

  /** Nothing is linked, and the re-dial said why or nothing for too long. */
  #isGone({ evidence, unlinkedAt }: PeerRecord): boolean {
    if (evidence !== undefined && evidence !== "unreachable") return true;
    return this.#now() - unlinkedAt >= unansweredRedialMs;
  }

  provenDead(process: ProcessId): boolean {
    const node = nodeOf(process);
    if (node === this.#selfNode) return bootOf(process) < bootOf(this.#self);
    const record = this.#records.get(node);
    if (record !== undefined && bootOf(process) <= record.goneBoot) return true;
    const present = record?.process;
    return present !== undefined && bootOf(present) > bootOf(process);
  }

  presentOf(node: NodeId): ProcessId | undefined {
    if (node === this.#selfNode) return this.#self;
    return this.#records.get(node)?.process;
  }

  holdsDead(node: NodeId): boolean {
    const status = this.#records.get(node)?.status;
    return status !== undefined && hasEnded(status);
  }

  isLeaving(node: NodeId): boolean {
    if (node === this.#selfNode) return this.selfLeaving;
    const record = this.#records.get(node);
    return record?.leaving === true || record?.status === "left";
  }

  #record(node: NodeId): PeerRecord {
    let record = this.#records.get(node);
    if (record === undefined) {
      record = {
        process: undefined,
        newestBoot: 0,
        unlinkedAt: this.#now(),
        evidence: undefined,
        status: "alive",
        leaving: false,
        goneBoot: 0,
      };
      this.#records.set(node, record);
    }
    return record;
  }
}

function hasEnded(status: MemberStatus): boolean {
  return status === "dead" || status === "left" || status === "gone";
}
