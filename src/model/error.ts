/**
 * The one error class. Callers branch on `code`, never on `message`: the code says what the system
 * will do next, the message says who, what, how long and what to do about it.
 */
export const errorCodes = [
  "invalid_argument",
  "not_found",
  "already_exists",
  "failed_precondition",
  "aborted",
  "unauthenticated",
  "permission_denied",
  "deadline_exceeded",
  "cancelled",
  "overloaded",
  "unavailable",
  "indeterminate",
  "not_owner",
  "too_large",
  "incompatible",
  "handler_error",
  "internal",
] as const;

export type ErrorCode = (typeof errorCodes)[number];

export interface ErrorDetails {
  /** The call may have taken effect. */
  readonly indeterminate?: boolean | undefined;
  /** Milliseconds after which a retry is worth trying. */
  readonly retryAfterMs?: number | undefined;
  readonly node?: string | undefined;
  readonly function?: string | undefined;
  readonly key?: string | undefined;
  /** The id under which log lines name the call. */
  readonly call?: string | undefined;
  /** Typed data given to `ctx.fail`; a `Value`. */
  readonly data?: unknown;
  readonly cause?: unknown;
}

const retryableCodes: ReadonlySet<ErrorCode> = new Set([
  "aborted",
  "overloaded",
  "unavailable",
  "not_owner",
]);

export class LatticeError extends Error {
  override readonly name = "LatticeError";
  readonly code: ErrorCode;
  /** Sending the same call again may succeed without any change by the caller. */
  readonly retryable: boolean;
  /** The call may have taken effect; true when its outcome is unknown. */
  readonly indeterminate: boolean;
  readonly retryAfterMs: number | undefined;
  readonly node: string | undefined;
  readonly function: string | undefined;
  readonly key: string | undefined;
  /** Names the call, if it came so far: the log lines of the nodes that it reached have it too. */
  readonly call: string | undefined;
  readonly data: unknown;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retryable = retryableCodes.has(code);
    this.indeterminate = details.indeterminate ?? code === "indeterminate";
    this.retryAfterMs = details.retryAfterMs;
    this.node = details.node;
    this.function = details.function;
    this.key = details.key;
    this.call = details.call;
    this.data = details.data;
  }
}

/** The same error, with the id of the call that it is about; one that names a call is left alone. */
export function ofCall(error: LatticeError, call: string): LatticeError {
  if (error.call !== undefined) return error;
  const { code, message, indeterminate, retryAfterMs, node, key, data, cause } = error;
  const details = { indeterminate, retryAfterMs, node, function: error.function, key, data, cause };
  const named = new LatticeError(code, message, { ...details, call });
  if (error.stack !== undefined) named.stack = error.stack;
  return named;
}
