/** Why a node did not run a call that came to it, in words; nothing took effect then. */
import { LatticeError } from "../../model/error.ts";
import type { EntityName, NodeId } from "../../model/ids.ts";
import { limits } from "../../model/limits.ts";
import type { CallMessage } from "../../wire/messages.ts";

/** A caller that is told to slow down should wait about as long as a queue takes to move. */
const overloadRetryMs = 100;

/** @param owners by the table */
export function notServed(
  call: CallMessage,
  self: NodeId,
  owners: readonly NodeId[],
): LatticeError {
  const known =
    owners.length === 0 ? "no owner is known yet" : `owners by the table: ${owners.join(", ")}`;
  return new LatticeError(
    "unavailable",
    `${nameOf(call)}: ${self} cannot serve it now and knows no primary (${known}); ` +
      "nothing took effect",
    { node: self },
  );
}

export function notOwner(call: CallMessage, self: NodeId): LatticeError {
  return new LatticeError("not_owner", `${nameOf(call)}: ${self} does not own this key`, {
    node: self,
  });
}

export function tooManyForwarded(call: CallMessage, self: NodeId): LatticeError {
  return new LatticeError(
    "overloaded",
    `${nameOf(call)}: ${String(limits.callsPerNodeMax)} calls of ${self} are under way at other ` +
      "nodes; nothing took effect",
    { node: self, retryAfterMs: overloadRetryMs },
  );
}

function nameOf(call: CallMessage): EntityName {
  return `${call.functionName}/${call.key} ${call.operation}`;
}
