/**
 * Checks the `state` of a definition. Kinds are recognised by structure: they may have been made
 * by another copy of this package.
 */
import { LatticeError } from "../model/error.ts";
import { checkValue } from "../model/value-check.ts";
import type { KindName } from "./kinds.ts";
import { didYouMean, quote } from "./known-names.ts";
import { checkFieldName } from "./names.ts";

export const fieldsMax = 256;
/** Maps in each other, `crdt.map(crdt.map(…))`; beside them a kind that is no map. */
export const kindDepthMax = 8;

const kindNames: readonly KindName[] = [
  "counter",
  "max",
  "min",
  "register",
  "flag",
  "set",
  "map",
  "value-map",
  "text",
];

/** @throws LatticeError `invalid_argument` that names the field. */
export function checkShape(state: unknown): void {
  if (typeof state !== "object" || state === null || Array.isArray(state)) {
    throw invalid("state must be an object of kinds by name, such as { sold: crdt.counter() }");
  }
  const names = Object.keys(state);
  if (names.length > fieldsMax) {
    throw invalid(`state has at most ${String(fieldsMax)} fields, got ${String(names.length)}`);
  }
  for (const name of names) {
    checkFieldName(name);
    checkKind(name, (state as Readonly<Record<string, unknown>>)[name], 1);
  }
}

function checkKind(path: string, value: unknown, depth: number): void {
  const kind = (value as { readonly kind?: unknown } | null | undefined)?.kind;
  if (typeof value !== "object" || value === null || typeof kind !== "string") {
    const hint = typeof value === "function" ? "; call it, as in crdt.counter()" : "";
    throw invalid(`state.${path} must be a kind such as crdt.counter()${hint}`);
  }
  if (!(kindNames as readonly string[]).includes(kind)) {
    throw invalid(`state.${path}: unknown kind ${quote(kind)}${didYouMean(kind, kindNames)}`);
  }
  checkParts(path, value, kind, depth);
}

/** What a kind has besides its name; it may have been written by hand. */
function checkParts(path: string, value: object, kind: string, depth: number): void {
  const parts = value as {
    readonly of?: unknown;
    readonly default?: unknown;
    readonly wins?: unknown;
  };
  if (kind === "register") checkValue(parts.default, `defineFunction: state.${path}: initial`);
  if (kind === "flag" && parts.wins !== "enable" && parts.wins !== "disable") {
    throw invalid(`state.${path}: wins must be "enable" or "disable"`);
  }
  if (kind === "text" && depth > 1) {
    throw invalid(`state.${path}: a map cannot hold texts; ${textAdvice}`);
  }
  if (kind !== "map") return;
  if (depth > kindDepthMax) {
    throw invalid(`state.${path}: at most ${String(kindDepthMax)} maps may be nested`);
  }
  checkKind(`${path}.of`, parts.of, depth + 1);
}

const textAdvice =
  "declare the text as a field of its own, or use one key of the function per text";

function invalid(what: string): LatticeError {
  return new LatticeError("invalid_argument", `defineFunction: ${what}`);
}
