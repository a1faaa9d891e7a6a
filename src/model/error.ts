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
  readonly indeterminate?: boolean;
  /** Milliseconds after which a retry is worth trying. */
  readonly retryAfterMs?: number;
  readonly node?: string;
  readonly function?: string;
  readonly key?: string;
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
    this.data = details.data;
  }
}
