/** How a call ended, as the dedupe table keeps it: final, so that a retry gets the same. */
import { hash53 } from "../codec/hash53.ts";
import type { ErrorCode } from "../model/error.ts";

export type Outcome =
  /** `value`: the encoded result, empty for `undefined`. */
  | { readonly type: "ok"; readonly value: Uint8Array }
  /** `data`: the encoded data of `ctx.fail`, empty for none. */
  | {
      readonly type: "failed";
      readonly code: ErrorCode;
      readonly message: string;
      readonly data: Uint8Array;
    };

export function outcomeBytes(outcome: Outcome): number {
  return outcome.type === "ok"
    ? outcome.value.length
    : outcome.message.length + outcome.data.length + outcome.code.length;
}

/** A longer one is much of the chunk that it lies in, and is not worth the copy. */
const copiedBytesMax = 1_024;

/**
 * The outcome in bytes of its own. As they come they are a view, and who keeps one of those for long
 * keeps the whole chunk that it was encoded into.
 */
export function ownOutcome(outcome: Outcome): Outcome {
  const bytes = outcome.type === "ok" ? outcome.value : outcome.data;
  if (bytes.length > copiedBytesMax) return outcome;
  if (outcome.type === "ok") return { type: "ok", value: bytes.slice() };
  return { ...outcome, data: bytes.slice() };
}

const digestModulus = 2 ** 53;
const noInputDigest = hash53(new Uint8Array(0));
/** So many names of operations are hashed once and not with every call. */
const operationDigestsMax = 4_096;
const operationDigests = new Map<string, number>();

/**
 * Tells calls apart that carry the same number: 53 bits of handler name and encoded input. A retry
 * with another digest is a defect of the caller.
 */
export function callDigest(operation: string, input: Uint8Array): number {
  const name = operationDigests.get(operation) ?? operationDigest(operation);
  const body = input.length === 0 ? noInputDigest : hash53(input);
  // The sum of two 53-bit numbers is not exact, the difference is.
  return name >= digestModulus - body ? name - (digestModulus - body) : name + body;
}

function operationDigest(operation: string): number {
  const digest = hash53(operation);
  if (operationDigests.size < operationDigestsMax) operationDigests.set(operation, digest);
  return digest;
}
