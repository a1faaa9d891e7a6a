/**
 * What `model/names.ts` does not know: which names a handle, and the language itself, keep for
 * themselves. Operations and state fields become members of objects that users hold, so a name
 * that such an object already has would be hidden, or called by `await` or `JSON.stringify`.
 */
import { LatticeError } from "../model/error.ts";
import { limits } from "../model/limits.ts";
import { checkOperationName } from "../model/names.ts";
import { quote } from "./known-names.ts";

/** Members of every handle; `then` because `await` would call it. */
export const reservedNames = ["then", "with", "watch", "open", "delete"] as const;

/** Control characters break logs; lone surrogates have no UTF-8, so two names would become one. */
const unprintable = /[\p{Cc}\p{Cs}]/u;
const languageNames: ReadonlySet<string> = new Set([
  ...Object.getOwnPropertyNames(Object.prototype),
  "prototype",
  "toJSON",
]);

/** Whether the language reads a property of this name from objects by itself. */
export function isLanguageName(name: string): boolean {
  return languageNames.has(name);
}

/**
 * The name of a handler or query (`what`).
 * @throws LatticeError `invalid_argument`
 */
export function checkMemberName(what: string, name: string): void {
  if ((reservedNames as readonly string[]).includes(name)) {
    refuse(what, name, `every handle has it (reserved are ${reservedNames.join(", ")})`);
  }
  if (languageNames.has(name)) refuse(what, name, "every object has a property of that name");
  checkOperationName(name);
}

/** @throws LatticeError `invalid_argument` */
export function checkFieldName(name: string): void {
  if (languageNames.has(name)) {
    refuse("state field", name, "every object has a property of that name");
  }
  if (name.length >= 1 && name.length <= limits.nameLengthMax && !unprintable.test(name)) return;
  refuse("state field", name, `it needs 1 … ${String(limits.nameLengthMax)} printable characters`);
}

function refuse(what: string, name: string, why: string): never {
  throw new LatticeError(
    "invalid_argument",
    `defineFunction: ${quote(name)} cannot be the name of a ${what}: ${why}`,
  );
}
