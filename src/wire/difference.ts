/**
 * What changed between two plain values, as a value that travels like any other, and its
 * application, which shares with the base whatever did not change (a watcher can compare with ===).
 *
 * | difference | means |
 * | --- | --- |
 * | `[0, value]` | replaced |
 * | `[1, { key: difference … }, [removed key …]]` | fields changed, added (as `[0, value]`), removed |
 * | `[2, [index, difference, index, difference …]]` | elements of an array changed in place |
 * | `[3, start, deleteCount, [inserted …]]` | array splice |
 * | `[4, start, deleteCount, inserted]` | text splice, in UTF-16 units |
 *
 * It is in `wire` because both ends need it, and a browser's client must not pull in `live`.
 */
import { sameBytes } from "../codec/same-bytes.ts";
import { LatticeError } from "../model/error.ts";
import { maxValueDepth, type Value } from "../model/value.ts";

const replaced = 0;
const fields = 1;
const elements = 2;
const arraySplice = 3;
const textSplice = 4;

/** Text shorter than this is sent whole: a splice would save next to nothing. */
const spliceTextLengthMin = 32;

type ValueArray = readonly Value[];
type ValueObject = Readonly<Record<string, Value>>;

/** The difference that makes `next` of `base`, or `undefined` when they are equal. */
export function differenceOf(base: Value, next: Value): Value | undefined {
  if (Object.is(base, next)) return undefined;
  if (typeof base === "string" && typeof next === "string") return textDifference(base, next);
  if (base instanceof Uint8Array && next instanceof Uint8Array) {
    return sameBytes(base, next) ? undefined : [replaced, next];
  }
  if (isArray(base) && isArray(next)) return arrayDifference(base, next);
  if (isObject(base) && isObject(next)) return objectDifference(base, next);
  return [replaced, next];
}

/**
 * Applies what `differenceOf` made. Neither argument is changed; parts that did not change are the
 * very same objects in the result. Throws `internal` when the difference does not fit the base: the
 * receiver then asks for a snapshot.
 */
export function applyDifference(base: Value | undefined, difference: Value): Value {
  return apply(base, difference, 0);
}

function textDifference(base: string, next: string): Value {
  if (next.length < spliceTextLengthMin) return [replaced, next];
  const shorter = Math.min(base.length, next.length);
  let start = 0;
  while (start < shorter && base.charCodeAt(start) === next.charCodeAt(start)) start++;
  let tail = 0;
  const tailMax = shorter - start;
  while (
    tail < tailMax &&
    base.charCodeAt(base.length - 1 - tail) === next.charCodeAt(next.length - 1 - tail)
  ) {
    tail++;
  }
  // Halves of a surrogate pair do not survive UTF-8: splice at whole characters only.
  if (start > 0 && isHighSurrogate(next.charCodeAt(start - 1))) start--;
  if (tail > 0 && isLowSurrogate(next.charCodeAt(next.length - tail))) tail--;
  const inserted = next.slice(start, next.length - tail);
  return [textSplice, start, base.length - tail - start, inserted];
}

function arrayDifference(base: ValueArray, next: ValueArray): Value | undefined {
  if (base.length === next.length) return elementDifferences(base, next);
  const shorter = Math.min(base.length, next.length);
  let start = 0;
  while (start < shorter && equal(base[start], next[start])) start++;
  let tail = 0;
  const tailMax = shorter - start;
  while (tail < tailMax && equal(base[base.length - 1 - tail], next[next.length - 1 - tail])) {
    tail++;
  }
  return [arraySplice, start, base.length - tail - start, next.slice(start, next.length - tail)];
}

function elementDifferences(base: ValueArray, next: ValueArray): Value | undefined {
  const changed: Value[] = [];
  for (let index = 0; index < next.length; index++) {
    const difference = differenceOf(base[index] as Value, next[index] as Value);
    if (difference !== undefined) changed.push(index, difference);
  }
  return changed.length === 0 ? undefined : [elements, changed];
}

