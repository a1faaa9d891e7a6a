/**
 * What a call from a client may not be. Clients are not trusted: what only nodes say of a call, and
 * names that only nodes make, would let a client act as another entity's outbox or as another call.
 */
import { isInternalName } from "../../functions/internal-name.ts";
import { LatticeError } from "../../model/error.ts";
import { oversizedInput } from "../../wire/call-codec.ts";
import { callFlags, type CallMessage } from "../../wire/messages.ts";

/** Begins the caller of an outbox, and the dedupe name of an idempotency key. */
const nodeMadeFirst = new Set(["@", "="]);
/** Stand in the caller of a call that was made inside a turn (`state/caller-family.ts`). */
const nodeMadeInside = /[\t\n]/;

/**
 * Its key is checked where its address is made.
 *
 * @param trusted a caller that was let through before: as a rule all calls of a client have one
 * @throws LatticeError `invalid_argument`, `too_large`
 */
export function checkClientCall(call: CallMessage, trusted: string): void {
  const oversized = oversizedInput(call);
  if (oversized !== undefined) throw oversized;
  if ((call.flags & callFlags.outbox) !== 0) throw reserved("the flag `outbox`");
  if (call.chain.length > 0) throw reserved("a chain of calls");
  if (isInternalName(call.operation))
    throw reserved(`the operation ${call.operation.slice(0, 64)}`);
  // With the number 0 it is an idempotency key, which may be any string.
  if (call.number > 0 && call.caller !== trusted && isNodeMade(call.caller)) {
    throw reserved(`the caller ${JSON.stringify(call.caller.slice(0, 64))}`);
  }
}

function isNodeMade(caller: string): boolean {
  return nodeMadeFirst.has(caller.slice(0, 1)) || nodeMadeInside.test(caller);
}

function reserved(what: string): LatticeError {
  return new LatticeError("invalid_argument", `${what} is for nodes: clients call without it`);
}
