/**
 * Whether a node that says hello may be who it says it is. A node id belongs to one process at a
 * time; a restarted node comes with a higher boot id, and so does a second process that was given
 * the same id by mistake. What tells them apart is whether the first one still answers.
 */
import type { BootId, NodeId } from "../model/ids.ts";
import { isFinal, type Member } from "./member.ts";

export type HelloJudgement =
  | { readonly type: "accept" }
  /** Of a refusal the newcomer learns the code; `rememberedBoot` is the highest boot id known. */
  | {
      readonly type: "refuse";
      readonly code: "same_node" | "duplicate_node" | "boot_too_low" | "leaving";
      readonly rememberedBoot: BootId;
    }
  /** The process known by this id is being pinged: ask again when its link closes or at `untilAt`. */
  | { readonly type: "wait"; readonly untilAt: number };

export interface HelloFacts {
  readonly newcomer: { readonly id: NodeId; readonly boot: BootId };
  readonly self: Member;
  /** What is recorded under the newcomer's id. */
  readonly known: Member | undefined;
  /** Boot of the process that holds a link to us under this id. */
  readonly linkedBoot: BootId | undefined;
  /** When that link began to be tested for this newcomer. */
  readonly testedAt: number | undefined;
  readonly heardAt: number;
  readonly waitMs: number;
  readonly now: number;
}

export function judgeHello(facts: HelloFacts): HelloJudgement {
  const { newcomer, self, known } = facts;
  if (newcomer.id === self.id) {
    const code = newcomer.boot === self.boot ? "same_node" : "duplicate_node";
    return { type: "refuse", code, rememberedBoot: self.boot };
  }
  if (self.status === "left") {
    return { type: "refuse", code: "leaving", rememberedBoot: known?.boot ?? 0 };
  }
  if (known === undefined) return { type: "accept" };
  const ended = newcomer.boot === known.boot && isFinal(known.status);
  if (newcomer.boot < known.boot || ended) {
    return { type: "refuse", code: "boot_too_low", rememberedBoot: known.boot };
  }
  const occupied = facts.linkedBoot !== undefined && facts.linkedBoot !== newcomer.boot;
  return occupied ? judgeOccupied(facts, known.boot) : { type: "accept" };
}

function judgeOccupied(facts: HelloFacts, rememberedBoot: BootId): HelloJudgement {
  const { testedAt, heardAt, waitMs, now } = facts;
  if (testedAt === undefined) return { type: "wait", untilAt: now + waitMs };
  if (heardAt > testedAt) return { type: "refuse", code: "duplicate_node", rememberedBoot };
  return now < testedAt + waitMs
    ? { type: "wait", untilAt: testedAt + waitMs }
    : { type: "accept" };
}
