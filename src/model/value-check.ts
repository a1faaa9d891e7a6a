/**
 * The one check of what enters and leaves functions: inputs, results and state. It runs at the edge
 * and everything inside trusts it, so it also irons out what would not survive a border unchanged:
 * `undefined` properties go, `-0` becomes 0, unpaired surrogates become U+FFFD, a `Buffer` becomes a
 * plain `Uint8Array`, an object without a prototype gets one. Without that, the node that ran a
 * handler and the nodes that received its change as bytes would hold different state.
 *
 * A value that needs none of it is returned as it is, without any allocation for scalars.
 */
import { LatticeError } from "./error.ts";
import { limits } from "./limits.ts";
import { isPrototypeName } from "./names.ts";
import { maxValueDepth } from "./value.ts";
import type { Value } from "./value.ts";

/**
 * Returns `value` as a `Value`: the same reference when it is clean, else a copy of the parts that
 * had to change. Symbol keys and non-enumerable properties are not data and are left out, as in JSON.
 *
 * @param path what the value is called in messages: `line` gives `line.price: BigInt is not a value`
 * @throws LatticeError `invalid_argument`, naming the path; `too_large` above `limits.valueNodesMax`
 */
export function checkValue(value: unknown, path: string): Value {
  switch (typeof value) {
    case "string":
      return wellFormed(value);
    case "boolean":
      return value;
    case "number":
      if (Number.isFinite(value)) return value === 0 ? 0 : value;
      break;
    case "object":
      if (value === null) return value;
      break;
    default:
  }
  return checkAny({ path, keys: [], containers: [], nodes: 0 }, value);
}

/** Like `checkValue`, but a bare `undefined` passes: a call without input, a handler without result. */
export function checkOptionalValue(value: unknown, path: string): Value | undefined {
  return value === undefined ? undefined : checkValue(value, path);
}

/** One walk through a value; `keys` and `containers` are the way from its root to here. */
interface Walk {
  readonly path: string;
  readonly keys: (string | number)[];
  readonly containers: object[];
  nodes: number;
}

function checkAny(walk: Walk, value: unknown): Value {
  switch (typeof value) {
    case "string":
      return wellFormed(value);
    case "boolean":
      return value;
    case "number":
      if (!Number.isFinite(value)) refuse(walk, `${String(value)} is not a value`);
      return value === 0 ? 0 : value;
    case "object":
      return value === null ? null : checkObject(walk, value);
    case "bigint":
      return refuse(walk, "BigInt is not a value; send a number or a string");
    default:
      return refuse(walk, `${typeof value} is not a value`);
  }
}

function checkObject(walk: Walk, value: object): Value {
  if (value instanceof Uint8Array) return plainBytes(value);
  if (walk.containers.length >= maxValueDepth) refuseDepth(walk, value);
  walk.containers.push(value);
  const checked = Array.isArray(value)
    ? checkArray(walk, value as readonly unknown[])
    : checkRecord(walk, value);
  walk.containers.pop();
  return checked;
}

function checkArray(walk: Walk, array: readonly unknown[]): Value {
  count(walk, array.length);
  let copy: Value[] | undefined;
  for (let index = 0; index < array.length; index += 1) {
    walk.keys.push(index);
    const item = array[index];
    const checked = checkAny(walk, item);
    walk.keys.pop();
    // `Object.is` sees the difference between -0 and 0.
    if (copy === undefined && !Object.is(checked, item)) copy = array.slice(0, index) as Value[];
    copy?.push(checked);
  }
  return copy ?? (array as readonly Value[]);
}

function checkRecord(walk: Walk, record: object): Value {
  const source = record as Readonly<Record<string, unknown>>;
  const foreign = !isOrdinary(walk, record);
  const keys = Object.keys(source);
  count(walk, keys.length);
  let copy: Record<string, Value> | undefined = foreign ? {} : undefined;
  for (let index = 0; index < keys.length; index += 1) {
    const key = keys[index]!;
    walk.keys.push(key);
    if (isPrototypeName(key))
      refuse(walk, "the name is reserved by JavaScript; choose another key");
    const item = source[key];
    const checked = item === undefined ? undefined : checkAny(walk, item);
    walk.keys.pop();
    const name = wellFormed(key);
    if (
      copy === undefined &&
      (checked === undefined || name !== key || !Object.is(checked, item))
    ) {
      copy = firstKeys(source, keys, index);
    }
    if (copy !== undefined && checked !== undefined) copy[name] = checked;
  }
  return copy ?? (source as Readonly<Record<string, Value>>);
}

function firstKeys(
  source: Readonly<Record<string, unknown>>,
  keys: readonly string[],
  end: number,
): Record<string, Value> {
  const copy: Record<string, Value> = {};
  for (let index = 0; index < end; index += 1) {
    const key = keys[index]!;
    copy[key] = source[key] as Value;
  }
  return copy;
}

/**
 * True for `{}`, false for an object without prototype or from another realm, which is as plain but
 * has to be copied. Everything else (Map, Date, class instances) is refused.
 */
function isOrdinary(walk: Walk, record: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(record);
  if (prototype === Object.prototype) return true;
  if (prototype === null) return false;
  if (
    Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype as object, "isPrototypeOf")
  ) {
    return false;
  }
  const constructor = (prototype as { readonly constructor?: unknown }).constructor;
  const name =
    typeof constructor === "function" && constructor.name !== "" ? constructor.name : "?";
  return refuse(walk, `${name} is not a value; ${adviceFor(name)}`);
}

function adviceFor(name: string): string {
  if (name === "Date") return "send toISOString()";
  if (name === "Set") return "send an array";
  if (name === "Map") return "send a plain object";
  if (name.endsWith("Array") || name === "ArrayBuffer") return "send a Uint8Array";
  return "send a plain object";
}

function plainBytes(bytes: Uint8Array): Uint8Array {
  if (Object.getPrototypeOf(bytes) === Uint8Array.prototype) return bytes;
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const loneSurrogate = /\p{Surrogate}/u;
const loneSurrogates = /\p{Surrogate}/gu;

function wellFormed(text: string): string {
  return loneSurrogate.test(text) ? text.replace(loneSurrogates, "\ufffd") : text;
}

function count(walk: Walk, items: number): void {
  walk.nodes += items;
  if (walk.nodes <= limits.valueNodesMax) return;
  const most = limits.valueNodesMax.toLocaleString("en-US");
  throw new LatticeError("too_large", `${spell(walk)}: the value has more than ${most} parts`);
}

function refuseDepth(walk: Walk, value: object): never {
  const first = walk.containers.indexOf(value);
  if (first < 0) return refuse(walk, `nested deeper than ${String(maxValueDepth)} levels`);
  const again = walk.containers.indexOf(value, first + 1);
  if (again >= 0) walk.keys.length = again;
  return refuse(walk, "the value contains itself");
}

function refuse(walk: Walk, problem: string): never {
  throw new LatticeError("invalid_argument", `${spell(walk)}: ${problem}`);
}

/** `line.items[3]["odd key"]`, cut to its ends when it is very deep. */
function spell(walk: Walk): string {
  let text = walk.path;
  for (const key of walk.keys) {
    if (typeof key === "number") text += `[${String(key)}]`;
    else if (/^[A-Za-z_$][\w$]*$/.test(key)) text += `.${key}`;
    else text += `[${JSON.stringify(key.slice(0, 64))}]`;
  }
  return text.length > 200 ? `${text.slice(0, 150)}…${text.slice(-40)}` : text;
}
