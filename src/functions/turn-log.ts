/** Where log lines about a turn go: each names the function, the key, the operation and the call. */
import type { Logger } from "../platform/platform.ts";
import type { Turn } from "./turn.ts";

/** @param traceId "" where nobody has asked for one */
export function turnLogger(turn: Turn, logger: Logger, traceId = turn.traceIdIfAny): Logger {
  const { address, operation } = turn.request;
  return logger.child({
    function: address.functionName,
    key: address.key,
    operation,
    call: turn.callId,
    ...(traceId === "" ? {} : { traceId }),
  });
}
