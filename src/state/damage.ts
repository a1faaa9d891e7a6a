/** Turns what a decoder finds wrong into the error that callers know. */
import { MalformedBytes } from "../codec/malformed.ts";
import { LatticeError } from "../model/error.ts";

/** @throws LatticeError `incompatible` instead of what decoding throws */
export function decoding<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const isKnown = cause instanceof MalformedBytes || cause instanceof LatticeError;
    if (!isKnown) throw cause;
    throw new LatticeError(
      "incompatible",
      `${what} cannot be read: ${cause.message}; it is damaged or of another version`,
      { cause },
    );
  }
}

/** Says what is wrong inside `decoding`. */
export function malformed(problem: string): never {
  throw new MalformedBytes(problem);
}
