/**
 * What is remembered of a call once an attempt has failed: what the retry policy goes by, who was
 * asked, and its age. Almost every call is answered at once and never has one.
 */
import type { WhenSplit } from "../model/acks.ts";
import type { CallProgress } from "../routing/retry-policy.ts";
import { noneTried } from "../routing/target.ts";
import { callFlags } from "../wire/messages.ts";

export class CallAttempts implements CallProgress {
  readonly isQuery: boolean;
  readonly isProtected: boolean;
  readonly whenSplit: WhenSplit;
  readonly isSole = false;
  mayHaveRun = false;
  degradedAllowed = false;
  wasOffered = false;
  keepsAge = false;
  attemptsAtOnce = 0;
  backOffs = 0;
  /** Slots asked since the last back-off. */
  tried: readonly number[] = noneTried;
  /** For wait–die; 0 and "" while it needs none. */
  ageTime = 0;
  ageId = "";

  constructor(call: Pick<CallProgress, "isQuery" | "isProtected" | "whenSplit">) {
    this.isQuery = call.isQuery;
    this.isProtected = call.isProtected;
    this.whenSplit = call.whenSplit;
  }

  /** What the attempts so far add to the flags of the next one. */
  get flags(): number {
    return (
      (this.degradedAllowed ? callFlags.degradedAllowed : 0) |
      (this.mayHaveRun ? callFlags.retry : 0)
    );
  }
}
