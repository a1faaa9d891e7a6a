/**
 * How values live inside state: nobody outside may hold something that changes it. What goes in is
 * copied unless it is a scalar; what is handed out is frozen, and bytes, which cannot be frozen, are
 * handed out as copies.
 */
import { checkValue } from "../model/value-check.ts";
import type { Value } from "../model/value.ts";

/** Checks `value` and makes it the state's own. @throws LatticeError `invalid_argument`, `too_large` */
export function storeValue(value: unknown, path: string): Value {
  const checked = checkValue(value, path);
  return typeof checked === "object" && checked !== null ? frozenCopy(checked) : checked;
}

/** What a reader may be given of a stored value. */
export function showValue(value: Value): Value {
  if (typeof value !== "object" || value === null) return value;
  if (holdsBytes(value)) return frozenCopy(value);
  return Object.isFrozen(value) ? value : freeze(value);
}

/** Estimated encoded bytes. */
export function valueBytes(value: Value): number {
  switch (typeof value) {
    case "string":
      return value.length + 3;
    case "object":
      return containerBytes(value);
    default:
      return typeof value === "number" ? 9 : 1;
  }
}

function containerBytes(value: Exclude<Value, boolean | number | string>): number {
  if (value === null) return 1;
  if (value instanceof Uint8Array) return value.length + 3;
  let bytes = 3;
  if (Array.isArray(value)) {
    for (const item of value as readonly Value[]) bytes += valueBytes(item);
    return bytes;
  }
  for (const [key, item] of Object.entries(value)) bytes += key.length + 3 + valueBytes(item);
  return bytes;
}

function frozenCopy(value: Value): Value {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return value.slice();
  if (Array.isArray(value)) return Object.freeze((value as readonly Value[]).map(frozenCopy));
  const copy: Record<string, Value> = {};
  for (const [key, item] of Object.entries(value)) copy[key] = frozenCopy(item);
  return Object.freeze(copy);
}

function freeze(value: Value): Value {
  if (typeof value !== "object" || value === null) return value;
  for (const item of Object.values(value)) freeze(item);
  return Object.freeze(value);
}

function holdsBytes(value: Value): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (value instanceof Uint8Array) return true;
  return Object.values(value).some((item) => holdsBytes(item));
}
