/** The options of `ctx.compute`. */
import { LatticeError } from "../model/error.ts";
import { limits } from "../model/limits.ts";
import { checkKnownNames } from "./known-names.ts";

export interface ComputeOptions {
  /**
   * Longest time of the computation in milliseconds, waiting for a thread included: 1 … 300,000.
   * @default as long as the call may take
   */
  readonly timeoutMs?: number | undefined;
}

/** @throws LatticeError `invalid_argument` */
export function checkComputeOptions(options: unknown): ComputeOptions {
  if (typeof options !== "object" || options === null) throw invalid("its options are an object");
  checkKnownNames("ctx.compute", "option", Object.keys(options), ["timeoutMs"]);
  const { timeoutMs } = options as { readonly timeoutMs?: unknown };
  if (timeoutMs === undefined) return {};
  if (typeof timeoutMs === "number" && timeoutMs >= 1 && timeoutMs <= limits.deadlineMsMax) {
    return { timeoutMs };
  }
  throw invalid(`timeoutMs is milliseconds, 1 … ${String(limits.deadlineMsMax)}`);
}

function invalid(what: string): LatticeError {
  return new LatticeError("invalid_argument", `ctx.compute: ${what}`);
}
