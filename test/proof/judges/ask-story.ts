/** What `no-deadlock` writes down for its judge besides the calls, and what that answers. */
import type { Way } from "../ask-messages.ts";

export interface AskStory {
  readonly addresses: readonly string[];
  readonly entities: number;
  /** What the owners of each entity held in the end. */
  readonly copies: readonly OwnersVisits[];
}

export interface OwnersVisits {
  readonly key: string;
  /** One for each owner; `null`: it holds no copy. */
  readonly visits: readonly (Readonly<Record<Way, number>> | null)[];
}

/** How the calls of one way ended. */
export interface CallsJudgement {
  readonly recorded: number;
  readonly ok: number;
  readonly expired: number;
  /** Failed in another way than by running into their deadline. */
  readonly failed: number;
  /** Visits that answered calls had to make. */
  readonly visits: number;
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

export interface AskJudgement {
  readonly calls: Readonly<Record<Way, CallsJudgement>>;
  /** All must be zero. */
  readonly faults: Readonly<Record<string, number>>;
}
