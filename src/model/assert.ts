import { LatticeError } from "./error.ts";

/**
 * States what must hold at a room's border. A failure is a defect of ours, never of the caller: it
 * throws `internal`, which drivers turn into a failed call and a log line, not into a dead node.
 */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new LatticeError("internal", `assertion failed: ${message}`);
}

/** Marks a branch that an exhaustive switch over a discriminated union cannot reach. */
export function unreachable(value: never): never {
  throw new LatticeError("internal", `unreachable: ${JSON.stringify(value)}`);
}
