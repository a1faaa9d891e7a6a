/** The span of a turn: what it did, as a part of the trace that its caller gave, or of a new one. */
import type { Trace } from "../definition/contexts.ts";
import { spanIdDigits, traceFlagsOf, traceIdDigits } from "../model/traceparent.ts";
import { traceIdOf, traceparentOf } from "../model/traceparent.ts";
import type { TraceIds } from "../platform/platform.ts";

/** Of a trace that begins here: a node records none itself, and says so to those who come after. */
const notRecorded = "00";

/** @param parent the caller's span as a traceparent, "" for none */
export function spanBelow(parent: string, ids: TraceIds): Trace {
  const isRoot = parent === "";
  const traceId = isRoot ? ids.hex(traceIdDigits) : traceIdOf(parent);
  const spanId = ids.hex(spanIdDigits);
  const flags = isRoot ? notRecorded : traceFlagsOf(parent);
  return Object.freeze({ traceId, spanId, traceparent: traceparentOf(traceId, spanId, flags) });
}
