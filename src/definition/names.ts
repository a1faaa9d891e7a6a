/**
 * What may be the name of a function, of an operation, of a state field, and what may be a key. All
 * of them end up as object keys, in addresses (`function/key`), in URLs and in logs, so what would
 * be dangerous or ambiguous in any of those is refused here, once, at the edge.
 */
import { LatticeError } from "../model/error.ts";
import { quote } from "./known-names.ts";

export const keyBytesMax = 512;
export const fieldNameLengthMax = 128;

/** Members of every handle; `then` because `await` would call it. */
export const reservedNames = ["then", "with", "watch", "open", "delete"] as const;

const functionName = /^[A-Za-z][\w.-]{0,127}$/;
const operationName = /^[A-Za-z]\w{0,127}$/;
/** Control characters break logs; lone surrogates have no UTF-8, so two keys would become one. */
const unprintable = /[\p{Cc}\p{Cs}]/u;
const prototypeNames: ReadonlySet<string> = new Set(["__proto__", "prototype", "constructor"]);
/** Read from any object by the language itself: JSON.stringify calls `toJSON`, and so on. */
const languageNames: ReadonlySet<string> = new Set([
  ...Object.getOwnPropertyNames(Object.prototype),
  "prototype",
  "toJSON",
]);

/** Whether the language reads a property of this name from objects by itself. */
export function isLanguageName(name: string): boolean {
  return languageNames.has(name);
}

/** @throws LatticeError `invalid_argument`. */
export function checkFunctionName(name: string): void {
  if (functionName.test(name) && !languageNames.has(name)) return;
  throw new LatticeError(
    "invalid_argument",
    `${quote(name)} cannot be the name of a function: it must start with a letter, go on with ` +
      `letters, digits, "_", "." or "-", have at most 128 characters and not be a property that ` +
      `every object has`,
  );
}

/** @throws LatticeError `invalid_argument`. `what` is "handler" or "query". */
export function checkOperationName(what: string, name: string): void {
  if ((reservedNames as readonly string[]).includes(name)) {
    throw new LatticeError(
      "invalid_argument",
      `defineFunction: no ${what} can be named ${quote(name)}: every handle has a member of that ` +
        `name (reserved are ${reservedNames.join(", ")})`,
    );
  }
  if (operationName.test(name) && !languageNames.has(name)) return;
  throw new LatticeError(
    "invalid_argument",
    `defineFunction: ${quote(name)} cannot be the name of a ${what}: it must start with a letter, ` +
      `go on with letters, digits or "_", have at most 128 characters and not be a property that ` +
      `every object has`,
  );
}

/** @throws LatticeError `invalid_argument`. */
export function checkFieldName(name: string): void {
  const fits = name.length >= 1 && name.length <= fieldNameLengthMax;
  if (fits && !unprintable.test(name) && !languageNames.has(name)) return;
  throw new LatticeError(
    "invalid_argument",
    `defineFunction: ${quote(name)} cannot be the name of a state field: it needs 1 … ` +
      `${String(fieldNameLengthMax)} printable characters and must not be a property that every ` +
      `object has`,
  );
}

/** @throws LatticeError `invalid_argument` unless 1 … 512 bytes of printable UTF-8. */
export function checkKey(functionName: string, key: unknown): asserts key is string {
  const problem = keyProblem(key);
  if (problem === "") return;
  throw new LatticeError("invalid_argument", `${functionName}: ${problem}`, {
    function: functionName,
  });
}

function keyProblem(key: unknown): string {
  if (typeof key !== "string") return `a key must be a string, got ${typeof key}`;
  if (key === "") return "a key must not be empty";
  const bytes = utf8Length(key);
  if (bytes > keyBytesMax) {
    return `a key has at most ${String(keyBytesMax)} bytes of UTF-8, this one has ${String(bytes)}`;
  }
  if (unprintable.test(key)) return `the key ${quote(key)} holds a control character`;
  if (prototypeNames.has(key)) return `${quote(key)} cannot be a key, it is a property of objects`;
  return "";
}

/** Counted without encoding: keys are checked on every call. */
function utf8Length(text: string): number {
  let bytes = text.length;
  if (bytes * 3 <= keyBytesMax) return bytes;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x80) continue;
    // Each half of a surrogate pair counts two of the pair's four bytes.
    bytes += code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 1 : 2;
  }
  return bytes;
}
