/**
 * `Value` ⇄ what `JSON.stringify` and `JSON.parse` know, for foreigners and for people. Bytes are
 * `{ "$bytes": "base64" }`. An object that merely looks like that (one key, `$bytes` behind any number
 * of `$`) gets one `$` more on the way out and loses it on the way in, so both ways are exact.
 */
import { LatticeError } from "../model/error.ts";
import { checkValue } from "../model/value-check.ts";
import type { Value } from "../model/value.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";

/** A `Value` without bytes. */
export type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

type JsonRecord = Record<string, JsonValue>;

const bytesKey = "$bytes";
const looksLikeBytes = /^\$+bytes$/;

export function valueToJson(value: Value): JsonValue {
  if (value === null || typeof value !== "object") return value;
  if (value instanceof Uint8Array) return { [bytesKey]: encodeBase64(value) };
  if (Array.isArray(value)) return (value as readonly Value[]).map(valueToJson);
  const record = value as Readonly<Record<string, Value>>;
  const only = onlyKey(record);
  const json: JsonRecord = {};
  for (const key of Object.keys(record)) {
    json[key === only ? `$${key}` : key] = valueToJson(record[key] as Value);
  }
  return json;
}

/**
 * @param json what `JSON.parse` returned
 * @param path what it is called in messages
 * @throws LatticeError `invalid_argument` as `checkValue`, and for `$bytes` that is not base64
 */
export function valueFromJson(json: unknown, path: string): Value {
  return revive(checkValue(json, path), path);
}

function revive(json: Value, path: string): Value {
  if (json === null || typeof json !== "object" || json instanceof Uint8Array) return json;
  if (Array.isArray(json)) return (json as readonly Value[]).map((item) => revive(item, path));
  const record = json as Readonly<Record<string, Value>>;
  const only = onlyKey(record);
  if (only === bytesKey) return reviveBytes(record[bytesKey], path);
  const value: Record<string, Value> = {};
  for (const key of Object.keys(record)) {
    value[key === only ? key.slice(1) : key] = revive(record[key] as Value, path);
  }
  return value;
}

function reviveBytes(text: Value | undefined, path: string): Uint8Array {
  const bytes = typeof text === "string" ? decodeBase64(text) : undefined;
  if (bytes !== undefined) return bytes;
  throw new LatticeError("invalid_argument", `${path}: "$bytes" needs a string of padded base64`);
}

/** The key of an object that has no other and could be taken for bytes. */
function onlyKey(record: Readonly<Record<string, Value>>): string | undefined {
  const keys = Object.keys(record);
  const only = keys.length === 1 ? keys[0] : undefined;
  return only !== undefined && looksLikeBytes.test(only) ? only : undefined;
}
