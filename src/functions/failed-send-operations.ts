/**
 * What an operator does with a finally refused call. Each is an operation of the sending entity that no
 * function has: so it may be made on any node, runs on the primary in the order of the entity's turns, and
 * takes effect once, like every call.
 */
import { quote } from "../definition/known-names.ts";
import { LatticeError } from "../model/error.ts";
import type { Draft } from "../state/draft.ts";
import type { SendId } from "../state/send.ts";
import { internalOperation } from "./internal-operation.ts";
import type { RegisteredOperation, Registry } from "./registry.ts";
import type { Turn } from "./turn.ts";
import { turnError } from "./turn-failures.ts";
import type { TurnRequest } from "./turn-request.ts";
import type { ValueCodec } from "./turn-services.ts";

/** Takes it out of the failed calls and sends it anew, in one commit. */
export const redeliverOperation = "(redeliver)";
/** Takes it out of the failed calls. */
export const discardOperation = "(discard)";

/** How users name a sent call; its input to these operations. */
export function sendIdText({ writer, number }: SendId): string {
  return `${writer.toString(36)}-${number.toString(36)}`;
}

/** The operation of a request that names one of these; others are the functions' own. */
export function failedSendOperation(
  registry: Registry,
  values: ValueCodec,
  { address, operation }: TurnRequest,
): RegisteredOperation | undefined {
  const isRedelivery = operation === redeliverOperation;
  if (!isRedelivery && operation !== discardOperation) return undefined;
  const change = (draft: Draft, turn: Turn): void => {
    const id = failedSend(draft, turn, values.decode(turn.request.input));
    if (isRedelivery) draft.resendFailed(id);
    else draft.discardFailed(id);
  };
  const run = (draft: Draft, turn: Turn): void => {
    // What it refuses rests on what it sees, as with a handler.
    turn.hasRun = true;
    try {
      change(draft, turn);
    } catch (error) {
      throw error instanceof LatticeError ? turn.refuse(error) : error;
    }
  };
  return internalOperation(registry, address.functionName, run, operation);
}

function failedSend({ outbox }: Draft, turn: Turn, id: unknown): SendId {
  const failed = outbox.failed.find((send) => sendIdText(send) === id);
  if (failed !== undefined) return failed;
  const name = quote(String(id));
  if (outbox.entries.some((send) => sendIdText(send) === id)) {
    // Its refusal is told before it is recorded.
    throw turnError(turn, "unavailable", `the send ${name} is still to be delivered; nothing done`);
  }
  throw turnError(
    turn,
    "not_found",
    `no failed send ${name} is kept: it was redelivered or discarded, or newer ones took its place`,
  );
}
