/**
 * The failures of turns, in words. Each says which entity and operation, what happened, whether
 * anything took effect, and what to do.
 */
import { LatticeError, ofCall } from "../model/error.ts";
import type { ErrorCode, ErrorDetails } from "../model/error.ts";
import { limits } from "../model/limits.ts";
import type { Logger } from "../platform/platform.ts";
import type { TurnOutcome } from "./ports.ts";
import type { Turn } from "./turn.ts";

/** A caller that is told to slow down should wait about as long as a queue takes to move. */
const overloadRetryMs = 100;
const nothing = "nothing took effect";

export const degradedOffered: TurnOutcome = { type: "degraded_offered" };

export function failed(error: LatticeError): TurnOutcome {
  return { type: "failed", error };
}

/** The same outcome; the error of a failure says which call it is about. */
export function named(turn: Turn, outcome: TurnOutcome): TurnOutcome {
  if (outcome.type !== "failed" || outcome.error.call !== undefined) return outcome;
  return failed(ofCall(outcome.error, turn.callId));
}

export function turnError(
  turn: Turn,
  code: ErrorCode,
  what: string,
  details: ErrorDetails = {},
): LatticeError {
  const { functionName, key } = turn.request.address;
  return new LatticeError(code, `${turn.label}: ${what}`, {
    function: functionName,
    key,
    call: turn.callId,
    ...details,
  });
}

export function notServed(turn: Turn): LatticeError {
  return turnError(turn, "unavailable", `this node does not serve the key now; ${nothing}`);
}

export function splitRefused(turn: Turn): LatticeError {
  const why = 'no majority of the owners is reachable and whenSplit is "refuse"';
  return turnError(turn, "unavailable", `${why}; ${nothing}, try again later`);
}

export function behindSession(turn: Turn): LatticeError {
  const why = "this node leads the key no more: its session has seen what came later";
  return turnError(turn, "unavailable", `${why}; ${nothing}, try again`);
}

export function degradedInSession(turn: Turn): LatticeError {
  const why = "no majority of the owners is reachable, and a session is never served without one";
  return turnError(turn, "unavailable", `${why}; ${nothing}, try again later`);
}

export function unconfirmable(turn: Turn): LatticeError {
  const why = "no majority of the owners is reachable to confirm a linearizable read";
  return turnError(turn, "unavailable", `${why}; ${nothing}, try again later`);
}

export function tooFewCopies(turn: Turn, possible: number, wanted: number): LatticeError {
  const copies = `${String(wanted)} copies are asked for, ${String(possible)} can be made`;
  const advice = "start more nodes, or leave strictAcks out";
  return turnError(turn, "unavailable", `${copies}; ${nothing}: ${advice}`);
}

export function reignEnded(turn: Turn): LatticeError {
  const why = "this node stopped serving the key while the handler ran";
  return turnError(turn, "unavailable", `${why}; ${nothing}, try again`);
}

export function unstableAnswer(turn: Turn, message: string): LatticeError {
  const why = `its answer rests on changes that may not stay (${message})`;
  return turnError(turn, "unavailable", `${why}; ${nothing}, try again`);
}

export function numberReused(turn: Turn): LatticeError {
  return turnError(
    turn,
    "invalid_argument",
    "the same call number or idempotency key was used before with another operation or input",
  );
}

export function answeredLongAgo(turn: Turn): LatticeError {
  const why = "a late duplicate of a call whose answer its caller has";
  return turnError(turn, "failed_precondition", `${why}; it was not run again`);
}

export function timerNotDue(turn: Turn): LatticeError {
  const why = "its timer was taken out, cancelled or replaced, or is not due yet";
  return turnError(turn, "aborted", `${why}; ${nothing}`);
}

export function dedupeFull(turn: Turn): LatticeError {
  return turnError(
    turn,
    "overloaded",
    `too many results of calls to this key are kept for retries; ${nothing}: wait for answers ` +
      "before sending more",
    { retryAfterMs: 1_000 },
  );
}

export function entityOverloaded(turn: Turn): LatticeError {
  const why = `${String(limits.entityQueueMax)} calls already wait for this key`;
  return turnError(turn, "overloaded", `${why}; ${nothing}`, { retryAfterMs: overloadRetryMs });
}

export function nodeOverloaded(turn: Turn): LatticeError {
  const why = `${String(limits.callsPerNodeMax)} calls are in flight on this node`;
  return turnError(turn, "overloaded", `${why}; ${nothing}`, { retryAfterMs: overloadRetryMs });
}

export function mustNotWait(turn: Turn): LatticeError {
  const why = "it would wait behind an older chain of calls that waits too";
  return turnError(turn, "aborted", `${why}; ${nothing}, try again with the same age`);
}

export function expired(turn: Turn): LatticeError {
  if (turn.phase === "waiting") {
    return turnError(turn, "deadline_exceeded", `its turn did not come in time; ${nothing}`);
  }
  return turnError(
    turn,
    "deadline_exceeded",
    `the ${turn.operation.isQuery ? "query" : "handler"} did not end in time and was cut off; ` +
      nothing,
  );
}

export function cancelled(turn: Turn): LatticeError {
  return turnError(turn, "cancelled", `cancelled by its caller; ${nothing}`);
}

export function unconfirmed(turn: Turn): LatticeError {
  const why = `it ran, but not enough copies were confirmed in time`;
  return turnError(turn, "indeterminate", `${why}; it may or may not stay`);
}

export function stopped(turn: Turn): LatticeError {
  return turnError(turn, "unavailable", `this node is stopping; ${nothing}, try another node`);
}

/** What a handler threw, as its caller may see it. */
export function handlerError(turn: Turn, thrown: unknown, exposeErrors: boolean): LatticeError {
  const what = turn.operation.isQuery ? "the query" : "the handler";
  const message = exposeErrors
    ? `${what} threw: ${messageOf(thrown)}`
    : `${what} failed; the log of its node says why (exposeErrors tells callers)`;
  return turnError(turn, "handler_error", message, exposeErrors ? { cause: thrown } : {});
}

/**
 * Tells the log what user code threw. That may throw again when it is looked at, and must not get any
 * further than the code that threw it.
 */
export function logThrown(logger: Pick<Logger, "warn">, message: string, thrown: unknown): void {
  try {
    logger.warn(message, { error: thrown });
  } catch {
    logger.warn(message, { error: unpresentable });
  }
}

const messageLengthMax = 1_024;
const unpresentable = "something that throws when it is looked at";

function messageOf(thrown: unknown): string {
  try {
    // Whatever its type says.
    const message: unknown = thrown instanceof Error ? thrown.message : textOf(thrown);
    const text = String(message);
    return text.length > messageLengthMax ? `${text.slice(0, messageLengthMax)}…` : text;
  } catch {
    return unpresentable;
  }
}

function textOf(thrown: unknown): string {
  if (typeof thrown === "string") return thrown;
  return thrown === null || typeof thrown !== "object" ? String(thrown) : "an object";
}
