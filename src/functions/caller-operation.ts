/** Takes out of an entity what it keeps of callers that are done: an operation that no function has. */
import type { Draft } from "../state/draft.ts";
import { internalOperation } from "./internal-operation.ts";
import type { RegisteredOperation, Registry } from "./registry.ts";
import type { Turn } from "./turn.ts";
import type { TurnRequest } from "./turn-request.ts";
import type { ValueCodec } from "./turn-services.ts";

/** Its input is the list of the callers. Repeating it changes nothing, so that it needs no protection. */
export const forgetOperation = "(forget)";

/** The operation of a request that names it. */
export function callerOperation(
  registry: Registry,
  values: ValueCodec,
  { address, operation }: TurnRequest,
): RegisteredOperation | undefined {
  if (operation !== forgetOperation) return undefined;
  const forget = (draft: Draft, turn: Turn): void => {
    const callers = values.decode(turn.request.input);
    if (!Array.isArray(callers)) return;
    for (const caller of callers) if (typeof caller === "string") draft.forgetCaller(caller);
  };
  return internalOperation(registry, address.functionName, forget, operation);
}
