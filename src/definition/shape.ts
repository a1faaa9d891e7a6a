/**
 * Checks the `state` of a definition. Kinds are recognised by structure: they may have been made
 * by another copy of this package.
 */
import { LatticeError } from "../model/error.ts";
import type { KindName } from "./kinds.ts";
import { didYouMean, quote } from "./known-names.ts";
import { checkFieldName } from "./names.ts";

export const fieldsMax = 256;
/** `crdt.map(crdt.map(…))` may go this deep. */
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
  if (typeof value !== "object" || typeof kind !== "string") {
    const hint = typeof value === "function" ? "; call it, as in crdt.counter()" : "";
    throw invalid(`state.${path} must be a kind such as crdt.counter()${hint}`);
  }
  if (!(kindNames as readonly string[]).includes(kind)) {
    throw invalid(`state.${path}: unknown kind ${quote(kind)}${didYouMean(kind, kindNames)}`);
  }
  if (kind !== "map") return;
  if (depth >= kindDepthMax) {
    throw invalid(`state.${path}: maps may be nested ${String(kindDepthMax)} deep`);
  }
  checkKind(`${path}.of`, (value as { readonly of?: unknown }).of, depth + 1);
}

function invalid(what: string): LatticeError {
  return new LatticeError("invalid_argument", `defineFunction: ${what}`);
}
