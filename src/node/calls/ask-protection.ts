/**
 * Under which caller and number a turn asks: the same whenever it runs, so that what it asks takes
 * effect once though the turn may run again after a crash.
 *
 * The caller is made of the way that the ask came (`state/caller-family.ts`). Its number is that of the
 * call which the first turn on this way answers, times a thousand, plus the ordinal of the ask in its
 * own turn: so it grows with the calls of the client, however deep turns ask each other.
 */
import { hash53 } from "../../codec/hash53.ts";
import type { AskRequest } from "../../functions/ports.ts";
import { LatticeError } from "../../model/error.ts";
import { familyOf, firstAsker, nextAsker } from "../../state/caller-family.ts";

export interface AskProtection {
  readonly caller: string;
  readonly number: number;
  readonly received: number;
}

export type AskIdentity = Pick<
  AskRequest,
  "caller" | "number" | "received" | "chain" | "askNumber"
>;

/** Calls that one turn may ask. */
const asksPerTurnMax = 1_024;
/** Beyond these the names of a family and of a caller are hashed: both are bounded. */
const familyLengthMax = 192;
const callerLengthMax = 256;

/** @throws LatticeError `invalid_argument` when the turn asks too often */
export function protectionOfAsk(ask: AskIdentity): AskProtection {
  const { number, received, chain, askNumber } = ask;
  if (askNumber >= asksPerTurnMax) {
    throw new LatticeError(
      "invalid_argument",
      `a turn asks at most ${String(asksPerTurnMax - 1)} times: use ctx.send, or ask for more at once`,
    );
  }
  const asking = chain.at(-1) ?? "";
  if (chain.length <= 1) {
    const name = firstAsker(ask.caller, asking);
    return {
      caller: name.length <= familyLengthMax ? name : firstAsker("", hashOf(name)),
      number: number * asksPerTurnMax + askNumber,
      received: received * asksPerTurnMax,
    };
  }
  const ordinal = number % asksPerTurnMax;
  const name = nextAsker(ask.caller, ordinal, asking);
  // Whatever else is hashed, it stays in its family.
  const caller =
    name.length <= callerLengthMax ? name : nextAsker(familyOf(ask.caller), 0, hashOf(name));
  return { caller, number: number - ordinal + askNumber, received };
}

/** Of 106 bits: no two names will ever have the same. */
function hashOf(name: string): string {
  return `#${hash53(name).toString(36)}.${hash53(`${name}#`).toString(36)}`;
}
