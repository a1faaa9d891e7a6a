/**
 * The options of a function, apart from its state and operations. What the design names but this
 * version does not do yet is refused by name: an option that is silently ignored is a promise
 * broken in silence.
 */
import type { Acks, ReadFrom, WhenSplit } from "../model/acks.ts";
import { LatticeError } from "../model/error.ts";
import { limits } from "../model/limits.ts";
import { checkKnownNames } from "./known-names.ts";

/** What a user may write. */
export interface FunctionOptions {
  /**
   * Copies that must hold a change before its call is answered: 1 … 254, or `"all"` owners. Below
   * the majority of the owners it counts as the majority, but for 1, which answers before
   * replication. More copies cost latency, and availability while an owner is away.
   * @default the cluster's setting: a majority of the owners
   */
  readonly acks?: Acks | undefined;
  /**
   * Refuse with `unavailable`, before running, where fewer copies than `acks` can be made.
   * @default false: run, and say in the reply how many copies there are
   */
  readonly strictAcks?: boolean | undefined;
  /**
   * What happens where no majority of the owners is reachable: `"serve"` goes on with the copy at
   * hand and merges afterwards, `"refuse"` fails with `unavailable`, so that nothing counts twice.
   * @default "serve"
   */
  readonly whenSplit?: WhenSplit | undefined;
  /**
   * Longest time of one call in milliseconds, waiting for its turn included: 1 … 300,000. A caller
   * may ask for less, never for more. A synchronous endless loop cannot be cut off.
   * @default 30,000
   */
  readonly deadlineMs?: number | undefined;
  /** Version of the state's shape, an integer ≥ 1. Recorded only. @default 1 */
  readonly version?: number | undefined;
  /** One or two sentences for people who meet the function in tools. @default "" */
  readonly description?: string | undefined;
}

/** The options with their defaults filled in. */
export interface FunctionSettings {
  /** `undefined`: as the cluster says. */
  readonly acks: Acks | undefined;
  readonly strictAcks: boolean;
  readonly whenSplit: WhenSplit;
  readonly deadlineMs: number;
  readonly version: number;
  readonly description: string;
}

/** One byte of the wire's call says how many copies; 0 and 255 have a meaning of their own. */
export const acksMax = 254;
const descriptionLengthMax = 2_000;

const known = ["acks", "strictAcks", "whenSplit", "deadlineMs", "version", "description"];
/** Options about state, which a function without state does not take. */
export type StatefulOption = "acks" | "strictAcks" | "whenSplit" | "version";
const ofState: readonly StatefulOption[] = ["acks", "strictAcks", "whenSplit", "version"];
/** Beside the options in the same object. */
const parts = ["state", "handlers", "queries"];
const planned = [
  "ttlMs",
  "idleMs",
  "cache",
  "migrate",
  "collaboration",
  "onCreate",
  "onExpire",
  "mcp",
];

/** @throws LatticeError `invalid_argument` for an unknown, not yet available or unusable option. */
export function checkFunctionOptions(options: FunctionOptions): FunctionSettings {
  for (const name of Object.keys(options)) {
    if (planned.includes(name)) {
      throw invalid(`${name} is not available in this version of latticework: leave it out`);
    }
  }
  checkKnownNames("defineFunction", "option", Object.keys(options), [...parts, ...known]);
  return {
    acks: options.acks === undefined ? undefined : checkAcks("defineFunction", options.acks),
    strictAcks: checkBoolean("strictAcks", options.strictAcks ?? false),
    whenSplit: checkWhenSplit("defineFunction", options.whenSplit ?? "serve"),
    deadlineMs: checkDeadline(options.deadlineMs ?? limits.deadlineMsDefault),
    version: checkVersion(options.version ?? 1),
    description: checkDescription(options.description ?? ""),
  };
}

/** @throws LatticeError `invalid_argument` for an option that is about state. */
export function checkStatelessOptions(options: FunctionOptions): void {
  const [wrong] = ofState.filter((name) => options[name] !== undefined);
  if (wrong === undefined) return;
  throw invalid(
    `${wrong} is about state, and this function has none: leave it out, or give it state`,
  );
}

/** @throws LatticeError `invalid_argument` unless an integer 1 … 254 or "all". */
export function checkAcks(where: string, acks: unknown): Acks {
  if (acks === "all") return acks;
  if (typeof acks === "number" && Number.isInteger(acks) && acks >= 1 && acks <= acksMax) {
    return acks;
  }
  throw new LatticeError(
    "invalid_argument",
    `${where}: acks must be "all" or an integer 1 … ${String(acksMax)}, got ${show(acks)}`,
  );
}

/** @throws LatticeError `invalid_argument` unless "serve" or "refuse". */
export function checkWhenSplit(where: string, whenSplit: unknown): WhenSplit {
  if (whenSplit === "serve" || whenSplit === "refuse") return whenSplit;
  throw new LatticeError(
    "invalid_argument",
    `${where}: whenSplit must be "serve" or "refuse", got ${show(whenSplit)}`,
  );
}

const readFroms: readonly unknown[] = ["primary", "any", "linearizable", 2, 3, 4, 5, 6, 7];

/** @throws LatticeError `invalid_argument` unless it says where a query runs. */
export function checkReadFrom(where: string, readFrom: unknown): ReadFrom {
  if (readFroms.includes(readFrom)) return readFrom as ReadFrom;
  throw new LatticeError(
    "invalid_argument",
    `${where}: readFrom must be "primary", "any", "linearizable" or 2 … 7, got ${show(readFrom)}`,
  );
}

function checkBoolean(name: string, value: unknown): boolean {
  if (typeof value === "boolean") return value;
  throw invalid(`${name} must be true or false, got ${show(value)}`);
}

function checkDeadline(value: unknown): number {
  if (typeof value === "number" && value >= 1 && value <= limits.deadlineMsMax) return value;
  throw invalid(
    `deadlineMs must be a number of milliseconds, 1 … ${String(limits.deadlineMsMax)}, got ${show(value)}`,
  );
}

function checkVersion(value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 1) return value;
  throw invalid(`version must be an integer ≥ 1, got ${show(value)}`);
}

function checkDescription(value: unknown): string {
  if (typeof value === "string" && value.length <= descriptionLengthMax) return value;
  throw invalid(`description must be a string of ≤ ${String(descriptionLengthMax)} characters`);
}

function invalid(what: string): LatticeError {
  return new LatticeError("invalid_argument", `defineFunction: ${what}`);
}

function show(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 64));
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  return value === null ? "null" : typeof value;
}
