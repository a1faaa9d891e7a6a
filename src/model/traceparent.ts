/**
 * A W3C trace context (https://www.w3.org/TR/trace-context/), version 00, as the one string that
 * travels:
 *
 *     00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01
 *        trace: all that one cause led to  span: one of its parts  flags
 *
 * A part gives its own span to whatever it calls: there it is the parent.
 */
const pattern = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** Hexadecimal digits of the ids. */
export const traceIdDigits = 32;
export const spanIdDigits = 16;
const traceIdAt = 3;
const spanIdAt = traceIdAt + traceIdDigits + 1;
const flagsAt = spanIdAt + spanIdDigits + 1;

/** Whether `text` has the form above; ids of nothing but zeros are none. */
export function isTraceparent(text: unknown): text is string {
  return typeof text === "string" && pattern.test(text);
}

/** @param traceparent one that has the form */
export function traceIdOf(traceparent: string): string {
  return traceparent.slice(traceIdAt, traceIdAt + traceIdDigits);
}

/** The last two digits: whether somebody records the trace, and what later versions may add. */
export function traceFlagsOf(traceparent: string): string {
  return traceparent.slice(flagsAt);
}

export function traceparentOf(traceId: string, spanId: string, flags: string): string {
  return `00-${traceId}-${spanId}-${flags}`;
}
