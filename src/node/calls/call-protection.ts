/** Under which caller and number this node makes a call, and what is to be known of it meanwhile. */
import { protectionOfAsk, type AskIdentity } from "./ask-protection.ts";
import type { CallNumbers } from "./call-numbers.ts";

export interface CallProtection {
  /** "" and 0 for none. */
  readonly caller: string;
  readonly number: number;
  /** The caller has the answers of all its calls below this number, at the moment. */
  received(): number;
  /** The call has its answer. */
  settled(): void;
}

export const unprotected: CallProtection = {
  caller: "",
  number: 0,
  received: () => 0,
  settled: nothing,
};

/**
 * Of a call from inside a protected turn: one that runs again after a crash asks again under the same
 * name, so that what it asked takes effect once.
 */
export function askedBy(request: AskIdentity): CallProtection {
  const { caller, number, received } = protectionOfAsk(request);
  return { caller, number, received: () => received, settled: nothing };
}

/** The next of the numbers of a caller. */
export function numbered(caller: string, numbers: CallNumbers): CallProtection {
  const number = numbers.next();
  return {
    caller,
    number,
    received: () => numbers.received,
    settled: () => {
      numbers.settled(number);
    },
  };
}

function nothing(): void {
  return;
}