function objectDifference(base: ValueObject, next: ValueObject): Value | undefined {
  const changed: Record<string, Value> = {};
  let any = false;
  for (const key of Object.keys(next)) {
    const value = next[key] as Value;
    const difference = Object.hasOwn(base, key)
      ? differenceOf(base[key] as Value, value)
      : [replaced, value];
    if (difference === undefined) continue;
    changed[key] = difference;
    any = true;
  }
  const removed = Object.keys(base).filter((key) => !Object.hasOwn(next, key));
  return any || removed.length > 0 ? [fields, changed, removed] : undefined;
}

function apply(base: Value | undefined, difference: Value, depth: number): Value {
  if (!isArray(difference) || depth > maxValueDepth) throw misfit("it is no difference");
  const [form, first, second, third] = difference;
  switch (form) {
    case replaced:
      if (first === undefined) throw misfit("a replacement without a value");
      return first;
    case fields:
      return applyFields(base, first, second, depth);
    case elements:
      return applyElements(base, first, depth);
    case arraySplice:
      if (!isArray(base) || !isArray(third)) throw misfit("an array splice on something else");
      return spliceArray(base, span(first, second, base.length), third);
    case textSplice:
      if (typeof base !== "string" || typeof third !== "string") {
        throw misfit("a text splice on something else");
      }
      return spliceText(base, span(first, second, base.length), third);
    default:
      throw misfit("its form is unknown");
  }
}

function applyFields(
  base: Value | undefined,
  changed: Value | undefined,
  removed: Value | undefined,
  depth: number,
): Value {
  if (!isObject(base) || !isObject(changed) || !isArray(removed)) {
    throw misfit("field changes on something else");
  }
  const next: Record<string, Value> = { ...base };
  for (const key of removed) {
    if (typeof key !== "string") throw misfit("a removed key that is no string");
    Reflect.deleteProperty(next, key);
  }
  for (const key of Object.keys(changed)) {
    if (key === "__proto__") throw misfit("it changes a prototype");
    const old = Object.hasOwn(base, key) ? base[key] : undefined;
    next[key] = apply(old, changed[key] as Value, depth + 1);
  }
  return next;
}

function applyElements(base: Value | undefined, changed: Value | undefined, depth: number): Value {
  if (!isArray(base) || !isArray(changed)) throw misfit("element changes on something else");
  const next = base.slice();
  for (let at = 0; at < changed.length; at += 2) {
    const index = changed[at];
    const isInside = Number.isInteger(index) && (index as number) >= 0;
    if (!isInside || (index as number) >= base.length) throw misfit("an element out of range");
    next[index as number] = apply(base[index as number], changed[at + 1] as Value, depth + 1);
  }
  return next;
}

/** Where a splice begins and ends, checked against the length of what it is applied to. */
interface Span {
  readonly start: number;
  readonly end: number;
}

function span(start: Value | undefined, count: Value | undefined, length: number): Span {
  if (
    typeof start !== "number" ||
    typeof count !== "number" ||
    !(start >= 0 && count >= 0 && start + count <= length)
  ) {
    throw misfit("a splice out of range");
  }
  return { start, end: start + count };
}

function spliceArray(base: ValueArray, { start, end }: Span, inserted: ValueArray): Value {
  return [...base.slice(0, start), ...inserted, ...base.slice(end)];
}

function spliceText(base: string, { start, end }: Span, inserted: string): Value {
  return base.slice(0, start) + inserted + base.slice(end);
}

function equal(a: Value | undefined, b: Value | undefined): boolean {
  return differenceOf(a as Value, b as Value) === undefined;
}

function isArray(value: Value | undefined): value is ValueArray {
  return Array.isArray(value);
}

function isObject(value: Value | undefined): value is ValueObject {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array)
  );
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code < 0xdc00;
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code < 0xe000;
}

function misfit(why: string): LatticeError {
  return new LatticeError("internal", `a live difference does not fit its base: ${why}`);
}
