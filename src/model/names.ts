/**
 * What may be called what. Names end up as map keys, log fields, ring points, URL parts and object
 * properties, so everything that could be mistaken for something else there is refused once, at the
 * edge, with a message that says what is wrong; nothing further in checks again.
 */
import { LatticeError } from "./error.ts";
import { limits } from "./limits.ts";

const functionNamePattern = /^[A-Za-z][\w.-]{0,127}$/;
const operationNamePattern = /^[A-Za-z_$][\w$-]{0,127}$/;
const nodeIdPattern = /^[^\s#\p{Cc}\p{Surrogate}]{1,128}$/u;
const clusterNamePattern = /^[A-Za-z0-9][\w.-]{0,127}$/;

/** Whether `name` as an object key would reach the prototype chain. */
export function isPrototypeName(name: string): boolean {
  return name === "__proto__" || name === "constructor" || name === "prototype";
}

/** `^[A-Za-z][\w.-]{0,127}$`. @throws LatticeError `invalid_argument` */
export function checkFunctionName(name: unknown): asserts name is string {
  if (typeof name !== "string" || !functionNamePattern.test(name) || isPrototypeName(name)) {
    refuse("function name", name, "use 1 to 128 letters, digits, '_', '.' or '-', a letter first");
  }
}

/** A handler's, query's or state field's name. @throws LatticeError `invalid_argument` */
export function checkOperationName(name: unknown): asserts name is string {
  if (typeof name !== "string" || !operationNamePattern.test(name) || isPrototypeName(name)) {
    refuse("handler name", name, "use 1 to 128 letters, digits, '_', '$' or '-', no digit first");
  }
}

/** @throws LatticeError `invalid_argument` */
export function checkNodeId(id: unknown): asserts id is string {
  if (typeof id !== "string" || !nodeIdPattern.test(id)) {
    refuse("node id", id, "use 1 to 128 characters without white space, control characters or '#'");
  }
}

/** @throws LatticeError `invalid_argument` */
export function checkClusterName(name: unknown): asserts name is string {
  if (typeof name !== "string" || !clusterNamePattern.test(name)) {
    refuse("cluster name", name, "use 1 to 128 letters, digits, '_', '.' or '-'");
  }
}

/**
 * A key: 1 to 512 bytes of UTF-8 without control characters. One pass and no allocation, because
 * it runs for every call that enters a node. @throws LatticeError `invalid_argument`
 */
export function checkKey(key: unknown): asserts key is string {
  if (typeof key !== "string") refuse("key", key, "a key is a string");
  if (key.length === 0) refuse("key", key, "it must not be empty");
  if (isPrototypeName(key)) refuse("key", key, "the name is reserved by JavaScript");
  const bytes = key.length > limits.keyBytesMax ? key.length : countKeyBytes(key);
  if (bytes > limits.keyBytesMax) {
    refuse("key", key, `it is longer than ${String(limits.keyBytesMax)} bytes of UTF-8`);
  }
}

function countKeyBytes(key: string): number {
  let bytes = key.length;
  for (let index = 0; index < key.length; index += 1) {
    const code = key.charCodeAt(index);
    if (code < 0x20 || (code >= 0x7f && code < 0xa0)) {
      refuse("key", key, `remove the control character at index ${String(index)}`);
    }
    if (code < 0x80) continue;
    bytes += code < 0x800 ? 1 : 2;
    if (code < 0xd800 || code > 0xdfff) continue;
    // A pair of surrogates is 4 bytes for 2 units, so its second unit adds nothing more.
    const next = code < 0xdc00 ? key.charCodeAt(index + 1) : 0;
    if (!(next >= 0xdc00 && next <= 0xdfff)) {
      refuse("key", key, `remove the unpaired surrogate at index ${String(index)}`);
    }
    index += 1;
  }
  return bytes;
}

function refuse(what: string, name: unknown, advice: string): never {
  throw new LatticeError("invalid_argument", `${what} ${show(name)} is refused: ${advice}`);
}

/** A name for a message: quoted, control characters escaped, cut at 64 characters. */
function show(name: unknown): string {
  if (typeof name !== "string") return `of type ${typeof name}`;
  return JSON.stringify(name.length > 64 ? `${name.slice(0, 64)}…` : name);
}
