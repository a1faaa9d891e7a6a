/** What a user is told of a call that did not succeed: who, what, how long, and what to do next. */
import { decodeValue } from "../codec/value-bytes.ts";
import { LatticeError, type ErrorDetails } from "../model/error.ts";
import { errorCodeOf, isIndeterminate, type AttemptEnd } from "../routing/retry-policy.ts";
import type { FailureMessage } from "../wire/messages.ts";
import type { PendingCall } from "./pending-call.ts";

/** A node said no, and no retry is left. */
export function failureError(call: PendingCall, failure: FailureMessage): LatticeError {
  const indeterminate = isIndeterminate(call.attemptsSoFar(), failure.indeterminate);
  const { functionName, key, callId } = call;
  const details: ErrorDetails = {
    function: functionName,
    key,
    call: failure.call === "" ? callId : failure.call,
    indeterminate,
    node: failure.node,
    ...(failure.retryAfterMs > 0 ? { retryAfterMs: failure.retryAfterMs } : {}),
    ...(failure.data.length > 0 ? { data: decodeValue(failure.data) } : {}),
  };
  const text =
    failure.code === "degraded_offered"
      ? "no majority of the owners is reachable, and this call refuses degraded service; " +
        "try again when the network has healed"
      : failure.message;
  // Nodes name the call as well, but not in what they say before they have looked at it.
  const named = text.startsWith(`${title(call)}: `) ? text : `${title(call)}: ${text}`;
  return new LatticeError(errorCodeOf(failure.code), named, details);
}

/** No node could be reached, or the one that had the call is gone. */
export function linkError(
  call: PendingCall,
  code: AttemptEnd["code"],
  problem: string,
): LatticeError {
  const indeterminate = isIndeterminate(call.attemptsSoFar(), false);
  const text = indeterminate
    ? `the link to the node was lost before it answered (${problem}); the call may have taken ` +
      `effect: look before you repeat it`
    : `no node could be reached (${problem}); the call did not run`;
  const details = { ...names(call), indeterminate };
  return new LatticeError(errorCodeOf(code), `${title(call)}: ${text}`, details);
}

export function deadlineError(call: PendingCall, node: string, problem: string): LatticeError {
  const asked = node === "" ? "no node could be reached" : `no reply from ${node}`;
  const because = problem === "" ? "" : ` (last: ${problem})`;
  return new LatticeError(
    "deadline_exceeded",
    `${title(call)}: ${asked} in ${String(call.totalMs)} ms${because}; ` +
      `allow more with .with({ timeoutMs }) or look at the node`,
    { ...names(call), indeterminate: !call.isQuery && call.wasSent },
  );
}

/** @param why what was called off, such as "its signal was aborted" */
export function cancelledError(call: PendingCall, why: string, cause: unknown): LatticeError {
  return new LatticeError("cancelled", `${title(call)}: ${why}`, {
    ...names(call),
    indeterminate: !call.isQuery && call.wasSent,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** `cart/alice add`. */
function title(call: PendingCall): string {
  return `${call.entityName} ${call.operation}`;
}

function names(call: PendingCall): ErrorDetails {
  return { function: call.functionName, key: call.key, call: call.callId };
}
