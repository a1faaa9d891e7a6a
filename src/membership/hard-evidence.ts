/**
 * Hard evidence: the link to a process was lost without a goodbye, and dialling it again was refused
 * or answered by another process. Nothing of the process is left at its address, so there is no need
 * to wait for probes. Still, two nodes must have seen it, because one may sit behind a broken path
 * that refuses; and a second passes before the verdict, in which a dial may succeed after all.
 *
 * One case per member of the table, so their number is bounded by it.
 */
import type { BootId, NodeId } from "../model/ids.ts";
import type { MembershipSettings } from "./settings.ts";

interface Case {
  readonly boot: BootId;
  readonly openedAt: number;
  /** Distinct; no more than needed are kept. */
  readonly witnesses: NodeId[];
  /** Infinity until enough nodes saw it. */
  dueAt: number;
}

interface DueCase {
  readonly node: NodeId;
  readonly boot: BootId;
  readonly openedAt: number;
}

/** One witness is enough where a second one hardly exists. */
export function witnessesNeeded(wanted: number, memberCount: number): number {
  return memberCount <= 3 ? 1 : wanted;
}

export class HardEvidence {
  readonly #settings: MembershipSettings;
  readonly #cases = new Map<NodeId, Case>();

  constructor(settings: MembershipSettings) {
    this.#settings = settings;
  }

  add(
    subject: { readonly node: NodeId; readonly boot: BootId },
    witness: NodeId,
    memberCount: number,
    now: number,
  ): void {
    let current = this.#cases.get(subject.node);
    if (current?.boot !== subject.boot || this.#isStale(current, now)) {
      current = { boot: subject.boot, openedAt: now, witnesses: [], dueAt: Infinity };
      this.#cases.set(subject.node, current);
    }
    const needed = witnessesNeeded(this.#settings.evidenceWitnessCount, memberCount);
    if (current.dueAt !== Infinity) return;
    if (!current.witnesses.includes(witness)) current.witnesses.push(witness);
    if (current.witnesses.length >= needed) current.dueAt = now + this.#settings.evidenceDelayMs;
  }

  clear(node: NodeId): void {
    this.#cases.delete(node);
  }

  /** Forgets what too few nodes saw for too long. */
  expire(now: number): void {
    for (const [node, known] of this.#cases) {
      if (this.#isStale(known, now)) this.#cases.delete(node);
    }
  }

  get nextDueAt(): number {
    let next = Infinity;
    for (const { dueAt } of this.#cases.values()) next = Math.min(next, dueAt);
    return next;
  }

  /** Cases whose second is over. They stay until cleared. */
  due(now: number): readonly DueCase[] {
    const found: DueCase[] = [];
    for (const [node, { boot, openedAt, dueAt }] of this.#cases) {
      if (dueAt <= now) found.push({ node, boot, openedAt });
    }
    return found;
  }

  #isStale({ openedAt, dueAt }: Case, now: number): boolean {
    return dueAt === Infinity && now - openedAt > this.#settings.evidenceLifeMs;
  }
}
