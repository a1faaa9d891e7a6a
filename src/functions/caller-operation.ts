/** Takes out of an entity what it keeps of callers that are done: an operation that no function has. */
import type { Value } from "../model/value.ts";
import type { Draft } from "../state/draft.ts";
import { internalOperation } from "./internal-operation.ts";
import type { RegisteredOperation, Registry } from "./registry.ts";
import type { Turn } from "./turn.ts";
import type { TurnRequest } from "./turn-request.ts";
import type { ValueCodec } from "./turn-services.ts";

/**
 * Its input is the list of [caller, below]. Repeating it, also much later, drops nothing that somebody
 * still needs, so that it needs no protection.
 */
export const forgetOperation = "(forget)";

/** Nothing of its calls below this number can arrive any more. */
export interface DoneCaller {
  readonly caller: string;
  readonly below: number;
}

/** All that it ever called is over. */
export const belowAny = Number.MAX_SAFE_INTEGER;

export function forgetInput(callers: readonly DoneCaller[]): Value {
  return callers.map(({ caller, below }) => [caller, below]);
}

/** The operation of a request that names it. */
export function callerOperation(
  registry: Registry,
  values: ValueCodec,
  { address, operation }: TurnRequest,
): RegisteredOperation | undefined {
  if (operation !== forgetOperation) return undefined;
  const forget = (draft: Draft, turn: Turn): void => {
    for (const { caller, below } of callersOf(values.decode(turn.request.input))) {
      draft.forgetCaller(caller, below);
    }
  };
  return internalOperation(registry, address.functionName, forget, operation);
}

/** Of what only nodes send; what is none of it is left out. */
function callersOf(input: Value): DoneCaller[] {
  const pairs: readonly unknown[] = Array.isArray(input) ? input : [];
  return pairs.flatMap((pair) => {
    const [caller, below] = Array.isArray(pair) ? (pair as readonly unknown[]) : [];
    const isDone = typeof caller === "string" && typeof below === "number";
    return isDone ? [{ caller, below }] : [];
  });
}
