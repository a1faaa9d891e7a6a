/**
 * What becomes of a call whose attempt did not succeed: one state machine for clients and for nodes
 * that ask other nodes.
 *
 * | the attempt ended with | did it run? | then |
 * | --- | --- | --- |
 * | not sent (link never opened) | no | at once at another owner, else after a back-off |
 * | link lost after sending | unknown | the same if repeatable, else the call fails |
 * | `unavailable`, `not_owner` | no | at once at another owner, else after a back-off |
 * | `degraded_offered` | no | another owner; if none is left, agree where `whenSplit` is `serve` |
 * | `aborted` (wait–die) | no | after a back-off, with the age of the first attempt; sole, the call fails |
 * | `overloaded` | no | after `retryAfterMs` and a back-off, while the budget lasts; sole, the call fails |
 * | `indeterminate` | unknown | after a back-off if repeatable, else the call fails |
 * | anything else | as it says | the call fails |
 *
 * *Repeatable* is a query, or a call under (caller, number), which the dedupe table of the entity
 * answers the second time. A wait beyond the deadline is not begun: the failure is told at once.
 *
 * *Sole* is a call that does not wait where it was refused. From inside a turn, which holds its entity
 * meanwhile: where it may not stand in a queue it must not wait beside it either, where wait–die does not
 * see it; its turn has to let go, and the failure goes up to the root of the chain, which holds nothing
 * and tries again. And from an outbox, which tries again by itself.
 */
import type { WhenSplit } from "../model/acks.ts";
import type { ErrorCode } from "../model/error.ts";
import type { Random } from "../model/random.ts";
import type { FailureCode } from "../wire/messages.ts";
import { callBackOff, fullJitterMs } from "./back-off.ts";
import type { RetryBudget } from "./retry-budget.ts";

/** Attempts in a row without a back-off; ends the ping-pong of two nodes that name each other. */
export const maxAttemptsAtOnce = 4;

/** What the policy remembers of one call; part of the caller's own record of it. */
export interface CallProgress {
  /** Changes nothing, so that no outcome of it is unknown. */
  readonly isQuery: boolean;
  /** Protected by (caller, number). Meaningless for queries. */
  readonly isProtected: boolean;
  readonly whenSplit: WhenSplit;
  /** Whoever makes it is to be told of a refusal, and not to wait here. */
  readonly isSole: boolean;
  /** An attempt ended without saying whether it ran: every later failure is indeterminate. */
  mayHaveRun: boolean;
  /** The caller agreed to degraded service: every later answer is reported as degraded (rule 16). */
  degradedAllowed: boolean;
  /** Degraded service was offered before: the next offer is taken. */
  wasOffered?: boolean;
  /** Refused by wait–die once: keeps its age from now on. */
  keepsAge: boolean;
  attemptsAtOnce: number;
  backOffs: number;
}

/** How one attempt ended. */
export interface AttemptEnd {
  readonly code: FailureCode | "not_sent" | "link_lost";
  /** As the failure message says; ignored for the codes whose outcome is known. */
  readonly indeterminate: boolean;
  readonly retryAfterMs: number;
  /** Another owner can be asked now that was not asked since the last back-off. */
  readonly othersLeft: boolean;
  /** Milliseconds to the deadline of the call. */
  readonly remainingMs: number;
}

export type Decision =
  /** The call is over. */
  | { readonly type: "settle" }
  /** Send it to another owner now. */
  | { readonly type: "elsewhere" }
  /** Send it to the same node now, with `degradedAllowed`. */
  | { readonly type: "agree" }
  /** Send it again after `delayMs` to whoever is best then. */
  | { readonly type: "wait"; readonly delayMs: number };

const settle: Decision = { type: "settle" };
const elsewhere: Decision = { type: "elsewhere" };
const agree: Decision = { type: "agree" };

export class RetryPolicy {
  readonly #random: Random;
  readonly #budget: RetryBudget;

  constructor(random: Random, budget: RetryBudget) {
    this.#random = random;
    this.#budget = budget;
  }

  /** Decides, and notes in `call` what later decisions depend on. */
  decide(call: CallProgress, end: AttemptEnd): Decision {
    if (outcomeUnknown(end)) {
      if (!call.isQuery) call.mayHaveRun = true;
      if (!call.isQuery && !call.isProtected) return settle;
    }
    switch (end.code) {
      case "not_sent":
      case "link_lost":
      case "unavailable":
      case "not_owner":
        return this.#elsewhereOrWait(call, end);
      case "degraded_offered":
        return this.#offered(call, end);
      case "aborted":
        if (call.isSole) return settle;
        call.keepsAge = true;
        return this.#wait(call, end);
      case "overloaded":
        return !call.isSole && end.remainingMs > end.retryAfterMs && this.#budget.spend()
          ? this.#wait(call, end)
          : settle;
      case "indeterminate":
        return this.#wait(call, end);
      default:
        return settle;
    }
  }

  /** A majority may be a link away: others are asked once, and only then is consent given. */
  #offered(call: CallProgress, end: AttemptEnd): Decision {
    if (!call.wasOffered && end.othersLeft && call.attemptsAtOnce < maxAttemptsAtOnce) {
      call.wasOffered = true;
      call.attemptsAtOnce += 1;
      return elsewhere;
    }
    if (call.whenSplit === "serve" && !call.degradedAllowed) {
      call.degradedAllowed = true;
      return agree;
    }
    return this.#wait(call, end);
  }

  #elsewhereOrWait(call: CallProgress, end: AttemptEnd): Decision {
    if (!end.othersLeft || call.attemptsAtOnce >= maxAttemptsAtOnce) return this.#wait(call, end);
    call.attemptsAtOnce += 1;
    return elsewhere;
  }

  #wait(call: CallProgress, end: AttemptEnd): Decision {
    const delayMs = end.retryAfterMs + fullJitterMs(callBackOff, call.backOffs, this.#random);
    if (delayMs >= end.remainingMs) return settle;
    call.backOffs += 1;
    call.attemptsAtOnce = 0;
    return { type: "wait", delayMs };
  }
}

/** Whether the failure that ends a call must say that the call may have taken effect. */
export function isIndeterminate(call: CallProgress, saysSo: boolean): boolean {
  return !call.isQuery && (saysSo || call.mayHaveRun);
}

/** What the user meets for a code of the wire or of this policy. */
export function errorCodeOf(code: AttemptEnd["code"]): ErrorCode {
  switch (code) {
    case "not_sent":
    case "link_lost":
    case "degraded_offered":
      return "unavailable";
    default:
      return code;
  }
}

function outcomeUnknown(end: AttemptEnd): boolean {
  if (end.code === "link_lost" || end.code === "indeterminate") return true;
  // A forwarding node that lost its link answers `unavailable` and says that it may have run.
  return end.code === "unavailable" && end.indeterminate;
}
