/**
 * What a node tells of the use of its functions; plain data, part of the public types. The counters
 * are of one process: those of a cluster are the sums over its nodes.
 */
import { checkKnownNames } from "../definition/known-names.ts";
import type { FunctionStats } from "../functions/function-stats.ts";
import { topKeysMax } from "../functions/metering.ts";
import { LatticeError } from "../model/error.ts";

export interface NodeStats {
  /** When the counters began, in milliseconds since the epoch: the start of the node. */
  readonly since: number;
  /** In the order in which the node was given them. */
  readonly functions: readonly FunctionStats[];
}

export interface StatsOptions {
  /** Only this function. @default all */
  readonly function?: string;
  /** So many keys of each function, those with the most CPU time: 0 … 1,000. @default 0 */
  readonly keys?: number;
}

const optionNames = ["function", "keys"];

/** @throws LatticeError `invalid_argument` that names the option and what it takes */
export function checkStatsOptions(options: StatsOptions): {
  readonly functionName: string | undefined;
  readonly topCount: number;
} {
  if (typeof options !== "object" || (options as object | null) === null) {
    throw invalid("takes an object: node.stats({ keys: 10 })");
  }
  checkKnownNames("node.stats", "option", Object.keys(options), optionNames);
  const { function: functionName, keys: topCount = 0 } = options;
  if (functionName !== undefined && typeof functionName !== "string") {
    throw invalid("function must be the name of one");
  }
  if (!Number.isInteger(topCount) || topCount < 0 || topCount > topKeysMax) {
    throw invalid(`keys must be an integer, 0 … ${topKeysMax.toLocaleString("en-US")}`);
  }
  return { functionName, topCount };
}

function invalid(what: string): LatticeError {
  return new LatticeError("invalid_argument", `node.stats: ${what}`);
}
