/**
 * One string per value: equal values, and only these, have the same. Sets know their elements by
 * it, so `{ a: 1, b: 2 }` and `{ b: 2, a: 1 }` are one element. The first character tells the type.
 */
import type { Value } from "../model/value.ts";

export function canonicalKey(value: Value): string {
  switch (typeof value) {
    case "string":
      return `s${value}`;
    case "number":
      // Like JavaScript's own sets, 0 and -0 are one element.
      return `n${String(value === 0 ? 0 : value)}`;
    case "boolean":
      return value ? "t" : "f";
    default:
      return nested(value);
  }
}

/** Orders canonical keys: numbers by size, all else by its characters. For `sort`. */
export function compareKeys(
  [a]: readonly [string, unknown],
  [b]: readonly [string, unknown],
): number {
  if (a.startsWith("n") && b.startsWith("n")) return Number(a.slice(1)) - Number(b.slice(1));
  return a < b ? -1 : a > b ? 1 : 0;
}

function nested(value: Value): string {
  if (value === null) return "0";
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value !== "object") return canonicalKey(value);
  if (value instanceof Uint8Array) return `b${hex(value)}`;
  if (Array.isArray(value)) return `[${(value as readonly Value[]).map(nested).join(",")}]`;
  const record = value as Readonly<Record<string, Value>>;
  const keys = Object.keys(record).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${nested(record[key]!)}`).join(",")}}`;
}

function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}
